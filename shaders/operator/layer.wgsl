// One linear layer with its activation: jets of its inputs to the jets z and h. An invocation
// computes ROW_BLOCK units of one point.
//!include operator/network.wgsl

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let first = id.y * ROW_BLOCK;
    if point >= shape.points {
        return;
    }
    var z: array<Jet, ROW_BLOCK>;
    for (var column = 0u; column < layer.inputs; column++) {
        let h = prepared(load(layer.input_row + column * CHANNELS, point));
        for (var r = 0u; r < ROW_BLOCK; r++) {
            // The last block may reach past the layer; its surplus rows are computed and dropped.
            let row = min(first + r, WIDTH - 1u);
            let weight = prepare(weights[layer.weight + row * layer.inputs + column]);
            for (var c = 0u; c < CHANNELS; c++) {
                z[r][c] = accumulate(weight, h[c], z[r][c]);
            }
        }
    }
    for (var r = 0u; r < ROW_BLOCK; r++) {
        let row = first + r;
        if row < WIDTH {
            // The bias is a constant and enters the value alone.
            var jet = settled(z[r]);
            jet[0] = add(jet[0], weights[layer.bias + row]);
            if KEEPS_Z {
                store(layer.z_row + row * CHANNELS, point, jet);
            }
            let s = activation_series(jet[0], layer.coefficients);
            var h = compose(s, jet);
            if is_gated() {
                // (1 - h) U + h V.
                let first = encoder(0u, row, point);
                h = sum_of(first, product(h, difference(encoder(1u, row, point), first)));
            }
            store(layer.h_row + row * CHANNELS, point, h);
        }
    }
}
