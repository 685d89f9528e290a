// One hidden layer with its activation: jets of h_{l-1} to jets of h_l. An invocation computes
// ROW_BLOCK units of one point, so that each jet read serves ROW_BLOCK products.
//!include shared/shape.wgsl
//!include shared/elementary.wgsl
//!include generated/constants
//!include generated/jet
//!include shared/layer.wgsl

@group(0) @binding(2) var<storage, read> theta: array<f32>;
@group(0) @binding(3) var<storage, read> inputs: array<f32>;
@group(0) @binding(4) var<storage, read_write> outputs: array<f32>;
@group(0) @binding(5) var<storage, read_write> factors: array<f32>;

//!include generated/activation

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let first = id.y * ROW_BLOCK;
    if point >= shape.points {
        return;
    }
    var z: array<Jet, ROW_BLOCK>;
    for (var column = 0u; column < WIDTH; column++) {
        var h: Jet;
        for (var c = 0u; c < CHANNELS; c++) {
            h[c] = inputs[(column * CHANNELS + c) * shape.stride + point];
        }
        for (var r = 0u; r < ROW_BLOCK; r++) {
            // The last block may reach past the layer; its surplus rows are computed and dropped.
            let row = min(first + r, WIDTH - 1u);
            let weight = theta[layer.weight + row * WIDTH + column];
            for (var c = 0u; c < CHANNELS; c++) {
                z[r][c] += weight * h[c];
            }
        }
    }
    for (var r = 0u; r < ROW_BLOCK; r++) {
        let row = first + r;
        if row < WIDTH {
            z[r][0] += theta[layer.bias + row];
            let value = z[r][0];
            factors[(layer.adjoint_row + row) * shape.stride + point] = value;
            let h = compose(activation_series(value, layer.coefficients), z[r]);
            factors[(layer.output_row + row) * shape.stride + point] = h[0];
            for (var c = 0u; c < CHANNELS; c++) {
                outputs[(row * CHANNELS + c) * shape.stride + point] = h[c];
            }
        }
    }
}
