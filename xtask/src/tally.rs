//! Counts of passed and failed tests, read from the closing lines of the test runners. Pure.
//!
//! SOURCE: `cargo test` ("test result: ok. 5 passed; 0 failed; ..."), `cargo nextest run`
//! ("Summary [ 1.2s] 7 tests run: 6 passed, 1 failed, 2 skipped"),
//! `pytest --quiet` ("6 passed, 1 failed in 1.20s").

/// How many passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

/// The counts of a closing line; `None` for every other line.
#[must_use]
pub fn closing_line(line: &str) -> Option<Tally> {
    let line = line.trim_start();
    let counts = if let Some(rest) = line.strip_prefix("test result:") {
        rest
    } else if line.starts_with("Summary [") {
        line.split_once("run:")?.1
    } else {
        pytest(line)?
    };
    let failed = ["failed", "timed out", "exec failed", "failed to execute", "error", "errors"];
    let mut tally = Tally::default();
    for piece in counts.split([';', ',', '.']) {
        let mut words = piece.trim().splitn(2, ' ');
        let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        // nextest writes "6 passed (1 slow)".
        let what = what.split(" (").next().unwrap_or(what).trim();
        if what == "passed" {
            tally.passed = tally.passed.saturating_add(number);
        } else if failed.contains(&what) {
            tally.failed = tally.failed.saturating_add(number);
        }
    }
    Some(tally)
}

/// The counts of pytest's closing line: "=== 6 passed, 1 failed in 1.20s ===".
fn pytest(line: &str) -> Option<&str> {
    let (counts, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let first = counts.split(' ').next()?;
    let is_time = time.split(' ').next()?.strip_suffix('s')?.parse::<f64>().is_ok();
    (is_time && first.bytes().all(|b| b.is_ascii_digit())).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pytest_is_understood() {
        let line = "1 failed, 6 passed, 2 skipped, 1 error in 1.20s";
        assert_eq!(closing_line(line), Some(Tally { passed: 6, failed: 2 }));
        let framed = "======== 3 passed in 65.01s (0:01:05) ========";
        assert_eq!(closing_line(framed), Some(Tally { passed: 3, failed: 0 }));
        assert_eq!(closing_line("3 files changed in 2 places"), None);
    }

    #[test]
    fn both_runners_are_understood() {
        let cargo =
            "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; finished in 1.2s";
        assert_eq!(closing_line(cargo), Some(Tally { passed: 5, failed: 2 }));
        let nextest =
            "     Summary [   1.200s] 9 tests run: 7 passed (1 slow), 2 failed, 3 skipped";
        assert_eq!(closing_line(nextest), Some(Tally { passed: 7, failed: 2 }));
        let stopped = "     Summary [   9.0s] 2/9 tests run: 1 passed, 1 timed out, 0 skipped";
        assert_eq!(closing_line(stopped), Some(Tally { passed: 1, failed: 1 }));
    }

    #[test]
    fn other_lines_say_nothing() {
        assert_eq!(closing_line("running 5 tests"), None);
        assert_eq!(closing_line("test a ... ok"), None);
    }
}
