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
        // z^m / Q, m = 0 .. 3, and of these sigma.
        var powers: array<Series, 4>;
        var one: Series;
        one[0] = lift(1.0);
        powers[0] = divide_by_denominator(one, z[0], layer.coefficients);
        for (var m = 1u; m < 4u; m++) {
            powers[m][0] = multiply(z[0], powers[m - 1u][0]);
            for (var k = 1u; k < COEFFICIENTS; k++) {
                powers[m][k] = multiply_add(z[0], powers[m - 1u][k], powers[m - 1u][k - 1u]);
            }
        }
        var value: Series;
        for (var m = 0u; m < 4u; m++) {
            let p = weights[layer.coefficients + 3u - m];
            for (var k = 0u; k < COEFFICIENTS; k++) {
                value[k] = multiply_add(p, powers[m][k], value[k]);
            }
        }
        for (var m = 0u; m < 4u; m++) {
            for (var k = 0u; k + 1u < COEFFICIENTS; k++) {
                sums[3u - m] = multiply_add(powers[m][k], parts[k], sums[3u - m]);
                if m < 3u {
                    for (var j = 0u; j <= k; j++) {
                        let term = multiply(value[j], powers[m][k - j]);
                        sums[6u - m] = multiply_add(negate(term), parts[k], sums[6u - m]);
                    }
                }
            }
        }
    }
    for (var k = 0u; k < 7u; k++) {
        var jet: Jet;
        jet[0] = sums[k];
        store(layer.gradient_row + k * CHANNELS, point, jet);
    }
}
