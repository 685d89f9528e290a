// Reverse sweep, linear part: the adjoint of h_l is W_{l+1}^T times the adjoint of z_{l+1}. An
// invocation computes ROW_BLOCK units of one point.
//!include shared/shape.wgsl
//!include generated/constants
//!include shared/layer.wgsl

@group(0) @binding(2) var<storage, read> theta: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<f32>;
@group(0) @binding(4) var<storage, read_write> adjoints: array<f32>;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let first = id.y * ROW_BLOCK;
    if point >= shape.points {
        return;
    }
    var sums: array<f32, ROW_BLOCK>;
    for (var row = 0u; row < layer.next_rows; row++) {
        let adjoint = factors[(layer.next_adjoint_row + row) * shape.stride + point];
        for (var r = 0u; r < ROW_BLOCK; r++) {
            let unit = min(first + r, WIDTH - 1u);
            sums[r] += adjoint * theta[layer.next_weight + row * WIDTH + unit];
        }
    }
    for (var r = 0u; r < ROW_BLOCK; r++) {
        if first + r < WIDTH {
            adjoints[(first + r) * shape.stride + point] = sums[r];
        }
    }
}
