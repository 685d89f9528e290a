// Elementary functions of numbers with more digits than f32: arguments reduced after Cody and
// Waite with a first constant of few bits, then Taylor series, whose coefficients the host writes.
//!include generated/series

// 2^k for -126 <= k <= 127.
fn power_of_two(k: f32) -> Real {
    return lift(bitcast<f32>(u32(i32(k) + 127) << 23u));
}

// exp(r) - 1 for |r| <= ln(2) / 2.
fn exponential_remainder(r: Real) -> Real {
    return multiply_add(multiply(r, r), exponential_series(r), r);
}

// x - k ln 2.
fn reduce_octaves(x: Real, k: f32) -> Real {
    return multiply_add(lift(-k), LN2_LOW, multiply_add(lift(-k), LN2_HIGH, x));
}

// exp x, of which beyond 80 and -80 only the size is right.
fn exponential(x: Real) -> Real {
    var y = x;
    if abs(leading(x)) > 80.0 {
        y = lift(clamp(leading(x), -80.0, 80.0));
    }
    let k = round(leading(y) * 1.44269504);
    let remainder = exponential_remainder(reduce_octaves(y, k));
    return multiply(power_of_two(k), add(remainder, lift(1.0)));
}

// -e / (e + 2) with e = exp(-2 |x|) - 1, which keeps its digits where x is tiny.
fn hyperbolic_tangent(x: Real) -> Real {
    var y = x;
    if leading(x) > 0.0 {
        y = negate(x);
    }
    if leading(y) < -20.0 {
        y = lift(-20.0);
    }
    y = add(y, y);
    let k = round(leading(y) * 1.44269504);
    let power = power_of_two(k);
    let remainder = exponential_remainder(reduce_octaves(y, k));
    let e = multiply_add(power, remainder, add(power, lift(-1.0)));
    let size = divide(negate(e), add(e, lift(2.0)));
    if leading(x) < 0.0 {
        return negate(size);
    }
    return size;
}

// cos x and sin x for |x| up to a few thousand.
fn wave(x: Real) -> array<Real, 2> {
    let k = round(leading(x) * 0.63661975);
    var r = multiply_add(lift(-k), QUARTER_TURN_HIGH, x);
    r = multiply_add(lift(-k), QUARTER_TURN_MIDDLE, r);
    r = multiply_add(lift(-k), QUARTER_TURN_LOW, r);
    let z = multiply(r, r);
    let c = cosine_series(z);
    let s = multiply(r, sine_series(z));
    switch u32(i32(k)) & 3u {
        case 0u: { return array<Real, 2>(c, s); }
        case 1u: { return array<Real, 2>(negate(s), c); }
        case 2u: { return array<Real, 2>(negate(c), negate(s)); }
        default: { return array<Real, 2>(s, negate(c)); }
    }
}
