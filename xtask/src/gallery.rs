//! The gallery of the book: each of its pictures is a run's.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::steps::run;

const PAGE: &str = "docs/src/gallery.md";
const FOLDER: &str = "docs/src/gallery";

/// A picture: what is solved, with what options, which of the run's figures it is, and what it shows.
struct Picture {
    name: &'static str,
    /// A built-in problem, or a file beside the pictures.
    problem: &'static str,
    options: &'static [&'static str],
    figure: &'static str,
    title: &'static str,
    caption: &'static str,
}

const PICTURES: [Picture; 7] = [
    Picture {
        name: "burgers",
        problem: "burgers",
        options: &["--set", "time.end=1"],
        figure: "space-time.png",
        title: "Burgers",
        caption: "A wave that steepens into a front: the network, its reference and the error.",
    },
    Picture {
        name: "kdv",
        problem: "kdv",
        options: &[],
        figure: "slices.png",
        title: "Korteweg and de Vries",
        caption: "A soliton at five instants, over the exact solution.",
    },
    Picture {
        name: "brusselator",
        problem: "brusselator",
        options: &["--set", "time.end=4"],
        figure: "space-time-u.png",
        title: "Brusselator",
        caption: "Two substances that react and diffuse; this is the first of them.",
    },
    Picture {
        name: "advection-diffusion",
        problem: "advection-diffusion-2d",
        options: &[],
        figure: "final-state.png",
        title: "Advection and diffusion",
        caption: "Waves on a torus, carried along and fading: the state at the end.",
    },
    Picture {
        name: "kovasznay",
        problem: "kovasznay",
        options: &["--set", "method.iterations=60"],
        figure: "solution-u.png",
        title: "Kovasznay flow",
        caption: "Navier-Stokes behind a grid, solved over the whole domain at once; this is the velocity along x.",
    },
    Picture {
        name: "plate",
        problem: "plate.toml",
        options: &[],
        figure: "solution.png",
        title: "A plate with holes",
        caption: "Heat in a polygon with two hot holes that loses its warmth at the sides.",
    },
    Picture {
        name: "training",
        problem: "poisson-2d",
        options: &["--set", "method.correction=false"],
        figure: "loss.png",
        title: "A training",
        caption: "Poisson's equation on a square: the loss along the iterations.",
    },
];

/// Solves every problem, takes its picture and writes the page.
///
/// # Errors
/// When a run fails or leaves no such figure.
pub fn make(cargo: &mut Command) -> Result<(), String> {
    let what = ["--locked", "--release", "--package", "sketchpde", "--bin", "sketchpde"];
    run(cargo.args(what)).passed()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let program = Path::new(&target).join("release/sketchpde");
    let runs = Path::new(&target).join("gallery");
    for picture in &PICTURES {
        take(picture, &program, &runs.join(picture.name))?;
    }
    std::fs::write(PAGE, page()).map_err(|error| format!("{PAGE}: {error}"))
}

fn take(picture: &Picture, program: &Path, folder: &Path) -> Result<(), String> {
    let problem = Path::new(FOLDER).join(picture.problem);
    let mut solve = Command::new(program);
    solve.arg("solve");
    if problem.exists() {
        solve.arg(problem)
    } else {
        solve.arg(picture.problem)
    };
    solve.args(picture.options).args(["--backend", "cpu", "--quiet", "--force", "--out"]);
    run(solve.arg(folder)).passed()?;
    let figure = folder.join("plots").join(picture.figure);
    let into = Path::new(FOLDER).join(format!("{}.png", picture.name));
    std::fs::copy(&figure, &into)
        .map(drop)
        .map_err(|error| format!("{}: {error}", figure.display()))
}

fn page() -> String {
    let mut text = String::from(
        "# Gallery\n\nEvery picture is what the command under it leaves in `plots/`; `cargo xtask gallery` \
         makes all of them again.\n",
    );
    for Picture { name, problem, options, title, caption, .. } in &PICTURES {
        let words = std::iter::once(problem).chain(*options).copied().collect::<Vec<_>>().join(" ");
        let _ = write!(
            text,
            "\n## {title}\n\n{caption}\n\n![{title}](gallery/{name}.png)\n\n    sketchpde solve {words}\n"
        );
        if problem.ends_with(".toml") {
            let _ = write!(text, "\nThe file is [{problem}](gallery/{problem}).\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the list says is what the book shows.
    #[test]
    fn the_page_is_that_of_the_list_and_its_pictures_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(std::fs::read_to_string(root.join(PAGE)).unwrap(), page());
        for picture in &PICTURES {
            let file = root.join(FOLDER).join(format!("{}.png", picture.name));
            let png = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert!(png.starts_with(b"\x89PNG"), "{}", file.display());
        }
    }
}
