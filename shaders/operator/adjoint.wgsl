// One layer of the sweep back over all channels: the adjoint of h from the layer above, and with
// the activation's slope that of z. An invocation computes ROW_BLOCK units of one point.
//!include operator/network.wgsl

// From the adjoint of (1 - s) U + s V to that of s; adds those of U and V to their sums.
fn ungated(unit: u32, point: u32, s: Jet, h_bar: Jet) -> Jet {
    let first_row = ENCODER_BAR_ROW + unit * CHANNELS;
    let second_row = first_row + WIDTH * CHANNELS;
    let second = adjoint_product(s, h_bar);
    let first = difference(h_bar, second);
    if layer.gate == GATED_FIRST {
        store(first_row, point, first);
        store(second_row, point, second);
    } else {
        store(first_row, point, sum_of(load(first_row, point), first));
        store(second_row, point, sum_of(load(second_row, point), second));
    }
    return adjoint_product(difference(encoder(1u, unit, point), encoder(0u, unit, point)), h_bar);
}

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    let first = id.y * ROW_BLOCK;
    if point >= shape.points {
        return;
    }
    var h_bar: array<Jet, ROW_BLOCK>;
    for (var row = 0u; row < layer.next_rows; row++) {
        let above = prepared(load(layer.next_adjoint_row + row * CHANNELS, point));
        for (var r = 0u; r < ROW_BLOCK; r++) {
            let unit = min(first + r, WIDTH - 1u);
            let weight = prepare(weights[layer.next_weight + row * WIDTH + unit]);
            for (var c = 0u; c < CHANNELS; c++) {
                h_bar[r][c] = accumulate(weight, above[c], h_bar[r][c]);
            }
        }
    }
    for (var r = 0u; r < ROW_BLOCK; r++) {
        let unit = first + r;
        if unit < WIDTH {
            var sum = settled(h_bar[r]);
            let z = load(layer.z_row + unit * CHANNELS, point);
            let series = activation_series(z[0], layer.coefficients);
            let slope = compose(differentiated(series), z);
            if ENCODERS > 0u && layer.gate == ENCODER {
                sum = load(layer.bar_row + unit * CHANNELS, point);
            }
            if is_gated() {
                sum = ungated(unit, point, compose(series, z), sum);
            }
            store(layer.adjoint_row + unit * CHANNELS, point, adjoint_product(slope, sum));
            if KEEPS_H_BAR {
                store(H_BAR_ROW + unit * CHANNELS, point, sum);
            }
        }
    }
}
