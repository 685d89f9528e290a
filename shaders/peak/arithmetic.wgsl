// As many fused multiply-adds a second as the device makes: independent chains in registers, whose
// factors the compiler does not know.

const WORKGROUP: u32 = 64u;

struct Chains {
    rounds: u32,
    invocations: u32,
    factor: f32,
    summand: f32,
}

@group(0) @binding(0) var<uniform> chains: Chains;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let at = id.y * groups.x * WORKGROUP + id.x;
    let m = vec4<f32>(chains.factor);
    let s = vec4<f32>(chains.summand);
    var a = vec4<f32>(f32(at));
    var b = a + s;
    var c = b + s;
    var d = c + s;
    for (var round = 0u; round < chains.rounds; round++) {
        a = fma(a, m, s);
        b = fma(b, m, s);
        c = fma(c, m, s);
        d = fma(d, m, s);
        a = fma(a, m, s);
        b = fma(b, m, s);
        c = fma(c, m, s);
        d = fma(d, m, s);
    }
    if at < chains.invocations {
        output[at] = (a + b) + (c + d);
    }
}
