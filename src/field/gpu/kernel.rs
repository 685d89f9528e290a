//! One compute kernel: a composed shader with its pipeline, bound by the names in its text.

use super::commands::Commands;
use super::compose::{Access, Binding, bindings};
use super::device::Gpu;
use super::error::GpuError;
use super::profile::Work;

/// A compiled kernel and the buffers that it declares.
#[derive(Clone, Debug)]
pub struct Kernel {
    label: &'static str,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    bindings: Vec<Binding>,
}

impl Kernel {
    /// Compiles the composed `text` of the shader `label`.
    ///
    /// # Errors
    /// When the device rejects the shader.
    pub async fn new(gpu: &Gpu, label: &'static str, text: &str) -> Result<Self, GpuError> {
        let device = gpu.device();
        let bindings = bindings(text);
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
        let entries: Vec<_> = bindings.iter().map(layout_entry).collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(label),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        match scope.pop().await {
            None => Ok(Self { label, pipeline, layout, bindings }),
            Some(source) => {
                Err(GpuError::Rejected { what: format!("the shader `{label}`"), source })
            }
        }
    }

    /// Binds buffers by the names in the shader.
    ///
    /// # Panics
    /// When a declared buffer is not given: host and shader are then out of step.
    #[must_use]
    pub fn bind(&self, gpu: &Gpu, buffers: &[(&str, &wgpu::Buffer)]) -> wgpu::BindGroup {
        let entries: Vec<_> = self
            .bindings
            .iter()
            .map(|binding| {
                let (_, buffer) = buffers
                    .iter()
                    .find(|(name, _)| *name == binding.name)
                    .unwrap_or_else(|| panic!("{} needs the buffer {}", self.label, binding.name));
                wgpu::BindGroupEntry {
                    binding: binding.number,
                    resource: buffer.as_entire_binding(),
                }
            })
            .collect();
        gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.label),
            layout: &self.layout,
            entries: &entries,
        })
    }

    /// Adds one dispatch of `grid` workgroups, which has `work` to do.
    pub fn dispatch(
        &self,
        commands: &mut Commands<'_>,
        group: &wgpu::BindGroup,
        (grid, work): ([u32; 3], Work),
    ) {
        commands.dispatch(self.label, work, |pass| {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(grid[0], grid[1], grid[2]);
        });
    }
}

fn layout_entry(binding: &Binding) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding.access {
        Access::Uniform => wgpu::BufferBindingType::Uniform,
        Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
        Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
    };
    wgpu::BindGroupLayoutEntry {
        binding: binding.number,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}
