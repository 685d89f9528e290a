// Derivatives by the coefficients of a layer's rational activation: sums over its units and all
// channels. d sigma / d p_m = z^m / Q and d sigma / d q_m = -sigma z^m / Q, as series about z.
//!include operator/network.wgsl

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var sums: array<Real, 7>;
    for (var unit = 0u; unit < WIDTH; unit++) {
        let z = load(layer.z_row + unit * CHANNELS, point);
        let h_bar = load(H_BAR_ROW + unit * CHANNELS, point);
        let parts = contract(h_bar, z);
        let value = activation_series(z[0], layer.coefficients);
        // z^m, divided by Q, m = 0 .. 3.
        var monomial: Series;
        monomial[0] = lift(1.0);
        for (var m = 0u; m < 4u; m++) {
            let power = divide_by_denominator(monomial, z[0], layer.coefficients);
            for (var k = 0u; k + 1u < COEFFICIENTS; k++) {
                sums[3u - m] = multiply_add(power[k], parts[k], sums[3u - m]);
                if m < 3u {
                    for (var j = 0u; j <= k; j++) {
                        let term = multiply(value[j], power[k - j]);
                        sums[6u - m] = multiply_add(negate(term), parts[k], sums[6u - m]);
                    }
                }
            }
            var next: Series;
            next[0] = multiply(z[0], monomial[0]);
            for (var k = 1u; k < COEFFICIENTS; k++) {
                next[k] = multiply_add(z[0], monomial[k], monomial[k - 1u]);
            }
            monomial = next;
        }
    }
    for (var k = 0u; k < 7u; k++) {
        factors[(layer.gradient_row + k) * shape.stride + point] = sums[k];
    }
}
