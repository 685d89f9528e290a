//! `sketchpde devices`: what this machine offers, and what `auto` would pick.

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::{print, print_json, table};
use crate::field::device::Backend;
use crate::field::gpu::device::{adapters, choose};
use crate::field::gpu::{DeviceReport, GpuError};

/// Show the CPU and the GPU adapters, and what --backend auto picks.
///
/// Each adapter with its limits and the result of its arithmetic self-test.
#[derive(Args)]
pub struct Arguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    cpu: Cpu,
    adapters: Vec<DeviceReport>,
    auto: Auto,
}

#[derive(Serialize)]
struct Cpu {
    threads: usize,
    architecture: &'static str,
    vectors: &'static str,
}

/// What `--backend auto` picks.
#[derive(Serialize)]
struct Auto {
    /// Name of the adapter; none: the CPU.
    adapter: Option<String>,
    reason: String,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let report = pollster::block_on(report());
    if arguments.json { print_json(&report) } else { print(&text(&report)) }
}

async fn report() -> Report {
    let mut reports = Vec::new();
    for adapter in adapters().await {
        reports.push(DeviceReport::of(&adapter).await);
    }
    let auto = match choose(&Backend::Auto).await {
        Ok(adapter) => Auto {
            adapter: adapter.map(|adapter| adapter.get_info().name),
            reason: "it is a hardware adapter".to_owned(),
        },
        Err(GpuError::NoHardwareAdapter { .. }) => Auto {
            adapter: None,
            reason: "every adapter is a software one, which is slower than the CPU itself"
                .to_owned(),
        },
        Err(GpuError::NoAdapter) => {
            Auto { adapter: None, reason: "there is no GPU adapter".to_owned() }
        }
        Err(error) => Auto { adapter: None, reason: error.to_string() },
    };
    Report { cpu: cpu(), adapters: reports, auto }
}

fn cpu() -> Cpu {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Cpu { threads, architecture: std::env::consts::ARCH, vectors: vectors() }
}

/// The widest vector instructions that the kernels are compiled for and that this CPU has.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let has_fma = std::arch::is_x86_feature_detected!("fma");
        if std::arch::is_x86_feature_detected!("avx512f") {
            "AVX-512"
        } else if has_fma && std::arch::is_x86_feature_detected!("avx2") {
            "AVX2 and FMA"
        } else {
            "SSE2"
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "none"
    }
}

fn text(report: &Report) -> String {
    let cpu = &report.cpu;
    let mut text = format!(
        "CPU\n  {}, {} threads, vectors: {}; f32 and f64\n",
        cpu.architecture, cpu.threads, cpu.vectors
    );
    for adapter in &report.adapters {
        text += &format!("\n{}\n", adapter.name);
        for line in table(&lines(adapter)).lines() {
            text += &format!("  {line}\n");
        }
    }
    if report.adapters.is_empty() {
        text += "\nNo GPU adapter found\n";
    }
    let picked = report.auto.adapter.as_deref().unwrap_or("the CPU");
    text + &format!("\n--backend auto picks {picked}: {}\n", report.auto.reason)
}

fn lines(adapter: &DeviceReport) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let yes_no = |flag: bool| if flag { "yes" } else { "no" };
    let mut rows = vec![
        row("kind", format!("{}, {}", adapter.kind, adapter.backend)),
        row("driver", adapter.driver.clone()),
        row(
            "limits",
            format!(
                "{} MiB a binding, {} bindings a stage, {} invocations and {} KiB a workgroup",
                adapter.binding_mebibytes,
                adapter.storage_buffers,
                adapter.workgroup_invocations,
                adapter.workgroup_memory_kibibytes
            ),
        ),
        row(
            "shaders",
            format!(
                "f64: {}, f16: {}, subgroups: {}",
                yes_no(adapter.shader_f64),
                yes_no(adapter.shader_f16),
                yes_no(adapter.subgroups)
            ),
        ),
    ];
    rows.push(match (&adapter.failure, adapter.self_test) {
        (Some(failure), _) => row("unusable", failure.clone()),
        (None, Some(test)) if test.passed() => {
            row("self-test", "passed: double-float arithmetic is exact".to_owned())
        }
        (None, _) => {
            row("self-test", "FAILED: double-float arithmetic is not exact, f32 only".to_owned())
        }
    });
    rows
}
