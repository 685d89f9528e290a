fn activation_series(z: f32, at: u32) -> array<f32, 5> {
    let pair = cosine_and_sine(z);
    return array<f32, 5>(pair.y, pair.x, -pair.y / 2.0, -pair.x / 6.0, pair.y / 24.0);
}
