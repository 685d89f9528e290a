// Numbers of the operator's kernels in f32; the other files of this folder have the same functions.
//!include shared/elementary.wgsl
alias Real = f32;

fn lift(x: f32) -> Real {
    return x;
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

// cos x and sin x.
fn wave(x: Real) -> array<Real, 2> {
    let pair = cosine_and_sine(x);
    return array<Real, 2>(pair.x, pair.y);
}
