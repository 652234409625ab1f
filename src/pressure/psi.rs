//! Pressure stall information: how much of the time tasks wait for memory.
#![forbid(unsafe_code)]

use super::files::{Files, number};
use super::path::Path;

/// Per cent of the last ten seconds in which some task waited for memory that count as pressure.
const HIGH: u64 = 10;

/// Whether the file at `path`, `/proc/pressure/memory` or a control group's, reports pressure.
pub(super) fn is_high(files: &mut impl Files, path: &Path) -> bool {
    let mut high = false;
    files.each_line(path, &mut |line| {
        let Some(average) = line.strip_prefix(b"some avg10=") else { return false };
        high = number(average).is_some_and(|percent| percent >= HIGH);
        true
    });
    high
}

#[cfg(test)]
mod tests {
    use super::super::files::fake::Texts;
    use super::*;

    #[test]
    fn the_short_average_of_some_tasks_counts() {
        let says = |text| is_high(&mut Texts(&[("/p", text)]), Path::new().set(b"/p"));
        let full = "full avg10=99.00 avg60=99.00 avg300=0.00 total=1\n";
        assert!(!says("some avg10=0.00 avg60=99.00 avg300=99.00 total=1234567\nfull avg10=99.00 avg60=0 total=1\n"));
        assert!(!says("some avg10=9.99 avg60=0.00 avg300=0.00 total=5\n"));
        assert!(says("some avg10=10.00 avg60=0.00 avg300=0.00 total=5\n"));
        assert!(says("some avg10=100.00 avg60=0.00 avg300=0.00 total=5"));
        for strange in ["", "some", "some avg10=", "some avg10=x", full, "\n\n"] {
            assert!(!says(strange), "{strange:?}");
        }
    }
}
