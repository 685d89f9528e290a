//! What a GPU does with the kernels, as a page in Markdown: the share of the adapter's measured peak
//! that each reaches, and steps against the CPU of the same machine. `cargo xtask gpu-report`.
//!
//! Words: `--quick` takes small sizes, for adapters in software; `--adapter NAME`, a part of its
//! name; `--wait` waits for each dispatch in place of the adapter's clock; `--minutes M`, the most that it may take (8); `--out FILE`. What there is no time left for
//! is named, not left out in silence.

mod arguments;
mod cases;
mod kernels;
mod steps;

use std::fmt::Write as _;
use std::time::Instant;

use pollster::block_on;
use sketchpde::field::device::Backend;
use sketchpde::field::gpu::device::{choose, is_hardware};
use sketchpde::field::gpu::peak::{self, Peak};
use sketchpde::field::gpu::{DeviceReport, Gpu};

use arguments::Arguments;

/// The time that is left, and what was not measured for the lack of it.
struct Budget {
    begun: Instant,
    seconds: f64,
    left_out: Vec<String>,
}

impl Budget {
    /// Whether a measurement may begin that takes about so many seconds; says that it begins.
    fn allows(&mut self, what: &str, seconds: f64) -> bool {
        let passed = self.begun.elapsed().as_secs_f64();
        let allowed = passed + seconds < self.seconds;
        if allowed {
            eprintln!("{passed:5.0} s  {what}");
        } else {
            eprintln!("{passed:5.0} s  left out: {what} would take about {seconds:.0} s");
            self.left_out.push(format!("{what} (about {seconds:.0} s)"));
        }
        allowed
    }
}

fn main() {
    let arguments = Arguments::read(std::env::args().skip(1)).unwrap_or_else(|why| {
        eprintln!("error: {why}");
        std::process::exit(2);
    });
    match report(&arguments) {
        Ok(text) => {
            println!("{text}");
            if let Err(error) = std::fs::write(&arguments.out, &text) {
                eprintln!("error: {}: {error}", arguments.out.display());
                std::process::exit(1);
            }
            eprintln!("The page is in {}", arguments.out.display());
        }
        Err(why) => {
            eprintln!("error: {why}");
            std::process::exit(5);
        }
    }
}

fn report(arguments: &Arguments) -> Result<String, String> {
    let seconds = 60.0 * arguments.minutes;
    let mut budget = Budget { begun: Instant::now(), seconds, left_out: Vec::new() };
    let adapter = block_on(choose(&Backend::Gpu(arguments.adapter.clone())));
    let adapter = adapter.map_err(|e| e.to_string())?.ok_or("a GPU was asked for")?;
    let info = adapter.get_info();
    if !is_hardware(info.device_type) && !arguments.quick {
        return Err(format!(
            "{} is a software adapter: --quick tries it at small sizes",
            info.name
        ));
    }
    let device = block_on(DeviceReport::of(&adapter));
    let opened = match arguments.wait {
        true => block_on(Gpu::open_with_waits(&adapter)),
        false => block_on(Gpu::open_with_times(&adapter)),
    };
    let gpu = opened.map_err(|error| error.to_string())?;
    budget.allows("the adapter's peak", 5.0);
    let peak = block_on(peak::measure(&gpu)).map_err(|error| error.to_string())?;
    let mut text = heading(&device, &gpu, peak, arguments.quick);
    text += &kernels::tables(&gpu, peak, arguments.quick, &mut budget)?;
    text += &steps::table(&info.name, arguments.quick, &mut budget)?;
    if budget.left_out.is_empty() {
        text += "\nNothing was left out for lack of time.\n";
    } else {
        let _ = writeln!(text, "\nLeft out for lack of time: {}.", budget.left_out.join("; "));
    }
    let _ = writeln!(text, "\nMeasured in {:.0} s.", budget.begun.elapsed().as_secs_f64());
    Ok(text)
}

fn heading(device: &DeviceReport, gpu: &Gpu, peak: Peak, quick: bool) -> String {
    let self_test = match device.self_test {
        Some(test) if test.passed() => "passed: double-float arithmetic is exact",
        _ => "FAILED: double-float arithmetic is not exact",
    };
    let clock = match gpu.has_timestamps() {
        true => "the device's own timestamps around each dispatch",
        false => "each dispatch waited for, its handing over included",
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rows = [
        ("adapter", format!("{} ({}, {})", device.name, device.kind, device.backend)),
        ("driver", device.driver.clone()),
        ("f64 in shaders", if device.shader_f64 { "yes" } else { "no" }.to_owned()),
        ("self-test", self_test.to_owned()),
        ("peak, f32 multiply-adds", format!("{:.1} GFLOP/s", 1e-9 * peak.operations)),
        ("peak, copy", format!("{:.1} GB/s, read and written", 1e-9 * peak.bytes)),
        ("times", clock.to_owned()),
        ("the CPU beside it", format!("{} threads, {}", threads, std::env::consts::ARCH)),
        ("sketchpde", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let sizes = if quick { ", at small sizes" } else { "" };
    let mut text = format!("# {}{sizes}\n\n| | |\n| --- | --- |\n", device.name);
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}
