// Sums over the units of a layer, which share the coefficients.
alias CoefficientSums = array<f32, ACTIVATION_COEFFICIENTS>;

fn add_coefficients(sums: ptr<function, CoefficientSums>, z: f32, adjoint: f32) {
    let gradient = activation_gradient(z, layer.coefficients);
    for (var k = 0u; k < ACTIVATION_COEFFICIENTS; k++) {
        (*sums)[k] += adjoint * gradient[k];
    }
}

fn store_coefficients(sums: CoefficientSums, point: u32) {
    for (var k = 0u; k < ACTIVATION_COEFFICIENTS; k++) {
        factors[(layer.gradient_row + k) * shape.stride + point] = sums[k];
    }
}
