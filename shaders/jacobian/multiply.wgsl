// J v: one invocation per point, summed in blocks of columns so that rounding errors grow with the
// square root of their number and not with s.
//!include shared/shape.wgsl
//!include shared/entry.wgsl
//!include shared/request.wgsl
//!include generated/constants

@group(0) @binding(4) var<storage, read> vector: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

const BLOCK: u32 = 32u;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var total = 0.0;
    for (var start = 0u; start < request.columns; start += BLOCK) {
        let end = min(start + BLOCK, request.columns);
        var sum = 0.0;
        for (var column = start; column < end; column++) {
            sum += entry(column, point) * vector[column];
        }
        total += sum;
    }
    output[point] = total;
}
