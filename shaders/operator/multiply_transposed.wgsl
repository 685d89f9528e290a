// J^T w over one chunk of points: one workgroup per column, then a tree over its invocations.
//!include operator/entry.wgsl

@group(0) @binding(4) var<storage, read> vector: array<Real>;
@group(0) @binding(5) var<storage, read_write> output: array<Real>;

var<workgroup> partial: array<Real, POINT_WORKGROUP>;

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
    var sum = lift(0.0);
    for (var point = lane; point < shape.points; point += POINT_WORKGROUP) {
        sum = multiply_add(entry(column, point), vector[point], sum);
    }
    partial[lane] = sum;
    for (var width = POINT_WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            partial[lane] = add(partial[lane], partial[lane + width]);
        }
    }
    if lane == 0u {
        output[column] = partial[0];
    }
}
