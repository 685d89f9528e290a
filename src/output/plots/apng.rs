//! Frames as an animated PNG with a palette: a third of the size that full colours take.

use std::collections::HashMap;

use super::colours::{Colour, ColourMap};
use super::raster::Pixels;

/// The palette's entry that lets the frame before show through.
const UNCHANGED: u8 = 0;

/// What figures are painted with: both maps, and the lines' colours with their smooth edges.
struct Palette {
    /// After the transparent entry.
    colours: Vec<Colour>,
    /// The entries of the colours met so far.
    known: HashMap<Colour, u8>,
}

impl Palette {
    fn new() -> Self {
        let mix = |from: Colour, to: Colour, count: usize| {
            (0..count).map(move |k| from.between(to, k as f64 / (count - 1) as f64))
        };
        let every = |map: ColourMap, step: usize| map.levels().into_iter().step_by(step);
        let mut colours: Vec<Colour> = mix(Colour::WHITE, Colour::INK, 24)
            .chain(mix(Colour::WHITE, Colour::BLUE, 20))
            .chain(mix(Colour::BLUE, Colour::INK, 8))
            .chain([Colour::FAINT])
            .collect();
        colours.extend(every(ColourMap::Viridis, 2));
        colours.extend(every(ColourMap::Magma, 4));
        Self { colours, known: HashMap::new() }
    }

    /// The entry nearest to a colour.
    fn entry(&mut self, colour: Colour) -> u8 {
        let distance = |other: &Colour| {
            let part = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
            part(colour.0, other.0) + part(colour.1, other.1) + part(colour.2, other.2)
        };
        let colours = &self.colours;
        *self.known.entry(colour).or_insert_with(|| {
            let nearest = (0..colours.len()).min_by_key(|&k| distance(&colours[k])).unwrap_or(0);
            nearest as u8 + 1
        })
    }

    fn bytes(&self) -> Vec<u8> {
        [0; 3].into_iter().chain(self.colours.iter().flat_map(|c| [c.0, c.1, c.2])).collect()
    }
}

/// Frames of one size, each with how long it is shown in thousandths of a second, as a file that plays
/// on and on. Of each frame only what differs from the one before is kept, in the smallest rectangle
/// around it.
///
/// # Panics
/// When there are not `count` frames, or they differ in size.
pub fn encode(frames: impl Iterator<Item = (Pixels, u16)>, count: usize) -> Vec<u8> {
    let mut palette = Palette::new();
    let mut frames = frames.map(|(pixels, shown)| {
        let width = pixels.size()[0];
        let bytes = pixels.into_bytes();
        let colours = bytes.chunks_exact(3).map(|c| Colour(c[0], c[1], c[2]));
        (colours.map(|colour| palette.entry(colour)).collect::<Vec<u8>>(), width, shown)
    });
    let Some(first) = frames.next() else { return Vec::new() };
    let (width, height) = (first.1, first.0.len() / first.1.max(1));
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(Palette::new().bytes());
    encoder.set_trns(vec![0]);
    // Differences of a palette's numbers mean nothing.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.set_compression(png::Compression::Best);
    let written = (|| -> Result<(), png::EncodingError> {
        encoder.set_animated(count as u32, 0)?;
        let mut writer = encoder.write_header()?;
        let mut before: Option<Vec<u8>> = None;
        for (entries, _, shown) in std::iter::once(first).chain(frames) {
            let (corner, size) = match &before {
                Some(before) => difference(&entries, before, width),
                None => ([0, 0], [width, height]),
            };
            writer.reset_frame_position()?;
            writer.set_frame_dimension(size[0] as u32, size[1] as u32)?;
            writer.set_frame_position(corner[0] as u32, corner[1] as u32)?;
            writer.set_frame_delay(shown, 1000)?;
            writer.set_blend_op(png::BlendOp::Over)?;
            writer.set_dispose_op(png::DisposeOp::None)?;
            writer.write_image_data(&changed(&entries, before.as_deref(), width, corner, size))?;
            before = Some(entries);
        }
        writer.finish()
    })();
    written.expect("writing to memory with the size of the data does not fail");
    file
}

/// Corner and size of the smallest rectangle, at least a pixel, outside of which both agree.
fn difference(one: &[u8], other: &[u8], width: usize) -> ([usize; 2], [usize; 2]) {
    let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
    for (index, _) in one.iter().zip(other).enumerate().filter(|(_, (a, b))| a != b) {
        for (k, place) in [index % width, index / width].into_iter().enumerate() {
            low[k] = low[k].min(place);
            high[k] = high[k].max(place);
        }
    }
    match low[0] > high[0] {
        true => ([0, 0], [1, 1]),
        false => (low, [0, 1].map(|k| high[k] - low[k] + 1)),
    }
}

/// A rectangle's entries: those that are as they were before let it show through.
fn changed(
    entries: &[u8],
    before: Option<&[u8]>,
    width: usize,
    corner: [usize; 2],
    size: [usize; 2],
) -> Vec<u8> {
    let entry = |index: usize| match before.is_some_and(|before| before[index] == entries[index]) {
        true => UNCHANGED,
        false => entries[index],
    };
    let row = |y: usize| (0..size[0]).map(move |x| y * width + corner[0] + x);
    (corner[1]..corner[1] + size[1]).flat_map(row).map(entry).collect()
}
