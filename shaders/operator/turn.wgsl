// What the columns of a wave's amplitude and phase multiply an adjoint by: with the features cos
// and sin of the angle alpha, cos(alpha + phi) and -a sin(alpha + phi). One invocation per point and
// wave.
//!include operator/network.wgsl

fn combined(p: Real, cosine: Jet, q: Real, sine: Jet) -> Jet {
    var jet: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        jet[c] = multiply_add(p, cosine[c], multiply(q, sine[c]));
    }
    return jet;
}

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let wave = id.y;
    if point >= shape.points {
        return;
    }
    let unit = wave / PERIODIC;
    let feature = 2u * (wave % PERIODIC);
    let cosine = load(layer.input_row + feature * CHANNELS, point);
    let sine = load(layer.input_row + (feature + 1u) * CHANNELS, point);
    let turn = layer.turn + 2u * wave;
    let amplitude = combined(weights[turn], cosine, negate(weights[turn + 1u]), sine);
    // The weights of the two features are a cos phi and -a sin phi.
    let weight = layer.weight + unit * layer.inputs + feature;
    let phase = combined(weights[weight + 1u], cosine, negate(weights[weight]), sine);
    let row = layer.turned_row + 2u * wave * CHANNELS;
    store(row, point, amplitude);
    store(row + CHANNELS, point, phase);
}
