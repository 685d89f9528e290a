//! A drawing as SVG text: lines and texts as such, images as embedded PNG.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::drawing::{Anchor, Drawing, Script, Shape, runs};
use super::raster::indexed_png;

const FONTS: &str = "Ubuntu, 'DejaVu Sans', Helvetica, Arial, sans-serif";

/// The drawing as a complete SVG file.
#[must_use]
pub fn render(drawing: &Drawing) -> String {
    let (width, height) = (drawing.width, drawing.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\">\n"
    );
    for shape in &drawing.shapes {
        // Writing to a string does not fail.
        let _ = write_shape(&mut out, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape) -> std::fmt::Result {
    match shape {
        Shape::Rectangle { corner: [x, y], size: [w, h], fill } => {
            let colour = hex(*fill);
            writeln!(
                out,
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" fill=\"{colour}\"/>"
            )
        }
        Shape::Line { points, colour, width, dash } => {
            write!(
                out,
                "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"",
                hex(*colour)
            )?;
            if let Some([dash, gap]) = dash {
                write!(out, " stroke-dasharray=\"{dash} {gap}\"")?;
            } else {
                write!(out, " stroke-linejoin=\"round\"")?;
            }
            write!(out, " points=\"")?;
            for [x, y] in points {
                write!(out, "{x:.2},{y:.2} ")?;
            }
            writeln!(out, "\"/>")
        }
        Shape::Image { corner: [x, y], size: [w, h], columns, levels, map } => writeln!(
            out,
            "<image x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" \
             preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>",
            STANDARD.encode(indexed_png(*columns, levels, *map))
        ),
        Shape::Text { at: [x, y], text, size, anchor, upright, colour } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            // Half the height of a capital below the middle lies the baseline.
            let (x, y, turn) = if *upright {
                (
                    x + 0.35 * size,
                    *y,
                    format!(" transform=\"rotate(-90 {:.2} {y:.2})\"", x + 0.35 * size),
                )
            } else {
                (*x, y + 0.35 * size, String::new())
            };
            write!(
                out,
                "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
                 fill=\"{}\"{turn}>",
                hex(*colour)
            )?;
            write_runs(out, text, *size)?;
            writeln!(out, "</text>")
        }
    }
}

fn write_runs(out: &mut String, text: &str, size: f64) -> std::fmt::Result {
    let mut shift = 0.0;
    for (run, script) in runs(text) {
        let wanted = script.shift() * size;
        let run = escape(run);
        if script == Script::Normal && wanted == shift {
            write!(out, "{run}")?;
        } else {
            let (by, size) = (wanted - shift, size * script.scale());
            write!(out, "<tspan dy=\"{by:.2}\" font-size=\"{size:.2}\">{run}</tspan>")?;
        }
        shift = wanted;
    }
    Ok(())
}

fn hex(colour: super::colours::Colour) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// Text without the characters that mean something to XML or that it forbids.
fn escape(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).fold(
        String::with_capacity(text.len()),
        |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                _ => out.push(c),
            }
            out
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_break_out_of_the_markup() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text([1.0, 1.0], "a<b>&\u{0}10^{-5}", 10.0, Anchor::Start);
        let text = render(&drawing);
        assert!(
            text.contains("a&lt;b&gt;&amp;10<tspan dy=\"-3.60\" font-size=\"7.20\">-5</tspan>")
        );
    }
}
