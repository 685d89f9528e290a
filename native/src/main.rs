//! The desktop shell.

#![forbid(unsafe_code)]

mod desktop;

use eframe::{NativeOptions, egui};
use sketchpde_native::link::ThreadLink;
use sketchpde_native::{App, Options, prepare_shell};

fn main() -> eframe::Result {
    let options = NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("sketchpde")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([340.0, 480.0]),
        ..NativeOptions::default()
    };
    let opening = match desktop::opening_from_arguments() {
        Ok(opening) => opening,
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(2);
        }
    };
    eframe::run_native(
        "sketchpde",
        options,
        Box::new(move |cc| {
            let context = cc.egui_ctx.clone();
            let line = ThreadLink::spawn(move || context.request_repaint())?;
            let platform = desktop::Desktop::default();
            let options = Options { opening, ..Options::default() };
            prepare_shell(cc)?;
            Ok(Box::new(App::new(Box::new(line), Box::new(platform), options)))
        }),
    )
}
