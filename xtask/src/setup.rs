//! Installs what the tests need.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use crate::drivers::Drivers;
use crate::steps::{Outcome, run};

/// Makes the tools and drivers available and gives the drivers that are there afterwards.
///
/// An error when rustfmt, clippy or every adapter is missing and could not be installed. A missing
/// SwiftShader is reported, for the caller to judge.
pub fn run_setup() -> Result<Drivers, String> {
    for (component, program) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        add_component(component, program)?;
    }
    let packages = missing_packages(&Drivers::find());
    if packages.is_empty() {
        return Ok(Drivers::find());
    }
    if !is_debian_like() {
        println!("{ADVICE}");
    } else if let Outcome::Failed(why) = install(&packages) {
        println!("The packages could not be installed: {why}");
        println!("By hand: apt-get install {}", packages.join(" "));
    }
    let drivers = Drivers::find();
    if drivers.has_adapter() {
        Ok(drivers)
    } else {
        Err(format!("the GPU tests have no adapter to run on\n{drivers}\n{ADVICE}"))
    }
}

const ADVICE: &str = "\
What the GPU tests need here cannot be installed by this command. Install
  - Vulkan's loader and Mesa's software driver llvmpipe: `vulkan-loader mesa-vulkan-drivers`
    (Fedora), `vulkan-icd-loader vulkan-swrast` (Arch), `vulkan-loader mesa-vulkan-lavapipe` (Void),
    or the driver of your GPU;
  - for the second driver a Chromium or Chrome, which brings SwiftShader; or point
    SKETCHPDE_SWIFTSHADER at its vk_swiftshader_icd.json.";

/// Debian packages for what is missing.
fn missing_packages(drivers: &Drivers) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !drivers.loader {
        packages.push("libvulkan1");
    }
    if drivers.llvmpipe.is_none() && !drivers.hardware {
        packages.push("mesa-vulkan-drivers");
    }
    if cfg!(target_os = "linux") && drivers.swiftshader.is_none() {
        packages.push("chromium");
    }
    packages
}

/// Debian itself or a system made from it, that has apt-get.
pub fn is_debian_like() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    names_debian(&release) && runs("apt-get", &["--version"])
}

fn names_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|word| word == "debian" || word == "ubuntu")
}

/// Installs one package after the other, so that one that cannot be had (Ubuntu's Chromium is no
/// ordinary package) does not keep the others away.
pub fn install(packages: &[&str]) -> Outcome {
    println!("Installing {}", packages.join(" "));
    // A stale list is no reason to stop: what is needed may still be there.
    if let Outcome::Failed(why) = run(apt_get().arg("update")) {
        println!("The package lists could not be refreshed: {why}");
    }
    let failures: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let mut command = apt_get();
            command.args(["install", "--yes", "--no-install-recommends", package]);
            match run(&mut command) {
                Outcome::Failed(why) => Some(why),
                _ => None,
            }
        })
        .collect();
    if failures.is_empty() { Outcome::Passed } else { Outcome::Failed(failures.join("; ")) }
}

/// `apt-get` that asks nothing, through sudo where we are not root.
pub fn apt_get() -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    let mut command = if root {
        Command::new("env")
    } else {
        let mut sudo = Command::new("sudo");
        if !std::io::stdin().is_terminal() {
            // Nobody is there to type a password.
            sudo.arg("-n");
        }
        sudo.arg("env");
        sudo
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
    command
}

/// Sees to it that `cargo <subcommand>` works.
fn add_component(component: &str, subcommand: &str) -> Result<(), String> {
    let works = || runs("cargo", &[subcommand, "--version"]);
    if works() {
        return Ok(());
    }
    println!("Installing {component}");
    run(Command::new("rustup").args(["component", "add", component]));
    if works() {
        Ok(())
    } else {
        Err(format!("{component} is missing: `rustup component add {component}`"))
    }
}

pub fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_what_is_made_from_it_are_known() {
        assert!(names_debian("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"));
        assert!(names_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!names_debian("ID=fedora\nVARIANT_ID=debian-free\n"));
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        let nothing = Drivers::default();
        let wanted = missing_packages(&nothing);
        assert!(wanted.starts_with(&["libvulkan1", "mesa-vulkan-drivers"]), "{wanted:?}");
        let hardware = Drivers { loader: true, hardware: true, ..Drivers::default() };
        assert!(!missing_packages(&hardware).contains(&"mesa-vulkan-drivers"));
        let all = Drivers {
            llvmpipe: Some("lvp_icd.json".into()),
            swiftshader: Some("vk_swiftshader_icd.json".into()),
            ..hardware
        };
        assert!(missing_packages(&all).is_empty());
    }
}
