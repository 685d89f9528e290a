//! How much memory the program has used.

/// The most resident memory so far, in MiB, where the system tells.
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak_of(&status)
}

/// The "high water mark" among the lines of Linux's `/proc/self/status`.
fn peak_of(status: &str) -> Option<f64> {
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = kib.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read() {
        let status = "Name:\tsketchpde\nVmPeak:\t  999999 kB\nVmHWM:\t   51200 kB\n";
        assert_eq!(peak_of(status), Some(50.0));
        assert_eq!(peak_of("Name:\tsketchpde\n"), None);
    }
}
