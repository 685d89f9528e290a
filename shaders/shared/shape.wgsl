// Extent of the chunk of points that a dispatch works on. Every per-point quantity is a row of
// `stride` floats, so that consecutive invocations touch consecutive addresses.
struct Shape {
    points: u32,
    stride: u32,
    // Always 0, but the compiler cannot know: see double_float.wgsl.
    zero: u32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
