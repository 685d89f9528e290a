//! Recording commands: dispatches in one pass, or with the time that each takes.

use super::device::Gpu;
use super::profile::{Profile, Work};

/// Commands on their way to the device.
pub struct Commands<'g> {
    gpu: &'g Gpu,
    encoder: wgpu::CommandEncoder,
    /// The pass of the dispatches so far; it ends before anything else is recorded.
    pass: Option<wgpu::ComputePass<'static>>,
}

impl<'g> Commands<'g> {
    pub(super) fn new(gpu: &'g Gpu) -> Self {
        Self { gpu, encoder: encoder(gpu), pass: None }
    }

    /// For what is no dispatch.
    pub fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        self.pass = None;
        &mut self.encoder
    }

    /// Adds one dispatch, `set` in a pass; a device that keeps times gives it a pass of its own.
    pub fn dispatch(
        &mut self,
        label: &'static str,
        work: Work,
        set: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) {
        match self.gpu.profile() {
            None => {
                let encoder = &mut self.encoder;
                let begin = || {
                    let descriptor = wgpu::ComputePassDescriptor::default();
                    encoder.begin_compute_pass(&descriptor).forget_lifetime()
                };
                set(self.pass.get_or_insert_with(begin));
            }
            Some(profile) if profile.has_timestamps() => {
                let entry = profile.enter(label, work);
                let timestamp_writes =
                    entry.map(|(query_set, first)| wgpu::ComputePassTimestampWrites {
                        query_set,
                        beginning_of_pass_write_index: Some(first),
                        end_of_pass_write_index: Some(first + 1),
                    });
                let descriptor =
                    wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes };
                set(&mut self.encoder.begin_compute_pass(&descriptor));
            }
            Some(profile) => self.wait_for(profile, label, work, set),
        }
    }

    /// One dispatch alone on the device.
    #[cfg(not(target_arch = "wasm32"))]
    fn wait_for(
        &mut self,
        profile: &Profile,
        label: &'static str,
        work: Work,
        set: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) {
        self.flush();
        let begun = std::time::Instant::now();
        set(&mut self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
        self.flush();
        profile.waited(label, work, begun.elapsed().as_secs_f64());
    }

    /// A page must not wait: there are no times without the device's clock.
    #[cfg(target_arch = "wasm32")]
    fn wait_for(
        &mut self,
        _profile: &Profile,
        _label: &'static str,
        _work: Work,
        set: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) {
        set(&mut self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
    }

    /// Submits what was recorded and waits for it.
    #[cfg(not(target_arch = "wasm32"))]
    fn flush(&mut self) {
        let recorded = std::mem::replace(&mut self.encoder, encoder(self.gpu));
        self.gpu.queue().submit([recorded.finish()]);
        // A device that is lost says so to whoever reads a result.
        let _ = self.gpu.device().poll(wgpu::PollType::wait_indefinitely());
    }

    pub(super) fn finish(mut self) -> wgpu::CommandBuffer {
        self.pass = None;
        self.encoder.finish()
    }
}

fn encoder(gpu: &Gpu) -> wgpu::CommandEncoder {
    gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}
