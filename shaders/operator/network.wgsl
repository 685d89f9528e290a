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
    // First of the rows of the jets of the derivatives by the activation's coefficients.
    gradient_row: u32,
    // Of an embedding or an encoder: cosine and sine of its phases in the weights, and the first of the rows of
    // its turned waves.
    turn: u32,
    turned_row: u32,
    // What the encoders of a modified MLP do to the layer: GATED, GATED_FIRST: they gate its
    // output, it is the first on the way back; ENCODER: it is one. Else 0.
    gate: u32,
    // Of an encoder: the first of the rows of the sums of the adjoints of its output.
    bar_row: u32,
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

// a + b and a - b.
fn sum_of(a: Jet, b: Jet) -> Jet {
    var jet: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        jet[c] = add(a[c], b[c]);
    }
    return jet;
}

fn difference(a: Jet, b: Jet) -> Jet {
    var jet: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        jet[c] = add(a[c], negate(b[c]));
    }
    return jet;
}

// Output number `which` of the two encoders.
fn encoder(which: u32, unit: u32, point: u32) -> Jet {
    return load(ENCODER_ROW + (which * WIDTH + unit) * CHANNELS, point);
}

fn is_gated() -> bool {
    return ENCODERS > 0u && (layer.gate == GATED || layer.gate == GATED_FIRST);
}

//!include generated/composition
//!include generated/activation
