// The start-up check of a device: exact sums and products of pairs, which the host compares.
//!include shared/shape.wgsl
//!include shared/double_float.wgsl

@group(0) @binding(1) var<storage, read> pairs: array<vec2<f32>>;
// Per pair: two_sum, then two_prod.
@group(0) @binding(2) var<storage, read_write> results: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= shape.points {
        return;
    }
    let pair = pairs[id.x];
    let sum = two_sum(pair.x, pair.y);
    let product = two_prod(pair.x, pair.y);
    results[id.x] = vec4<f32>(sum.high, sum.low, product.high, product.low);
}
