// J^T w over one chunk of points: one workgroup per column, then a tree over its invocations.
//!include shared/shape.wgsl
//!include shared/entry.wgsl
//!include shared/request.wgsl
//!include generated/constants

@group(0) @binding(4) var<storage, read> vector: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, POINT_WORKGROUP>;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let column = group.y * groups.x + group.x;
    if column >= request.columns {
        return;
    }
    var sum = 0.0;
    for (var point = lane; point < shape.points; point += POINT_WORKGROUP) {
        sum += entry(column, point) * vector[point];
    }
    partial[lane] = sum;
    for (var width = POINT_WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            partial[lane] += partial[lane + width];
        }
    }
    if lane == 0u {
        output[column] = partial[0];
    }
}
