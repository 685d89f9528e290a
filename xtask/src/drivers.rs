//! Which Vulkan drivers this machine has, and where their manifests lie.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders in which Vulkan's loader looks for manifests.
const MANIFEST_FOLDERS: [&str; 4] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/run/opengl-driver/share/vulkan/icd.d",
];

/// Folders in which a Chromium keeps its SwiftShader.
const CHROMIUM_FOLDERS: [&str; 6] = [
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/usr/lib64/chromium",
    "/usr/lib64/chromium-browser",
    "/opt/google/chrome",
    "/snap/chromium/current/usr/lib/chromium-browser",
];

/// The drivers on which the GPU tests run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drivers {
    /// Vulkan's loader, or an operating system whose own GPU interface is always there.
    pub loader: bool,
    /// Manifest of llvmpipe, Mesa's software driver.
    pub llvmpipe: Option<PathBuf>,
    /// Manifest of SwiftShader, the software driver that comes with Chromium.
    pub swiftshader: Option<PathBuf>,
    /// A device node and a driver of some hardware GPU.
    pub hardware: bool,
}

impl Drivers {
    /// Looks at the machine.
    pub fn find() -> Self {
        if !cfg!(target_os = "linux") {
            return Self { loader: true, hardware: true, ..Self::default() };
        }
        let manifests: Vec<PathBuf> = MANIFEST_FOLDERS.iter().flat_map(|f| files(f)).collect();
        let software = |path: &&PathBuf| name(path).starts_with("lvp_icd");
        let device = files("/dev/dri").iter().any(|path| name(path).starts_with("renderD"))
            || Path::new("/dev/nvidiactl").exists();
        let loader = has_loader();
        Self {
            loader,
            llvmpipe: manifests.iter().find(software).cloned(),
            swiftshader: std::env::var_os("SKETCHPDE_SWIFTSHADER")
                .map(PathBuf::from)
                .into_iter()
                .chain(
                    CHROMIUM_FOLDERS.iter().map(|f| Path::new(f).join("vk_swiftshader_icd.json")),
                )
                .find(|path| path.is_file()),
            hardware: loader && device && manifests.iter().any(|path| !software(&path)),
        }
    }

    /// Whether some adapter can be had for the first run of the GPU tests.
    pub fn has_adapter(&self) -> bool {
        self.loader && (self.llvmpipe.is_some() || self.hardware)
    }
}

impl fmt::Display for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Option<PathBuf>| {
            path.as_ref().map_or_else(|| "not found".to_owned(), |p| p.display().to_string())
        };
        let presence = |there: bool| if there { "found" } else { "not found" };
        writeln!(f, "Vulkan's loader: {}", presence(self.loader))?;
        writeln!(f, "hardware GPU:    {}", presence(self.hardware))?;
        writeln!(f, "llvmpipe:        {}", shown(&self.llvmpipe))?;
        write!(f, "SwiftShader:     {}", shown(&self.swiftshader))
    }
}

/// Programs that are a Chromium or nearly one, where they are not on the path.
const CHROMIUM_PROGRAMS: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A Chromium for the tests of the page: the one that `SKETCHPDE_CHROMIUM` names, else one that is
/// installed.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("SKETCHPDE_CHROMIUM").map(PathBuf::from);
    named.into_iter().chain(CHROMIUM_PROGRAMS.map(PathBuf::from)).find(|path| path.is_file())
}

/// The files of a folder, in order of name; none where there is no such folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Whether the dynamic linker knows Vulkan's loader.
fn has_loader() -> bool {
    let listed = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"].iter().find_map(|program| {
        let output = Command::new(program).arg("-p").output().ok()?;
        output.status.success().then_some(output.stdout)
    });
    match listed {
        Some(list) => String::from_utf8_lossy(&list).contains("libvulkan.so.1"),
        None => ["/usr/lib", "/usr/lib64", "/run/opengl-driver/lib"]
            .iter()
            .any(|folder| Path::new(folder).join("libvulkan.so.1").exists()),
    }
}
