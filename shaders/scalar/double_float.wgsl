// Numbers of the operator's kernels in double-float, for devices without f64.
//!include shared/double_float.wgsl
alias Real = DoubleFloat;

fn lift(x: f32) -> Real {
    return DoubleFloat(x, 0.0);
}

// x to the accuracy of f32.
fn leading(x: Real) -> f32 {
    return x.high;
}

fn negate(a: Real) -> Real {
    return DoubleFloat(-a.high, -a.low);
}

// -a or a, without a multiplication.
fn signed(a: Real, negative: bool) -> Real {
    return DoubleFloat(select(a.high, -a.high, negative), select(a.low, -a.low, negative));
}

fn add(a: Real, b: Real) -> Real {
    return df_add(a, b);
}

fn multiply(a: Real, b: Real) -> Real {
    return df_mul(a, b);
}

// a b + c.
fn multiply_add(a: Real, b: Real, c: Real) -> Real {
    return df_add(df_mul(a, b), c);
}

// A factor of many products: with the halves of its leading part, split once for all of them.
struct Factor {
    value: DoubleFloat,
    halves: DoubleFloat,
}

fn prepare(x: Real) -> Factor {
    return Factor(x, split(x.high));
}

// a b + sum. The leading parts are added exactly, the rest in f32, and the two stay apart until the
// sum is settled: an error of n 2^-48 of the largest terms (Ogita, Rump, Oishi 2005, algorithm 5.3)
// in half the operations of df_mul and df_add.
fn accumulate(a: Factor, b: Factor, sum: Real) -> Real {
    let p = opaque(a.value.high * b.value.high);
    var error = opaque(opaque(a.halves.high * b.halves.high) - p);
    error = opaque(error + opaque(a.halves.high * b.halves.low));
    error = opaque(error + opaque(a.halves.low * b.halves.high));
    error = opaque(error + opaque(a.halves.low * b.halves.low));
    let cross = a.value.high * b.value.low + a.value.low * b.value.high;
    let s = two_sum(sum.high, p);
    return DoubleFloat(s.high, sum.low + (s.low + (error + cross)));
}

fn settle(sum: Real) -> Real {
    return two_sum(sum.high, sum.low);
}

// Long division with three digits of f32 each.
fn divide(a: Real, b: Real) -> Real {
    let first = opaque(a.high / b.high);
    var rest = df_add(a, negate(df_mul(lift(first), b)));
    let second = opaque(rest.high / b.high);
    rest = df_add(rest, negate(df_mul(lift(second), b)));
    let third = opaque(rest.high / b.high);
    return df_add(fast_two_sum(first, second), lift(third));
}

//!include scalar/elementary.wgsl
