// An activation without trainable coefficients has nothing to sum.
alias CoefficientSums = u32;

fn add_coefficients(sums: ptr<function, CoefficientSums>, z: f32, adjoint: f32) {
}

fn store_coefficients(sums: CoefficientSums, point: u32) {
}
