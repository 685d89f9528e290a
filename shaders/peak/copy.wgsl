// As many bytes a second as memory gives and takes: one buffer into another.

const WORKGROUP: u32 = 64u;

struct Extent {
    vectors: u32,
    padding_0: u32,
    padding_1: u32,
    padding_2: u32,
}

@group(0) @binding(0) var<uniform> extent: Extent;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let at = id.y * groups.x * WORKGROUP + id.x;
    if at < extent.vectors {
        output[at] = input[at];
    }
}
