//! Whole figures: that they hold what they should, and a gallery to look at.

use super::drawing::{Anchor, Shape};
use super::*;
use crate::tests::{Scratch, history};
use crate::{Axis, Spectrum, StepRecord};

/// A wave that steepens, and a "network" that is off by a little.
fn field() -> SpaceTimeField {
    let times: Vec<f64> = (0..=200).map(|k| 0.02 * f64::from(k)).collect();
    let x: Vec<f64> = (0..300).map(|j| std::f64::consts::TAU * f64::from(j) / 300.0).collect();
    let wave = |t: f64, x: f64| (x.sin() * (1.0 + t)).tanh() + 0.3 * (3.0 * x - t).cos();
    let wrong = |t: f64, x: f64| 1e-6 * t * (20.0 * x).sin() * (x - t).cos();
    let on_grid = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        times.iter().flat_map(|&t| x.iter().map(move |&x| (t, x))).map(|(t, x)| f(t, x)).collect()
    };
    SpaceTimeField {
        values: on_grid(&|t, x| wave(t, x) + wrong(t, x)),
        reference: Some(on_grid(&wave)),
        times,
        axes: vec![Axis { name: "x".into(), values: x }],
        unknowns: vec!["u".into()],
    }
}

fn plane() -> SpaceTimeField {
    let nodes: Vec<f64> = (0..60).map(|j| f64::from(j) / 60.0).collect();
    let on_grid = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        nodes
            .iter()
            .flat_map(|&x| nodes.iter().map(move |&y| (x, y)))
            .map(|(x, y)| f(x, y))
            .collect()
    };
    let bump = |x: f64, y: f64| (-20.0 * ((x - 0.3).powi(2) + (y - 0.6).powi(2))).exp();
    SpaceTimeField {
        times: vec![1.0],
        axes: ["x", "y"].map(|name| Axis { name: name.into(), values: nodes.clone() }).to_vec(),
        unknowns: vec!["u".into()],
        values: on_grid(&|x, y| bump(x, y) * (1.0 + 1e-4 * (9.0 * y).sin())),
        reference: Some(on_grid(&bump)),
    }
}

fn long_history() -> History {
    let record = |step: usize| {
        let time = 0.005 * step as f64;
        let wobble = 1.0 + 0.4 * ((step * 7919 % 101) as f64 / 101.0 - 0.5);
        StepRecord {
            step,
            time,
            dt: 0.005,
            residual: 3e-5 * wobble * (1.0 + time),
            error: Some(2e-7 * (1.0 + 3.0 * time * time) * (1.0 + 0.05 * wobble)),
            ..StepRecord::default()
        }
    };
    let spectrum = |k: usize| Spectrum {
        step: 200 * k,
        time: k as f64,
        singular_values: (0..400)
            .map(|j| 30.0 * (-(j as f64) * (0.05 + 0.006 * k as f64)).exp().max(1e-16))
            .collect(),
        rcond: 1e-6,
    };
    History { records: (1..=800).map(record).collect(), spectra: (0..5).map(spectrum).collect() }
}

const NAMES: Names<'static> = Names { title: "Allen–Cahn equation", unknown: "u" };

/// Every text lies on the canvas and no two of them touch.
fn check_texts(figure: &Figure) {
    let drawing = figure.drawing();
    let boxes: Vec<([f64; 4], &String)> = drawing
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text { at: [x, y], text, size, anchor, upright, .. } if !text.is_empty() => {
                let width = raster::text_width(text, *size);
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => 0.5 * width,
                    Anchor::End => width,
                };
                let half = 0.45 * size;
                let extent = if *upright {
                    [x - half, y - width + back, x + half, y + back]
                } else {
                    [x - back, y - half, x - back + width, y + half]
                };
                Some((extent, text))
            }
            _ => None,
        })
        .collect();
    assert!(boxes.len() > 4, "a figure has labels");
    for (index, ([left, top, right, bottom], text)) in boxes.iter().enumerate() {
        assert!(
            *left >= 1.0
                && *top >= 1.0
                && *right <= drawing.width - 1.0
                && *bottom <= drawing.height - 1.0,
            "{text} is clipped: {left} {top} {right} {bottom}"
        );
        for ([l, t, r, b], other) in &boxes[index + 1..] {
            let apart = l >= right || r <= left || t >= bottom || b <= top;
            assert!(apart, "{text} and {other} overlap");
        }
    }
}

#[test]
fn no_label_is_clipped_or_covered() {
    let (field, plane, history) = (field(), plane(), long_history());
    let figures = [
        field::space_time(&field, &NAMES),
        field::slices(&field, &NAMES),
        field::final_state(&plane, &NAMES),
        curves::error(&history, &NAMES),
        curves::residual(&history, &NAMES),
        curves::singular_values(&history, &NAMES),
    ];
    for figure in figures {
        check_texts(&figure.expect("the data suffice"));
    }
    // Extreme values must not push labels out either.
    let mut extreme = field.clone();
    extreme.values.iter_mut().for_each(|u| *u *= -3.7e9);
    extreme.reference = None;
    check_texts(&field::space_time(&extreme, &NAMES).expect("draws"));
    check_texts(&field::slices(&extreme, &NAMES).expect("draws"));
}

#[test]
#[should_panic(expected = "is clipped")]
fn the_check_of_labels_sees_a_clipped_one() {
    let mut drawing = Drawing::new(100.0, 100.0);
    for k in 0..6 {
        drawing.text([50.0, 10.0 + 15.0 * f64::from(k)], "label", 12.0, Anchor::Start);
    }
    drawing.text([95.0, 10.0], "too far right", 12.0, Anchor::Start);
    check_texts(&Figure::of(drawing));
}

#[test]
fn pixels_are_where_the_drawing_says() {
    let mut drawing = Drawing::new(20.0, 10.0);
    let fill = colours::Colour(10, 20, 30);
    drawing.shapes.push(Shape::Rectangle { corner: [2.0, 1.0], size: [3.0, 4.0], fill });
    drawing.line(vec![[10.0, 5.0], [18.0, 5.0]], colours::Colour::BLUE, 2.0);
    let png = Figure::of(drawing).png();
    let mut reader = png::Decoder::new(&png[..]).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size()];
    let info = reader.next_frame(&mut pixels).expect("its pixels");
    assert_eq!((info.width, info.height), (40, 20));
    let at = |x: usize, y: usize| &pixels[3 * (40 * y + x)..][..3];
    assert_eq!(at(4, 2), [10, 20, 30]);
    assert_eq!(at(9, 9), [10, 20, 30]);
    assert_eq!(at(10, 9), [255; 3]);
    assert_eq!(at(28, 9), [0, 114, 178]);
    assert_eq!(at(28, 15), [255; 3]);
}

#[test]
fn figures_are_saved_for_what_there_is() {
    let scratch = Scratch::new("figures");
    let files = save_all(scratch.folder(), &field(), &long_history(), &NAMES).expect("saves");
    assert_eq!(files.len(), 12);
    for file in &files {
        let size = std::fs::metadata(file).expect("exists").len();
        assert!((2_000..2_000_000).contains(&size), "{}: {size} bytes", file.display());
    }
    let plain = SpaceTimeField { reference: None, ..field() };
    let empty = History::default();
    let files = save_all(scratch.folder(), &plain, &empty, &NAMES).expect("saves");
    assert_eq!(files.len(), 6);
    let nothing = SpaceTimeField::default();
    assert!(save_all(scratch.folder(), &nothing, &empty, &NAMES).expect("saves").is_empty());
    assert_eq!(save_all(scratch.folder(), &plane(), &history(1), &NAMES).expect("saves").len(), 7);
}

/// For eyes: `SKETCHPDE_GALLERY=folder cargo test --release --lib gallery -- --ignored`.
#[test]
#[ignore = "writes pictures to look at"]
fn gallery() {
    let folder = std::env::var("SKETCHPDE_GALLERY").expect("SKETCHPDE_GALLERY names a folder");
    let folder = Path::new(&folder);
    save_all(folder, &field(), &long_history(), &NAMES).expect("saves");
    save_all(&folder.join("plane"), &plane(), &history(1), &NAMES).expect("saves");
    save_all(&folder.join("moving"), &moving_plane(), &history(1), &NAMES).expect("saves");
    let plain = SpaceTimeField { reference: None, ..field() };
    save_all(&folder.join("plain"), &plain, &History::default(), &NAMES).expect("saves");
}

/// What a decoder makes of an animated PNG: red, green and blue of each picture as it is shown.
fn played(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = png::Decoder::new(bytes);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let width = reader.info().width as usize;
    let count = reader.info().animation_control().expect("it moves").num_frames;
    let mut shown = vec![0; 3 * width * reader.info().height as usize];
    let mut pictures = Vec::new();
    for _ in 0..count {
        let mut buffer = vec![0; reader.output_buffer_size()];
        let size = reader.next_frame(&mut buffer).expect("a frame");
        let control = *reader.info().frame_control().expect("a frame's place");
        for (index, pixel) in buffer[..size.buffer_size()].chunks_exact(4).enumerate() {
            let x = control.x_offset as usize + index % size.width as usize;
            let y = control.y_offset as usize + index / size.width as usize;
            if pixel[3] == 255 {
                shown[3 * (y * width + x)..][..3].copy_from_slice(&pixel[..3]);
            }
        }
        pictures.push(shown.clone());
    }
    pictures
}

#[test]
fn an_animation_shows_every_frame_and_is_small() {
    for (field, most) in [(field(), 600_000), (moving_plane(), 1_500_000)] {
        let animation = animation::Animation::of(&field, &NAMES).expect("draws");
        let bytes = animation.png();
        let pictures = played(&bytes);
        assert_eq!(pictures.len(), animation.frames());
        for (index, picture) in pictures.iter().enumerate() {
            let drawn = animation.frame(index).into_bytes();
            assert_eq!(picture.len(), drawn.len());
            // The palette is coarser than the drawing, a little at most places.
            let away = || picture.iter().zip(&drawn).map(|(a, b)| a.abs_diff(*b));
            let mean = away().map(f64::from).sum::<f64>() / drawn.len() as f64;
            let worst = away().max().unwrap_or(0);
            assert!(mean < 1.0 && worst < 96, "frame {index}: {mean} on average, {worst} at worst");
        }
        // Neighbouring frames differ by more than the palette blurs.
        assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(bytes.len() < most, "{} bytes", bytes.len());
    }
    let nothing = animation::Animation::of(&SpaceTimeField::default(), &NAMES);
    assert!(matches!(nothing, Err(OutputError::Plot { .. })));
}

/// A bump that goes round.
fn moving_plane() -> SpaceTimeField {
    let nodes: Vec<f64> = (0..50).map(|j| f64::from(j) / 49.0).collect();
    let times: Vec<f64> = (0..30).map(|k| f64::from(k) / 29.0).collect();
    let bump = |t: f64, x: f64, y: f64| {
        let (sin, cos) = (std::f64::consts::TAU * t).sin_cos();
        (-20.0 * ((x - 0.5 - 0.2 * cos).powi(2) + (y - 0.5 - 0.2 * sin).powi(2))).exp()
    };
    let mut reference = Vec::new();
    for &t in &times {
        for &x in &nodes {
            reference.extend(nodes.iter().map(|&y| bump(t, x, y)));
        }
    }
    SpaceTimeField {
        axes: ["x", "y"].map(|name| Axis { name: name.into(), values: nodes.clone() }).to_vec(),
        unknowns: vec!["u".into()],
        values: reference.iter().enumerate().map(|(k, u)| u + 1e-5 * (k as f64).sin()).collect(),
        reference: Some(reference),
        times,
    }
}

#[test]
fn a_page_holds_its_numbers_and_no_text_breaks_out_of_it() {
    let field = field();
    let names = Names { title: "a </script><b> title", unknown: "u" };
    let page = interactive::page(&field, &names).expect("one dimension");
    assert_eq!(page.matches("</script>").count(), 2);
    let start = page.find("application/json\">").expect("data") + "application/json\">".len();
    let end = start + page[start..].find("</script>").expect("an end");
    let data: serde_json::Value = serde_json::from_str(&page[start..end]).expect("JSON");
    assert_eq!(data["title"], names.title);
    let (times, places) = (&data["times"], &data["axes"][0]["values"]);
    let counts = [times, places].map(|list| list.as_array().map_or(0, Vec::len));
    assert_eq!(counts, [101, 257]);
    let coded = data["unknowns"][0]["error"].as_str().expect("an error");
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, coded).expect("base64");
    // The last time and the last place: both ends are among those that are kept.
    let last = f32::from_le_bytes(bytes[bytes.len() - 4..].try_into().expect("four bytes"));
    let exact = *field.absolute_error().expect("a reference").last().expect("values") as f32;
    assert_eq!((bytes.len(), last), (4 * 101 * 257, exact));
    assert!(interactive::page(&moving_plane(), &NAMES).is_ok());
    assert!(interactive::page(&SpaceTimeField::default(), &NAMES).is_err());
}
