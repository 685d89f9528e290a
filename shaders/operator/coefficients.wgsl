// Derivatives by the coefficients of a layer's rational activation: sums over its units and all
// channels. d sigma / d p_m = z^m / Q and d sigma / d q_m = -sigma z^m / Q, as series about z.
// Without arrays that are indexed by m: those would not stay in registers.
//!include operator/network.wgsl

// The series times z.
fn shifted(s: Series, z: Real) -> Series {
    var t: Series;
    t[0] = multiply(z, s[0]);
    for (var k = 1u; k < COEFFICIENTS; k++) {
        t[k] = multiply_add(z, s[k], s[k - 1u]);
    }
    return t;
}

// sum + s . parts.
fn add_numerator(sum: Real, s: Series, parts: Series) -> Real {
    var total = sum;
    for (var k = 0u; k + 1u < COEFFICIENTS; k++) {
        total = multiply_add(s[k], parts[k], total);
    }
    return total;
}

// sum - (value s) . parts.
fn add_denominator(sum: Real, value: Series, s: Series, parts: Series) -> Real {
    var total = sum;
    for (var k = 0u; k + 1u < COEFFICIENTS; k++) {
        for (var j = 0u; j <= k; j++) {
            let term = multiply(value[j], s[k - j]);
            total = multiply_add(negate(term), parts[k], total);
        }
    }
    return total;
}

fn put(k: u32, point: u32, sum: Real) {
    var jet: Jet;
    jet[0] = sum;
    store(layer.gradient_row + k * CHANNELS, point, jet);
}

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    let p3 = weights[layer.coefficients];
    let p2 = weights[layer.coefficients + 1u];
    let p1 = weights[layer.coefficients + 2u];
    let p0 = weights[layer.coefficients + 3u];
    var by_p0 = lift(0.0);
    var by_p1 = lift(0.0);
    var by_p2 = lift(0.0);
    var by_p3 = lift(0.0);
    var by_q0 = lift(0.0);
    var by_q1 = lift(0.0);
    var by_q2 = lift(0.0);
    for (var unit = 0u; unit < WIDTH; unit++) {
        let z = load(layer.z_row + unit * CHANNELS, point);
        let h_bar = load(H_BAR_ROW + unit * CHANNELS, point);
        let parts = contract(h_bar, z);
        // z^m / Q, m = 0 .. 3, and of these sigma.
        var one: Series;
        one[0] = lift(1.0);
        let s0 = divide_by_denominator(one, z[0], layer.coefficients);
        let s1 = shifted(s0, z[0]);
        let s2 = shifted(s1, z[0]);
        let s3 = shifted(s2, z[0]);
        var value: Series;
        for (var k = 0u; k < COEFFICIENTS; k++) {
            let lower = multiply_add(p1, s1[k], multiply(p0, s0[k]));
            value[k] = multiply_add(p3, s3[k], multiply_add(p2, s2[k], lower));
        }
        by_p0 = add_numerator(by_p0, s0, parts);
        by_p1 = add_numerator(by_p1, s1, parts);
        by_p2 = add_numerator(by_p2, s2, parts);
        by_p3 = add_numerator(by_p3, s3, parts);
        by_q0 = add_denominator(by_q0, value, s0, parts);
        by_q1 = add_denominator(by_q1, value, s1, parts);
        by_q2 = add_denominator(by_q2, value, s2, parts);
    }
    put(0u, point, by_p3);
    put(1u, point, by_p2);
    put(2u, point, by_p1);
    put(3u, point, by_p0);
    put(4u, point, by_q2);
    put(5u, point, by_q1);
    put(6u, point, by_q0);
}
