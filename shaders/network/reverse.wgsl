// Reverse sweep, activation: turns the z_l that the forward sweep left into the adjoint of z_l,
// sigma'(z_l) times the adjoint of h_l, and sums the derivatives by the activation's coefficients.
//!include shared/shape.wgsl
//!include shared/elementary.wgsl
//!include generated/constants
//!include shared/layer.wgsl

@group(0) @binding(2) var<storage, read> theta: array<f32>;
@group(0) @binding(3) var<storage, read> adjoints: array<f32>;
@group(0) @binding(4) var<storage, read_write> factors: array<f32>;

//!include generated/activation
//!include generated/coefficients

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var gradient: CoefficientSums;
    for (var unit = 0u; unit < WIDTH; unit++) {
        let at = (layer.adjoint_row + unit) * shape.stride + point;
        let z = factors[at];
        let adjoint = adjoints[unit * shape.stride + point];
        add_coefficients(&gradient, z, adjoint);
        factors[at] = activation_series(z, layer.coefficients)[1] * adjoint;
    }
    store_coefficients(gradient, point);
}
