// What one dispatch is asked for: a tile of columns or of sketch rows.
struct Request {
    // How many chosen columns there are (s), and the first of this dispatch.
    columns: u32,
    first_column: u32,
    // How many rows of output this dispatch makes, and the first of them.
    rows: u32,
    first_row: u32,
}

@group(0) @binding(3) var<uniform> request: Request;
