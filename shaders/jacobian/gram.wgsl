// [J r]^T [J r] over one chunk of points, in double-float: the products of f32 entries are exact,
// their sums carry 48 bits. A workgroup makes one GRAM_TILE x GRAM_TILE tile on or above the
// diagonal; what lies below it is the mirror image.
//!include shared/shape.wgsl
//!include shared/entry.wgsl
//!include shared/request.wgsl
//!include shared/double_float.wgsl
//!include generated/constants

// The right-hand side r, as one more column.
@group(0) @binding(4) var<storage, read> vector: array<f32>;
// Row-major, rows x (columns + 1); rows and columns beyond the last are not written.
@group(0) @binding(5) var<storage, read_write> output: array<vec2<f32>>;

// One more column than the tile has, so that neighbouring invocations hit different banks.
const PITCH: u32 = GRAM_TILE + 1u;
var<workgroup> left: array<f32, GRAM_TILE * PITCH>;
var<workgroup> right: array<f32, GRAM_TILE * PITCH>;

fn augmented_entry(column: u32, point: u32) -> f32 {
    if point >= shape.points || column > request.columns {
        return 0.0;
    }
    if column == request.columns {
        return vector[point];
    }
    return entry(column, point);
}

@compute @workgroup_size(GRAM_TILE, GRAM_TILE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let first_row = request.first_row + group.y * GRAM_TILE;
    let first_column = group.x * GRAM_TILE;
    if first_column + GRAM_TILE <= first_row {
        return;
    }
    var sum = DoubleFloat(0.0, 0.0);
    for (var start = 0u; start < shape.points; start += GRAM_TILE) {
        left[lane.x * PITCH + lane.y] = augmented_entry(first_row + lane.y, start + lane.x);
        right[lane.x * PITCH + lane.y] = augmented_entry(first_column + lane.y, start + lane.x);
        workgroupBarrier();
        for (var p = 0u; p < GRAM_TILE; p++) {
            sum = df_add(sum, two_prod(left[p * PITCH + lane.y], right[p * PITCH + lane.x]));
        }
        workgroupBarrier();
    }
    let row = first_row + lane.y;
    let column = first_column + lane.x;
    if row < request.first_row + request.rows && column <= request.columns {
        let at = (row - request.first_row) * (request.columns + 1u) + column;
        output[at] = vec2<f32>(sum.high, sum.low);
    }
}
