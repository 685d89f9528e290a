// The start-up check of a device: exact sums and products of pairs (a, b), and with double-floats
// made of them a sum and a product, all of which the host compares.
//!include shared/shape.wgsl
//!include shared/double_float.wgsl

@group(0) @binding(1) var<storage, read> pairs: array<vec2<f32>>;
struct Results {
    // a + b and a b, exactly.
    sum: vec2<f32>,
    product: vec2<f32>,
    // (a + b) + (a b) and (a + b) (a b).
    long_sum: vec2<f32>,
    long_product: vec2<f32>,
}

@group(0) @binding(2) var<storage, read_write> results: array<Results>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= shape.points {
        return;
    }
    let pair = pairs[id.x];
    let sum = two_sum(pair.x, pair.y);
    let product = two_prod(pair.x, pair.y);
    let long_sum = df_add(sum, product);
    let long_product = df_mul(sum, product);
    results[id.x] = Results(
        vec2<f32>(sum.high, sum.low),
        vec2<f32>(product.high, product.low),
        vec2<f32>(long_sum.high, long_sum.low),
        vec2<f32>(long_product.high, long_product.low),
    );
}
