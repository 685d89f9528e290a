// output += left right, tile by tile: `left` is a stored tile of J or its transpose. A workgroup
// makes PRODUCT_ROWS x PRODUCT_COLUMNS entries, an invocation PRODUCT_EACH rows of one column.
//!include shared/shape.wgsl
//!include generated/scalar
//!include generated/constants

struct Product {
    rows: u32,
    columns: u32,
    inner: u32,
    // Distance in `left` from one row to the next, and from one inner index to the next.
    left_row: u32,
    left_inner: u32,
    // First row of `right` and of `output`, both row-major with `columns` columns.
    right_first: u32,
    output_first: u32,
    padding: u32,
}

@group(0) @binding(1) var<uniform> product: Product;
@group(0) @binding(2) var<storage, read> left: array<Real>;
@group(0) @binding(3) var<storage, read> right: array<Real>;
@group(0) @binding(4) var<storage, read_write> output: array<Real>;

const PRODUCT_ROWS: u32 = PRODUCT_SIDE * PRODUCT_EACH;
// One more than the tile has, so that neighbouring invocations hit different banks.
const PITCH: u32 = PRODUCT_SIDE + 1u;
var<workgroup> left_tile: array<Real, PRODUCT_ROWS * PITCH>;
var<workgroup> right_tile: array<Real, PRODUCT_SIDE * PRODUCT_SIDE>;

fn left_entry(row: u32, inner: u32) -> Real {
    if row >= product.rows || inner >= product.inner {
        return lift(0.0);
    }
    return left[row * product.left_row + inner * product.left_inner];
}

fn right_entry(inner: u32, column: u32) -> Real {
    if inner >= product.inner || column >= product.columns {
        return lift(0.0);
    }
    return right[(product.right_first + inner) * product.columns + column];
}

@compute @workgroup_size(PRODUCT_SIDE, PRODUCT_SIDE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let first_row = (group.z * groups.y + group.y) * PRODUCT_ROWS;
    let first_column = group.x * PRODUCT_SIDE;
    var sums: array<Real, PRODUCT_EACH>;
    for (var start = 0u; start < product.inner; start += PRODUCT_SIDE) {
        for (var each = 0u; each < PRODUCT_EACH; each++) {
            let block = each * PRODUCT_SIDE;
            // Neighbouring invocations read neighbours, whichever way `left` lies.
            var row = block + lane.y;
            var inner = lane.x;
            if product.left_row == 1u {
                row = block + lane.x;
                inner = lane.y;
            }
            left_tile[row * PITCH + inner] = left_entry(first_row + row, start + inner);
        }
        right_tile[lane.y * PRODUCT_SIDE + lane.x] =
            right_entry(start + lane.y, first_column + lane.x);
        workgroupBarrier();
        for (var inner = 0u; inner < PRODUCT_SIDE; inner++) {
            let factor = right_tile[inner * PRODUCT_SIDE + lane.x];
            for (var each = 0u; each < PRODUCT_EACH; each++) {
                let row = each * PRODUCT_SIDE + lane.y;
                sums[each] = multiply_add(left_tile[row * PITCH + inner], factor, sums[each]);
            }
        }
        workgroupBarrier();
    }
    let column = first_column + lane.x;
    for (var each = 0u; each < PRODUCT_EACH; each++) {
        let row = first_row + each * PRODUCT_SIDE + lane.y;
        if row < product.rows && column < product.columns {
            let at = (product.output_first + row) * product.columns + column;
            output[at] = add(output[at], sums[each]);
        }
    }
}
