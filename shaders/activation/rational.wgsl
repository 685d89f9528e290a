// sigma(z) = (p3 z^3 + p2 z^2 + p1 z + p0) / (q2 z^2 + q1 z + q0), coefficients in the parameters,
// in this order, from `at` on.
const ACTIVATION_COEFFICIENTS: u32 = 7u;

// sigma^(k)(z) / k!, k = 0 .. 4: the quotient of the two shifted polynomials, as power series.
fn activation_series(z: f32, at: u32) -> array<f32, 5> {
    let p3 = theta[at];
    let p2 = theta[at + 1u];
    let p1 = theta[at + 2u];
    let q2 = theta[at + 4u];
    let q1 = theta[at + 5u];
    let numerator = ((p3 * z + p2) * z + p1) * z + theta[at + 3u];
    let inverse = 1.0 / ((q2 * z + q1) * z + theta[at + 6u]);
    let slope = 2.0 * q2 * z + q1;
    let t0 = numerator * inverse;
    let t1 = ((3.0 * p3 * z + 2.0 * p2) * z + p1 - slope * t0) * inverse;
    let t2 = (3.0 * p3 * z + p2 - slope * t1 - q2 * t0) * inverse;
    let t3 = (p3 - slope * t2 - q2 * t1) * inverse;
    let t4 = (-slope * t3 - q2 * t2) * inverse;
    return array<f32, 5>(t0, t1, t2, t3, t4);
}

// d sigma / d coefficient at z.
fn activation_gradient(z: f32, at: u32) -> array<f32, 7> {
    let inverse = 1.0 / ((theta[at + 4u] * z + theta[at + 5u]) * z + theta[at + 6u]);
    let numerator = ((theta[at] * z + theta[at + 1u]) * z + theta[at + 2u]) * z + theta[at + 3u];
    let z2 = z * z;
    let minus = -numerator * inverse * inverse;
    return array<f32, 7>(
        z2 * z * inverse, z2 * inverse, z * inverse, inverse, z2 * minus, z * minus, minus,
    );
}
