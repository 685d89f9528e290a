// Numbers of the operator's kernels in f64, for devices with SHADER_F64.
alias Real = f64;

fn lift(x: f32) -> Real {
    return f64(x);
}

// x to the accuracy of f32.
fn leading(x: Real) -> f32 {
    return f32(x);
}

fn negate(a: Real) -> Real {
    return -a;
}

// -a or a, without a multiplication.
fn signed(a: Real, negative: bool) -> Real {
    return select(a, -a, negative);
}

fn add(a: Real, b: Real) -> Real {
    return a + b;
}

fn multiply(a: Real, b: Real) -> Real {
    return a * b;
}

// a b + c.
fn multiply_add(a: Real, b: Real, c: Real) -> Real {
    return a * b + c;
}

// A factor of many products, and a sum of such products that is settled at its end.
alias Factor = Real;

fn prepare(x: Real) -> Factor {
    return x;
}

fn accumulate(a: Factor, b: Factor, sum: Real) -> Real {
    return a * b + sum;
}

fn settle(sum: Real) -> Real {
    return sum;
}

fn divide(a: Real, b: Real) -> Real {
    return a / b;
}

//!include scalar/elementary.wgsl
