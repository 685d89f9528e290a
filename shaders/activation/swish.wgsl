// z s(z) with the logistic s; from s' = s (1 - s): (k + 1) s_{k+1} = s_k - sum_i s_i s_{k-i}.
fn activation_series(z: f32, at: u32) -> array<f32, 5> {
    let s0 = 1.0 / (1.0 + exponential(-z));
    let s1 = s0 / (1.0 + exponential(z));
    let s2 = 0.5 * s1 * (1.0 - 2.0 * s0);
    let s3 = (s2 * (1.0 - 2.0 * s0) - s1 * s1) / 3.0;
    let s4 = 0.25 * (s3 * (1.0 - 2.0 * s0) - 2.0 * s1 * s2);
    return array<f32, 5>(z * s0, z * s1 + s0, z * s2 + s1, z * s3 + s2, z * s4 + s3);
}
