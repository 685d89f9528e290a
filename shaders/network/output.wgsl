// The output layer, the ansatz u = lift + distance * network, and the right-hand side F(x, t, u).
//!include shared/shape.wgsl
//!include shared/elementary.wgsl
//!include generated/constants
//!include generated/jet

@group(0) @binding(1) var<storage, read> theta: array<f32>;
@group(0) @binding(2) var<storage, read> inputs: array<f32>;
// Rows: the coordinates themselves.
@group(0) @binding(3) var<storage, read> coordinates: array<f32>;
// Rows: the channels of the distance, those of the lift, and the lift's rate of change.
@group(0) @binding(4) var<storage, read> ansatz: array<f32>;
// The time, then the problem's parameters.
@group(0) @binding(5) var<storage, read> settings: array<f32>;
// Rows: u, F.
@group(0) @binding(6) var<storage, read_write> field: array<f32>;

//!include generated/right_hand_side

@compute @workgroup_size(POINT_WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x;
    if point >= shape.points {
        return;
    }
    var network: Jet;
    for (var column = 0u; column < WIDTH; column++) {
        let weight = theta[OUTPUT_WEIGHT + column];
        for (var c = 0u; c < CHANNELS; c++) {
            network[c] += weight * inputs[(column * CHANNELS + c) * shape.stride + point];
        }
    }
    network[0] += theta[OUTPUT_BIAS];
    var distance: Jet;
    for (var c = 0u; c < CHANNELS; c++) {
        distance[c] = ansatz[c * shape.stride + point];
    }
    var u = product(distance, network);
    for (var c = 0u; c < CHANNELS; c++) {
        u[c] += ansatz[(CHANNELS + c) * shape.stride + point];
    }
    field[point] = u[0];
    // What the network's own rate of change has to match.
    let lift_rate = ansatz[2u * CHANNELS * shape.stride + point];
    field[shape.stride + point] = right_hand_side(point, u) - lift_rate;
}
