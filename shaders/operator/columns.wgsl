// Columns of J, stored: output row k holds column first_column + k at every point.
//!include operator/entry.wgsl

@group(0) @binding(4) var<storage, read_write> output: array<Real>;

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < shape.points && id.y < request.rows {
        output[id.y * shape.stride + id.x] = entry(request.first_column + id.y, id.x);
    }
}
