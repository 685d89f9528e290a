// Column k of the Jacobian is a product of two jets of the factors, an adjoint and what the
// parameter multiplies, summed over channels. So it is never stored, only read off where it is
// needed.
//!include shared/shape.wgsl
//!include shared/request.wgsl
//!include generated/scalar
//!include generated/constants

@group(0) @binding(1) var<storage, read> factors: array<Real>;
// The first rows of the two jets of each column.
@group(0) @binding(2) var<storage, read> pairs: array<vec2<u32>>;

fn entry(column: u32, point: u32) -> Real {
    let pair = pairs[column];
    var sum = multiply(
        factors[pair.x * shape.stride + point],
        factors[pair.y * shape.stride + point],
    );
    for (var c = 1u; c < CHANNELS; c++) {
        let adjoint = factors[(pair.x + c) * shape.stride + point];
        sum = multiply_add(adjoint, factors[(pair.y + c) * shape.stride + point], sum);
    }
    return sum;
}
