// Double-float arithmetic: a number is the unevaluated sum high + low of two f32, about 48 bits.
//
// The transformations are exact only if every operation is rounded on its own and in the written
// order. Shader compilers simplify (a + b) - a to b, which deletes exactly the error term that is
// wanted, so each intermediate goes through `opaque`, whose exclusive-or with a zero read from a
// buffer no compiler can see through. Needs shared/shape.wgsl (for that zero).

struct DoubleFloat {
    high: f32,
    low: f32,
}

fn opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ shape.zero);
}

// a + b = high + low exactly (Knuth, TAOCP 2, 4.2.2, theorem B).
fn two_sum(a: f32, b: f32) -> DoubleFloat {
    let s = opaque(a + b);
    let b_part = opaque(s - a);
    let a_part = opaque(s - b_part);
    let b_error = opaque(b - b_part);
    let a_error = opaque(a - a_part);
    return DoubleFloat(s, opaque(a_error + b_error));
}

// The same for |a| >= |b| (Dekker 1971).
fn fast_two_sum(a: f32, b: f32) -> DoubleFloat {
    let s = opaque(a + b);
    let b_part = opaque(s - a);
    return DoubleFloat(s, opaque(b - b_part));
}

// a in two halves of at most 12 bits (Veltkamp); |a| below 2^115.
fn split(a: f32) -> DoubleFloat {
    let scaled = opaque(4097.0 * a);
    let difference = opaque(scaled - a);
    let high = opaque(scaled - difference);
    return DoubleFloat(high, opaque(a - high));
}

// a * b = high + low exactly, unless low underflows (Dekker 1971).
fn two_prod(a: f32, b: f32) -> DoubleFloat {
    let p = opaque(a * b);
    let x = split(a);
    let y = split(b);
    var error = opaque(opaque(x.high * y.high) - p);
    error = opaque(error + opaque(x.high * y.low));
    error = opaque(error + opaque(x.low * y.high));
    error = opaque(error + opaque(x.low * y.low));
    return DoubleFloat(p, error);
}

// Relative error at most 3 u^2 + 13 u^3, u = 2^-24 (Joldes, Muller, Popescu 2017, algorithm 6).
fn df_add(a: DoubleFloat, b: DoubleFloat) -> DoubleFloat {
    let s = two_sum(a.high, b.high);
    let t = two_sum(a.low, b.low);
    let v = fast_two_sum(s.high, opaque(s.low + t.high));
    return fast_two_sum(v.high, opaque(t.low + v.low));
}

// Relative error at most 7 u^2 (the same paper, algorithm 10).
fn df_mul(a: DoubleFloat, b: DoubleFloat) -> DoubleFloat {
    let p = two_prod(a.high, b.high);
    let cross_low = opaque(opaque(a.high * b.low) + opaque(a.low * b.high));
    return fast_two_sum(p.high, opaque(p.low + cross_low));
}
