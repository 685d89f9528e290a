// S J, gathered: a workgroup makes one row of the sketch for a block of columns by walking through
// the points that the row sums over. Adds to the output, chunk after chunk of points, so that J is
// never stored. Neighbouring invocations have neighbouring columns; the factors of one point are
// few enough to stay in the cache while the workgroup reads them.
//!include operator/entry.wgsl

// Where the entries of every row of the sketch begin, and one past the last.
@group(0) @binding(4) var<storage, read> starts: array<u32>;
// Twice the point, plus one where the entry is negative.
@group(0) @binding(5) var<storage, read> entries: array<u32>;
// Row-major, rows x columns.
@group(0) @binding(6) var<storage, read_write> output: array<Real>;

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
    let begin = starts[request.first_row + row];
    let end = starts[request.first_row + row + 1u];
    var sums: array<Real, SKETCH_COLUMNS>;
    for (var k = begin; k < end; k++) {
        let point = entries[k] >> 1u;
        let negative = (entries[k] & 1u) == 1u;
        for (var c = 0u; c < SKETCH_COLUMNS; c++) {
            let column = min(first + c * SKETCH_WORKGROUP, request.columns - 1u);
            sums[c] = add(sums[c], signed(entry(column, point), negative));
        }
    }
    for (var c = 0u; c < SKETCH_COLUMNS; c++) {
        let column = first + c * SKETCH_WORKGROUP;
        if column < request.columns {
            let at = row * request.columns + column;
            output[at] = add(output[at], sums[c]);
        }
    }
}
