// z g(z) with the logistic function g: from g' = g (1 - g), k g_k = g_{k-1} - sum_j g_j g_{k-1-j}.
fn activation_series(z: Real, at: u32) -> Series {
    var g: Series;
    g[0] = divide(lift(1.0), add(lift(1.0), exponential(negate(z))));
    for (var k = 1u; k < COEFFICIENTS; k++) {
        var sum = negate(g[k - 1u]);
        for (var j = 0u; j < k; j++) {
            sum = multiply_add(g[j], g[k - 1u - j], sum);
        }
        g[k] = negate(multiply(sum, reciprocal(k)));
    }
    var s: Series;
    s[0] = multiply(z, g[0]);
    for (var k = 1u; k < COEFFICIENTS; k++) {
        s[k] = multiply_add(z, g[k], g[k - 1u]);
    }
    return s;
}
