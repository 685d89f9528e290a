// From t' = 1 - t^2: (k + 1) t_{k+1} = [k = 0] - sum_i t_i t_{k-i}.
fn activation_series(z: f32, at: u32) -> array<f32, 5> {
    let t0 = hyperbolic_tangent(z);
    let t1 = (1.0 - t0) * (1.0 + t0);
    let t2 = -t0 * t1;
    let t3 = -(2.0 * t0 * t2 + t1 * t1) / 3.0;
    let t4 = -0.5 * (t0 * t3 + t1 * t2);
    return array<f32, 5>(t0, t1, t2, t3, t4);
}
