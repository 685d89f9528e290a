//! Finding an adapter and opening it.

use std::sync::{Arc, Mutex, PoisonError};

use super::commands::Commands;
use super::config::Budget;
use super::error::GpuError;
use super::profile::{KernelTimes, Profile};
use super::self_test::{self, SelfTest};
use crate::device::Backend;

/// Every adapter of the machine, hardware first and discrete before integrated.
pub async fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    adapters
}

/// Whether an adapter is more than a rasteriser on the CPU.
#[must_use]
pub fn is_hardware(kind: wgpu::DeviceType) -> bool {
    match kind {
        wgpu::DeviceType::DiscreteGpu
        | wgpu::DeviceType::IntegratedGpu
        | wgpu::DeviceType::VirtualGpu => true,
        // A page is not told the kind of its adapter, only whether it is the software fallback.
        wgpu::DeviceType::Other => cfg!(target_arch = "wasm32"),
        wgpu::DeviceType::Cpu => false,
    }
}

fn rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// The adapter that `backend` means: for `auto` the fastest kind of hardware, a software adapter being
/// slower than the CPU; `None` for the CPU.
///
/// # Errors
/// When there is none like that; the message lists what there is.
pub async fn choose(backend: &Backend) -> Result<Option<wgpu::Adapter>, GpuError> {
    if *backend == Backend::Cpu {
        return Ok(None);
    }
    let adapters = adapters().await;
    let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
    let at = pick(backend, &infos)?;
    Ok(at.and_then(|at| adapters.into_iter().nth(at)))
}

fn pick(backend: &Backend, infos: &[wgpu::AdapterInfo]) -> Result<Option<usize>, GpuError> {
    let found = || infos.iter().map(|info| info.name.clone()).collect();
    match backend {
        Backend::Cpu => Ok(None),
        Backend::Gpu(Some(wanted)) => {
            let wanted_lower = wanted.to_lowercase();
            infos
                .iter()
                .position(|info| info.name.to_lowercase().contains(&wanted_lower))
                .map(Some)
                .ok_or_else(|| GpuError::NoSuchAdapter { wanted: wanted.clone(), found: found() })
        }
        _ if infos.is_empty() => Err(GpuError::NoAdapter),
        Backend::Gpu(None) => Ok(Some(0)),
        Backend::Auto => infos
            .iter()
            .position(|info| is_hardware(info.device_type))
            .map(Some)
            .ok_or_else(|| GpuError::NoHardwareAdapter { found: found() }),
    }
}

/// What went wrong outside of any call that could have returned it.
#[derive(Debug)]
enum Failure {
    Lost(String),
    Rejected(String),
}

/// An open device: what every function here takes. Cloning it clones handles, not the device.
#[derive(Clone, Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    budget: Budget,
    self_test: SelfTest,
    has_f64: bool,
    profile: Option<Arc<Profile>>,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Gpu {
    /// Opens `adapter` at WebGPU's default limits, larger buffers and f64 where it has them, and no
    /// other optional features; then runs the self-test of double-float arithmetic.
    ///
    /// # Errors
    /// When the adapter gives no such device, or the self-test cannot run at all. A self-test that
    /// fails is no error: the device then does without double-float.
    pub async fn open(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        Self::open_with(adapter, wgpu::Features::SHADER_F64).await
    }

    /// The same with times of every kernel, by the device's clock where it has one and by waiting
    /// for each dispatch otherwise: [`Gpu::take_times`].
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub async fn open_with_times(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        Self::open_timed(adapter, wgpu::Features::TIMESTAMP_QUERY).await
    }

    /// The same by waiting for each dispatch, whatever clock the device has: its time then holds that
    /// of handing it over.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub async fn open_with_waits(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        Self::open_timed(adapter, wgpu::Features::empty()).await
    }

    async fn open_timed(adapter: &wgpu::Adapter, clock: wgpu::Features) -> Result<Self, GpuError> {
        let mut gpu = Self::open_with(adapter, wgpu::Features::SHADER_F64 | clock).await?;
        gpu.profile = Some(Arc::new(Profile::new(&gpu.device)));
        Ok(gpu)
    }

    async fn open_with(adapter: &wgpu::Adapter, wanted: wgpu::Features) -> Result<Self, GpuError> {
        let offered = adapter.limits();
        let floor = wgpu::Limits::default();
        let required_limits = wgpu::Limits {
            max_buffer_size: offered.max_buffer_size.max(floor.max_buffer_size),
            max_storage_buffer_binding_size: offered
                .max_storage_buffer_binding_size
                .max(floor.max_storage_buffer_binding_size),
            ..floor
        };
        let mut name = adapter.get_info().name;
        if name.is_empty() {
            // A page is mostly not told the name either.
            "WebGPU adapter".clone_into(&mut name);
        }
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("sketchpde"),
                required_limits,
                required_features: adapter.features() & wanted,
                ..wgpu::DeviceDescriptor::default()
            })
            .await
            .map_err(|source| GpuError::Request { adapter: name.clone(), source })?;
        Self::of_device(device, queue, name).await
    }

    /// Takes a device that someone else made, such as the one that draws the window.
    ///
    /// # Errors
    /// When the self-test cannot run.
    pub async fn of_device(
        device: wgpu::Device,
        queue: wgpu::Queue,
        name: String,
    ) -> Result<Self, GpuError> {
        let failure = Arc::new(Mutex::new(None));
        let (on_loss, on_error) = (Arc::clone(&failure), Arc::clone(&failure));
        device.set_device_lost_callback(move |_, reason| note(&on_loss, Failure::Lost(reason)));
        device.on_uncaptured_error(Arc::new(move |error| {
            note(&on_error, Failure::Rejected(error.to_string()))
        }));
        let budget = Budget::of(&device.limits());
        let has_f64 = device.features().contains(wgpu::Features::SHADER_F64);
        let self_test = SelfTest::default();
        let mut gpu =
            Self { device, queue, name, budget, self_test, has_f64, profile: None, failure };
        gpu.self_test = self_test::self_test(&gpu).await?;
        Ok(gpu)
    }

    /// The same device with smaller limits on how much is done at once.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The same device without use of its f64, as if it had none.
    #[must_use]
    pub fn without_f64(mut self) -> Self {
        self.has_f64 = false;
        self
    }

    /// Whether kernels may compute in f64.
    #[must_use]
    pub fn has_f64(&self) -> bool {
        self.has_f64
    }

    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Records commands and submits them.
    pub(super) fn submit(&self, record: impl FnOnce(&mut Commands<'_>)) {
        let mut commands = Commands::new(self);
        record(&mut commands);
        self.queue.submit([commands.finish()]);
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        self.profile.as_deref()
    }

    /// What each kernel took since the last call, of the first 2,048 dispatches; empty where the
    /// device was not opened with times.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn take_times(&self) -> Result<KernelTimes, GpuError> {
        match &self.profile {
            Some(profile) => profile.take(self).await,
            None => Ok(KernelTimes::new()),
        }
    }

    /// Whether times are those of the device's own clock.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.has_timestamps())
    }

    /// The adapter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The result of the start-up check of double-float arithmetic.
    #[must_use]
    pub fn self_test(&self) -> SelfTest {
        self.self_test
    }

    /// Fails if the device was lost, or rejected a command, since the last check.
    ///
    /// # Errors
    /// With what happened.
    pub fn check(&self) -> Result<(), GpuError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.take() {
            None => Ok(()),
            Some(Failure::Lost(reason)) => {
                // A lost device stays lost.
                *failure = Some(Failure::Lost(reason.clone()));
                Err(GpuError::Lost { reason })
            }
            Some(Failure::Rejected(description)) => Err(GpuError::Command { description }),
        }
    }
}

/// Keeps the first failure: what follows is its consequence.
fn note(place: &Mutex<Option<Failure>>, failure: Failure) {
    place.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, kind: wgpu::DeviceType) -> wgpu::AdapterInfo {
        let mut info = wgpu::AdapterInfo::new(kind, wgpu::Backend::Vulkan);
        info.name = name.into();
        info
    }

    #[test]
    fn software_is_taken_only_when_asked_for() {
        let software = [info("llvmpipe (LLVM 15)", wgpu::DeviceType::Cpu)];
        assert!(matches!(
            pick(&Backend::Auto, &software),
            Err(GpuError::NoHardwareAdapter { found }) if found == ["llvmpipe (LLVM 15)"]
        ));
        assert_eq!(pick(&Backend::Gpu(None), &software).unwrap(), Some(0));
        assert_eq!(pick(&Backend::Gpu(Some("LLVMpipe".into())), &software).unwrap(), Some(0));
        assert!(matches!(pick(&Backend::Gpu(None), &[]), Err(GpuError::NoAdapter)));
        assert!(matches!(
            pick(&Backend::Gpu(Some("Radeon".into())), &software),
            Err(GpuError::NoSuchAdapter { .. })
        ));
    }

    #[test]
    fn hardware_is_found_behind_software() {
        let both =
            [info("llvmpipe", wgpu::DeviceType::Cpu), info("Arc", wgpu::DeviceType::IntegratedGpu)];
        assert_eq!(pick(&Backend::Auto, &both).unwrap(), Some(1));
    }
}
