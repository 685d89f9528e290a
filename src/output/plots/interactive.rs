//! A solution as a page: one HTML file with its data inside, which any browser opens and which asks no
//! server for anything. Time runs by a slider, values are read with the pointer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::colours::ColourMap;
use super::field::{Names, check, unfit};
use crate::{OutputError, SpaceTimeField};

const FIGURE: &str = "page";
const TEMPLATE: &str = sketchpde_assets::text("report/solution.html");
/// Where the data go in the template.
const SLOT: &str = "/*DATA*/";

/// Times and places along an axis at most: files of one to three megabytes.
const CURVE: [usize; 2] = [101, 257];
const PLANE: [usize; 2] = [31, 65];

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    about: String,
    /// The name of the time.
    time: &'a str,
    times: Vec<f64>,
    axes: Vec<Axis<'a>>,
    unknowns: Vec<Unknown<'a>>,
    maps: Maps,
}

#[derive(Serialize)]
struct Axis<'a> {
    name: &'a str,
    values: Vec<f64>,
}

/// Numbers are f32, little endian, in base64. The error is kept beside the two that it is the
/// difference of: in f32 nothing would be left of it.
#[derive(Serialize)]
struct Unknown<'a> {
    name: &'a str,
    values: String,
    reference: Option<String>,
    error: Option<String>,
}

/// Red, green and blue of 256 levels each.
#[derive(Serialize)]
struct Maps {
    values: Vec<u8>,
    error: Vec<u8>,
}

/// The page of a field in one or two dimensions, with all of its unknowns.
///
/// # Errors
/// [`OutputError::Plot`] in other dimensions, and for a field without points.
pub fn page(field: &SpaceTimeField, names: &Names<'_>) -> Result<String, OutputError> {
    let parts = field.apart();
    for part in &parts {
        check(part, FIGURE, 1)?;
    }
    let [most_times, most_places] = match field.axes.len() {
        1 => CURVE,
        2 => PLANE,
        _ => return Err(unfit(FIGURE, "it needs one or two space dimensions")),
    };
    let times = evenly(field.times.len(), most_times);
    let places: Vec<Vec<usize>> =
        field.axes.iter().map(|axis| evenly(axis.values.len(), most_places)).collect();
    let axes = field.axes.iter().zip(&places);
    let page = Page {
        title: names.title,
        about: about(field, &times, &places),
        time: "t",
        times: times.iter().map(|&index| field.times[index]).collect(),
        axes: axes
            .map(|(axis, places)| Axis {
                name: &axis.name,
                values: places.iter().map(|&index| axis.values[index]).collect(),
            })
            .collect(),
        unknowns: parts
            .iter()
            .map(|part| {
                let coded = |values: &[f64]| coded(part, values, &times, &places);
                let one = parts.len() == 1;
                Unknown {
                    name: if one { names.unknown } else { &part.unknowns[0] },
                    values: coded(&part.values),
                    reference: part.reference.as_deref().map(coded),
                    error: part.absolute_error().as_deref().map(coded),
                }
            })
            .collect(),
        maps: Maps { values: levels(ColourMap::Viridis), error: levels(ColourMap::Magma) },
    };
    // What would end the script that holds the data is escaped, as JSON allows.
    let data =
        serde_json::to_string(&page).expect("numbers and texts are JSON").replace('<', "\\u003c");
    Ok(TEMPLATE.replacen(SLOT, &data, 1))
}

fn about(field: &SpaceTimeField, times: &[usize], places: &[Vec<usize>]) -> String {
    let grid: Vec<String> = places.iter().map(|places| places.len().to_string()).collect();
    let moments =
        if times.len() > 1 { format!(" at {} times", times.len()) } else { String::new() };
    let beside = if field.reference.is_some() { ", beside its reference" } else { "" };
    format!("The network's solution on {} points{moments}{beside}, by sketchpde.", grid.join(" × "))
}

/// `most` of the numbers `0..count`, evenly, with both ends.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    let taken = most.min(count);
    let step = (count.saturating_sub(1)) as f64 / taken.saturating_sub(1).max(1) as f64;
    (0..taken).map(|k| (k as f64 * step).round() as usize).collect()
}

fn coded(field: &SpaceTimeField, values: &[f64], times: &[usize], places: &[Vec<usize>]) -> String {
    let points = field.points();
    // Grid points in their order, the last axis fastest.
    let picked = places.iter().zip(&field.axes).fold(vec![0], |at: Vec<usize>, (places, axis)| {
        let count = axis.values.len();
        at.iter().flat_map(|&base| places.iter().map(move |&k| base * count + k)).collect()
    });
    let numbers = times.iter().flat_map(|&t| picked.iter().map(move |&p| values[t * points + p]));
    STANDARD.encode(numbers.flat_map(|v| (v as f32).to_le_bytes()).collect::<Vec<u8>>())
}

fn levels(map: ColourMap) -> Vec<u8> {
    let colour = |level: u32| map.at(f64::from(level) / 255.0);
    (0..256).map(colour).flat_map(|c| [c.0, c.1, c.2]).collect()
}
