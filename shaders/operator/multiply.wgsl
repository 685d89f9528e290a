// J v: one invocation per point, summed in blocks of columns so that rounding errors grow with the
// square root of their number and not with s.
//!include operator/entry.wgsl

@group(0) @binding(4) var<storage, read> vector: array<Real>;
@group(0) @binding(5) var<storage, read_write> output: array<Real>;

const BLOCK: u32 = 32u;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var total = lift(0.0);
    for (var start = 0u; start < request.columns; start += BLOCK) {
        let end = min(start + BLOCK, request.columns);
        var sum = lift(0.0);
        for (var column = start; column < end; column++) {
            sum = multiply_add(entry(column, point), vector[column], sum);
        }
        total = add(total, sum);
    }
    output[point] = total;
}
