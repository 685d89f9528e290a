// The output layer: the network's jet.
//!include operator/network.wgsl

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var sum: Jet;
    for (var column = 0u; column < layer.inputs; column++) {
        let weight = prepare(weights[layer.weight + column]);
        let h = prepared(load(layer.input_row + column * CHANNELS, point));
        for (var c = 0u; c < CHANNELS; c++) {
            sum[c] = accumulate(weight, h[c], sum[c]);
        }
    }
    var jet = settled(sum);
    jet[0] = add(jet[0], weights[layer.bias]);
    store(layer.z_row, point, jet);
}
