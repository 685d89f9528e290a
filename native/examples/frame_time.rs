//! How long a frame of the app takes on the drawing thread while the solver runs at full speed on
//! its own: layout and tessellation, without what a graphics card (or llvmpipe) does with them.
//!
//! `cargo run --release -p sketchpde-native --example frame_time`

use std::time::{Duration, Instant};

use egui::{Context, RawInput, Rect, pos2};
use sketchpde::problem::Preset;
use sketchpde_native::app::state::State;
use sketchpde_native::link::ThreadLink;
use sketchpde_native::setup::Setup;
use sketchpde_native::setup::share::Opening;
use sketchpde_native::{App, Options, Platform, TextureFormat, prepare};

/// A desk without files.
struct Bare;

impl Platform for Bare {
    fn save(&mut self, _name: &str, _bytes: &[u8]) -> Result<String, String> {
        Err("nothing is saved here".into())
    }

    fn receive(&mut self, _file: egui::DroppedFileHandle) {}

    fn opened(&mut self) -> Option<Result<Vec<u8>, String>> {
        None
    }

    fn link(&self, fragment: &str) -> String {
        fragment.to_owned()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("preset                    steps  frames  median ms  95 % ms  longest ms");
    for name in ["allen-cahn", "advection-diffusion-2d"] {
        let setup = Setup::preset(Preset::find(name)?);
        let (mut times, steps) = frames(setup)?;
        times.sort_by(f64::total_cmp);
        let at = |part: f64| 1e3 * times[((times.len() - 1) as f64 * part) as usize];
        let (median, most, longest) = (at(0.5), at(0.95), at(1.0));
        let count = times.len();
        println!("{name:25} {steps:5}  {count:6}  {median:9.2}  {most:7.2}  {longest:10.2}");
    }
    Ok(())
}

/// Seconds that each frame took, at sixty a second for six seconds, and the steps solved meanwhile.
fn frames(setup: Setup) -> Result<(Vec<f64>, usize), Box<dyn std::error::Error>> {
    let ctx = Context::default();
    prepare(&ctx, TextureFormat::Rgba8Unorm);
    let line = Box::new(ThreadLink::spawn(|| {})?);
    let options = Options {
        opening: Some(Opening::Run(setup.into())),
        full_speed: true,
        ..Options::default()
    };
    let mut app = App::new(line, Box::new(Bare), options);
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < Duration::from_secs(6) {
        let frame = Instant::now();
        let input = RawInput {
            screen_rect: Some(Rect::from_min_max(pos2(0.0, 0.0), pos2(1280.0, 800.0))),
            time: Some(begun.elapsed().as_secs_f64()),
            ..RawInput::default()
        };
        let output = ctx.run_ui(input, |ui| {
            app.think(ui.ctx());
            app.draw(ui);
        });
        let shapes = ctx.tessellate(output.shapes, output.pixels_per_point);
        std::hint::black_box(shapes);
        times.push(frame.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_secs_f64(1.0 / 60.0).saturating_sub(frame.elapsed()));
    }
    let steps = |state: &State| state.mirror.status.as_ref().map_or(0, |status| status.step);
    Ok((times, steps(app.state())))
}
