// Column k of the Jacobian is the product of two rows of the factors: an adjoint and what the
// parameter multiplies. So it is never stored, only read off where it is needed.
@group(0) @binding(1) var<storage, read> factors: array<f32>;
// The two rows of each chosen column.
@group(0) @binding(2) var<storage, read> pairs: array<vec2<u32>>;

fn entry(column: u32, point: u32) -> f32 {
    let pair = pairs[column];
    return factors[pair.x * shape.stride + point] * factors[pair.y * shape.stride + point];
}
