// Elementary functions to about two units in the last place on every device. WGSL's own may be
// wrong by 2^-11 (sin, cos) or by |x| units (exp), which would drown the derivatives of a network.
// Range reduction after Cody and Waite; polynomials from the Cephes library (Moshier).

const TWO_OVER_PI: f32 = 0.63661975;

// x - k pi/2 with pi/2 in three pieces; the first two have so few bits that k times them is exact.
fn reduce_quarter_turns(x: f32, k: f32) -> f32 {
    return ((x - k * 1.5703125) - k * 4.8375129699707031e-4) - k * 7.5497899487686e-8;
}

fn sine_kernel(r: f32) -> f32 {
    let z = r * r;
    return r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
}

fn cosine_kernel(r: f32) -> f32 {
    let z = r * r;
    let tail = 4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5);
    return 1.0 - 0.5 * z + z * z * tail;
}

// (cos x, sin x) for |x| up to a few thousand.
fn cosine_and_sine(x: f32) -> vec2<f32> {
    let k = round(x * TWO_OVER_PI);
    let r = reduce_quarter_turns(x, k);
    let c = cosine_kernel(r);
    let s = sine_kernel(r);
    switch u32(i32(k)) & 3u {
        case 0u: { return vec2<f32>(c, s); }
        case 1u: { return vec2<f32>(-s, c); }
        case 2u: { return vec2<f32>(-c, -s); }
        default: { return vec2<f32>(s, -c); }
    }
}

// 2^k for -126 <= k <= 127.
fn power_of_two(k: i32) -> f32 {
    return bitcast<f32>(u32(k + 127) << 23u);
}

fn exponential(x: f32) -> f32 {
    // Beyond these the result is 0 or infinite in f32 whatever the last bits say.
    let clamped = clamp(x, -104.0, 89.0);
    let k = round(clamped * 1.44269504);
    let r = (clamped - k * 0.693359375) + k * 2.12194440e-4;
    var p = 1.9875691500e-4;
    p = p * r + 1.3981999507e-3;
    p = p * r + 8.3334519073e-3;
    p = p * r + 4.1665795894e-2;
    p = p * r + 1.6666665459e-1;
    p = p * r + 5.0000001201e-1;
    let mantissa = p * r * r + r + 1.0;
    // In two halves, so that neither factor leaves the range when the product nearly does.
    let half = i32(k) / 2;
    return mantissa * power_of_two(half) * power_of_two(i32(k) - half);
}

fn hyperbolic_tangent(x: f32) -> f32 {
    let size = abs(x);
    if size < 0.625 {
        let z = x * x;
        var p = -5.70498872745e-3;
        p = p * z + 2.06390887954e-2;
        p = p * z - 5.37397155531e-2;
        p = p * z + 1.33314422036e-1;
        p = p * z - 3.33332819422e-1;
        return x + x * z * p;
    }
    return sign(x) * (1.0 - 2.0 / (exponential(2.0 * min(size, 20.0)) + 1.0));
}
