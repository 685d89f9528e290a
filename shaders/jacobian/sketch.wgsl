// S J, gathered: a workgroup makes one row of the sketch for a block of columns by walking through
// the points that the row sums over. Adds to the output, chunk after chunk of points, so that J is
// never stored. Neighbouring invocations have neighbouring columns; the factors of one point are
// few enough to stay in the cache while the workgroup reads them.
//!include shared/shape.wgsl
//!include shared/entry.wgsl
//!include shared/request.wgsl
//!include generated/constants

// First entry of every row of the sketch, and one past the last.
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
// Point in the low 31 bits, the sign in the top one.
@group(0) @binding(5) var<storage, read> entries: array<u32>;
// Row-major, rows x columns.
@group(0) @binding(6) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(SKETCH_WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= request.rows {
        return;
    }
    let first = group.z * SKETCH_WORKGROUP * SKETCH_COLUMNS + lane;
    let begin = offsets[request.first_row + row];
    let end = offsets[request.first_row + row + 1u];
    var sums: array<f32, SKETCH_COLUMNS>;
    for (var k = begin; k < end; k++) {
        let packed = entries[k];
        let point = packed & 0x7fffffffu;
        for (var c = 0u; c < SKETCH_COLUMNS; c++) {
            let column = min(first + c * SKETCH_WORKGROUP, request.columns - 1u);
            // The sign goes onto the bits: exact, and no multiplication.
            let value = bitcast<u32>(entry(column, point)) ^ (packed & 0x80000000u);
            sums[c] += bitcast<f32>(value);
        }
    }
    for (var c = 0u; c < SKETCH_COLUMNS; c++) {
        let column = first + c * SKETCH_WORKGROUP;
        if column < request.columns {
            output[row * request.columns + column] += sums[c];
        }
    }
}
