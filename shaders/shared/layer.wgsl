// Where one layer's parameters stand in theta, and its rows in the factors.
struct Layer {
    // Offsets into theta of the linear map, its bias and the activation's coefficients.
    weight: u32,
    bias: u32,
    coefficients: u32,
    // First of the rows that hold z before and the adjoint of z after the reverse sweep.
    adjoint_row: u32,
    // First of the rows that hold h.
    output_row: u32,
    // First of the rows of the derivatives by the activation's coefficients.
    gradient_row: u32,
    // The next layer, as the reverse sweep sees it: its weights, how many rows, their adjoints.
    next_weight: u32,
    next_rows: u32,
    next_adjoint_row: u32,
    padding_0: u32,
    padding_1: u32,
    padding_2: u32,
}

@group(0) @binding(1) var<uniform> layer: Layer;
