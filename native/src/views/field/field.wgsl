// Values over a grid as colours: bilinear between the values, since textures of this format are not
// filtered by every device, then through a colour map.

struct Picture {
    // Where the corner of the screen lies on the grid, in columns and rows, and how far it is from
    // one pixel to the next.
    origin: vec2<f32>,
    per_pixel: vec2<f32>,
    // The value of the lowest colour, and 1 over the length of the range of values.
    lowest: f32,
    scale: f32,
    // Row of the colour map in `colours`.
    map: u32,
    // 1 where the target takes linear light and not sRGB.
    linear: u32,
    // 1 where the first column (row) follows the last one.
    periodic: vec2<u32>,
    // WebGL takes whole multiples of 16 bytes.
    unused: vec2<u32>,
}

@group(0) @binding(0) var<uniform> picture: Picture;
@group(0) @binding(1) var values: texture_2d<f32>;
@group(0) @binding(2) var colours: texture_2d<f32>;

// As large as what stands for "no value here".
const HOLE: f32 = 3.4e38;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle over the whole viewport.
    let x = f32((index << 1u) & 2u);
    let y = f32(index & 2u);
    return vec4<f32>(2.0 * x - 1.0, 2.0 * y - 1.0, 0.0, 1.0);
}

fn inside(index: i32, count: i32, periodic: u32) -> i32 {
    let around = ((index % count) + count) % count;
    return select(clamp(index, 0, count - 1), around, periodic == 1u);
}

fn value(at: vec2<i32>) -> f32 {
    let size = vec2<i32>(textureDimensions(values));
    let column = inside(at.x, size.x, picture.periodic.x);
    let row = inside(at.y, size.y, picture.periodic.y);
    return textureLoad(values, vec2<i32>(column, row), 0).r;
}

// A neighbour that has no value takes that of the nearest place.
fn or_nearest(found: f32, nearest: f32) -> f32 {
    return select(found, nearest, found >= HOLE);
}

fn colour(part: f32) -> vec3<f32> {
    let last = i32(textureDimensions(colours).x) - 1;
    let at = clamp(part, 0.0, 1.0) * f32(last);
    let below = min(i32(at), last - 1);
    let row = i32(picture.map);
    let low = textureLoad(colours, vec2<i32>(below, row), 0).rgb;
    let high = textureLoad(colours, vec2<i32>(below + 1, row), 0).rgb;
    return mix(low, high, at - f32(below));
}

fn linear_from_srgb(srgb: vec3<f32>) -> vec3<f32> {
    let low = srgb / 12.92;
    let high = pow((srgb + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, low, srgb < vec3<f32>(0.04045));
}

@fragment
fn coloured(@builtin(position) pixel: vec4<f32>) -> @location(0) vec4<f32> {
    let at = picture.origin + pixel.xy * picture.per_pixel;
    let first = floor(at);
    let share = at - first;
    let cell = vec2<i32>(first);
    let nearest = value(cell + vec2<i32>(round(share)));
    if nearest >= HOLE {
        return vec4<f32>(0.0);
    }
    let a = or_nearest(value(cell), nearest);
    let b = or_nearest(value(cell + vec2<i32>(1, 0)), nearest);
    let c = or_nearest(value(cell + vec2<i32>(0, 1)), nearest);
    let d = or_nearest(value(cell + vec2<i32>(1, 1)), nearest);
    let between = mix(mix(a, b, share.x), mix(c, d, share.x), share.y);
    let srgb = colour((between - picture.lowest) * picture.scale);
    return vec4<f32>(select(srgb, linear_from_srgb(srgb), picture.linear == 1u), 1.0);
}
