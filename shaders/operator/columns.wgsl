// A tile of J by the weights: output row k holds column first_column + k at every point. A column
// is the sum over channels of an adjoint times what the weight multiplies.
//!include shared/shape.wgsl
//!include shared/request.wgsl
//!include generated/scalar
//!include generated/constants

@group(0) @binding(1) var<storage, read> factors: array<Real>;
// First rows of the two jets of each column; NONE: the value of the adjoint alone.
@group(0) @binding(2) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> output: array<Real>;

const NONE: u32 = 0xffffffffu;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= shape.points || id.y >= request.rows {
        return;
    }
    let pair = pairs[request.first_column + id.y];
    var sum = factors[pair.x * shape.stride + id.x];
    if pair.y != NONE {
        sum = multiply(sum, factors[pair.y * shape.stride + id.x]);
        for (var c = 1u; c < CHANNELS; c++) {
            let adjoint = factors[(pair.x + c) * shape.stride + id.x];
            sum = multiply_add(adjoint, factors[(pair.y + c) * shape.stride + id.x], sum);
        }
    }
    output[id.y * shape.stride + id.x] = sum;
}
