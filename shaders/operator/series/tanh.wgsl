// From t' = 1 - t^2: k t_k = [k = 1] - sum_j t_j t_{k-1-j}.
fn activation_series(z: Real, at: u32) -> Series {
    var s: Series;
    s[0] = hyperbolic_tangent(z);
    s[1] = multiply(add(lift(1.0), negate(s[0])), add(lift(1.0), s[0]));
    for (var k = 2u; k < COEFFICIENTS; k++) {
        var sum = lift(0.0);
        for (var j = 0u; j < k; j++) {
            sum = multiply_add(s[j], s[k - 1u - j], sum);
        }
        s[k] = negate(multiply(sum, reciprocal(k)));
    }
    return s;
}
