// One layer of the sweep back over all channels: the adjoint of h from the layer above, and with
// the activation's slope that of z. An invocation computes ROW_BLOCK units of one point.
//!include operator/network.wgsl

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
            let sum = settled(h_bar[r]);
            let z = load(layer.z_row + unit * CHANNELS, point);
            let slope = compose(differentiated(activation_series(z[0], layer.coefficients)), z);
            store(layer.adjoint_row + unit * CHANNELS, point, adjoint_product(slope, sum));
            store(H_BAR_ROW + unit * CHANNELS, point, sum);
        }
    }
}
