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
