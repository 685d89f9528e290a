// k (k - 1) s_k = -s_{k-2}.
fn activation_series(z: Real, at: u32) -> Series {
    var s: Series;
    let pair = wave(z);
    s[0] = pair[1];
    s[1] = pair[0];
    for (var k = 2u; k < COEFFICIENTS; k++) {
        s[k] = negate(multiply(multiply(s[k - 2u], reciprocal(k)), reciprocal(k - 1u)));
    }
    return s;
}
