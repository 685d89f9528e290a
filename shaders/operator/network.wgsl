// What the sweeps of an operator share. Every per-point number is a row of `stride` numbers; a jet
// is CHANNELS rows, Taylor coefficients by rising order.
//!include shared/shape.wgsl
//!include generated/scalar
//!include generated/constants

alias Jet = array<Real, CHANNELS>;
// Taylor coefficients of an activation.
alias Series = array<Real, 6>;

// A linear layer, the activation behind it and the layer above, as the sweep back sees it.
struct Layer {
    // Offsets into the weights of the matrix, the bias and the activation's coefficients.
    weight: u32,
    bias: u32,
    coefficients: u32,
    // Jets that come in, and the first of their rows.
    inputs: u32,
    input_row: u32,
    // First of the rows of the jets z and h and of the adjoints of z.
    z_row: u32,
    h_row: u32,
    adjoint_row: u32,
    // The layer above: its matrix, how many rows, their adjoints.
    next_weight: u32,
    next_rows: u32,
    next_adjoint_row: u32,
    // First of the rows of the derivatives by the activation's coefficients.
    gradient_row: u32,
}

@group(0) @binding(1) var<uniform> layer: Layer;
@group(0) @binding(2) var<storage, read> weights: array<Real>;
@group(0) @binding(3) var<storage, read_write> factors: array<Real>;

fn load(row: u32, point: u32) -> Jet {
    var jet: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        jet[c] = factors[(row + c) * shape.stride + point];
    }
    return jet;
}

// A jet as factors of many products.
fn prepared(jet: Jet) -> array<Factor, CHANNELS> {
    var list: array<Factor, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        list[c] = prepare(jet[c]);
    }
    return list;
}

fn settled(sum: Jet) -> Jet {
    var jet: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        jet[c] = settle(sum[c]);
    }
    return jet;
}

fn store(row: u32, point: u32, jet: Jet) {
    for (var c = 0u; c < CHANNELS; c++) {
        factors[(row + c) * shape.stride + point] = jet[c];
    }
}

//!include generated/composition
//!include generated/activation
