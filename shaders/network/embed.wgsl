// The embedding and its activation: coordinates to the jets of h_0, one invocation per point and
// unit. Leaves z_0 (where the adjoint comes to stand) and h_0 in the factor rows, and beside them
// what the columns of the embedding's own parameters need.
//!include shared/shape.wgsl
//!include shared/elementary.wgsl
//!include generated/constants
//!include generated/jet

@group(0) @binding(1) var<storage, read> theta: array<f32>;
// Rows: the angles 2 pi x_k / P_k or the scaled coordinates, in the order of the coordinates.
@group(0) @binding(2) var<storage, read> embedded: array<f32>;
@group(0) @binding(3) var<storage, read_write> jets: array<f32>;
@group(0) @binding(4) var<storage, read_write> factors: array<f32>;

//!include generated/activation
//!include generated/embedding

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let unit = id.y;
    if point >= shape.points {
        return;
    }
    let z = embed(unit, point);
    factors[(EMBEDDING_ADJOINT_ROW + unit) * shape.stride + point] = z[0];
    let h = compose(activation_series(z[0], EMBEDDING_COEFFICIENTS), z);
    factors[(EMBEDDING_OUTPUT_ROW + unit) * shape.stride + point] = h[0];
    for (var c = 0u; c < CHANNELS; c++) {
        jets[(unit * CHANNELS + c) * shape.stride + point] = h[c];
    }
}
