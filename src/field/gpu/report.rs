//! What `devices` prints about an adapter.

use super::device::{Gpu, is_hardware};
use super::error::GpuError;
use super::self_test::SelfTest;

/// One adapter: who it is, what it offers, whether it works.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeviceReport {
    pub name: String,
    /// `vulkan`, `metal`, `dx12`, `webgpu`.
    pub backend: String,
    pub driver: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `unknown`.
    pub kind: &'static str,
    /// Whether `--backend auto` would take it.
    pub hardware: bool,
    /// MiB that one storage binding may have.
    pub binding_mebibytes: u64,
    pub workgroup_invocations: u32,
    pub workgroup_memory_kibibytes: u32,
    pub storage_buffers: u32,
    pub shader_f64: bool,
    pub shader_f16: bool,
    pub subgroups: bool,
    /// The start-up check of double-float arithmetic; `None` if the device could not be opened.
    pub self_test: Option<SelfTest>,
    /// Why it could not be opened.
    pub failure: Option<String>,
}

impl DeviceReport {
    /// Opens the adapter, runs the self-test and writes down what was found.
    pub async fn of(adapter: &wgpu::Adapter) -> Self {
        let opened: Result<Gpu, GpuError> = Gpu::open(adapter).await;
        let info = adapter.get_info();
        let (limits, features) = (adapter.limits(), adapter.features());
        Self {
            name: info.name,
            backend: info.backend.to_str().to_owned(),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            kind: kind(info.device_type),
            hardware: is_hardware(info.device_type),
            binding_mebibytes: limits.max_storage_buffer_binding_size >> 20,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            workgroup_memory_kibibytes: limits.max_compute_workgroup_storage_size >> 10,
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
            shader_f64: features.contains(wgpu::Features::SHADER_F64),
            shader_f16: features.contains(wgpu::Features::SHADER_F16),
            subgroups: features.contains(wgpu::Features::SUBGROUP),
            self_test: opened.as_ref().ok().map(Gpu::self_test),
            failure: opened.err().map(|error| error.to_string()),
        }
    }
}

fn kind(kind: wgpu::DeviceType) -> &'static str {
    match kind {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "unknown",
    }
}
