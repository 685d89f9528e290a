// P / Q = (p3 z^3 + p2 z^2 + p1 z + p0) / (q2 z^2 + q1 z + q0), coefficients in the weights, in this
// order, from `at` on: the quotient of the two shifted polynomials as power series.

// Divides a series by Q about z: q_0 s_k = p_k - q_1 s_{k-1} - q_2 s_{k-2}.
fn divide_by_denominator(p: Series, z: Real, at: u32) -> Series {
    let q2 = weights[at + 4u];
    let q1 = weights[at + 5u];
    let value = multiply_add(multiply_add(q2, z, q1), z, weights[at + 6u]);
    let inverse = divide(lift(1.0), value);
    let slope = multiply_add(add(q2, q2), z, q1);
    var s: Series;
    s[0] = multiply(p[0], inverse);
    s[1] = multiply(multiply_add(negate(slope), s[0], p[1]), inverse);
    for (var k = 2u; k < COEFFICIENTS; k++) {
        let rest = multiply_add(negate(slope), s[k - 1u], p[k]);
        s[k] = multiply(multiply_add(negate(q2), s[k - 2u], rest), inverse);
    }
    return s;
}

fn activation_series(z: Real, at: u32) -> Series {
    let p3 = weights[at];
    let p2 = weights[at + 1u];
    let p1 = weights[at + 2u];
    let three = multiply(lift(3.0), p3);
    var p: Series;
    let line = multiply_add(p3, z, p2);
    p[0] = multiply_add(multiply_add(line, z, p1), z, weights[at + 3u]);
    p[1] = multiply_add(multiply_add(three, z, add(p2, p2)), z, p1);
    p[2] = multiply_add(three, z, p2);
    p[3] = p3;
    return divide_by_denominator(p, z, at);
}
