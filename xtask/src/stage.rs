//! One stage of a run: a program started, its output passed on, its closing lines counted.

use crate::Failure;
use crate::tally::{Tally, closing_line};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How one stage ended.
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Tests counted; a failed stage counts at least one failure.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
    /// Tests that did not run, for a reason that was printed.
    pub skipped: u64,
}

impl Outcome {
    /// Measures a check made inside this program; `failures` of 0 is success.
    pub fn of(name: &str, check: impl FnOnce() -> Result<u64, Failure>) -> Result<Self, Failure> {
        heading(name);
        let start = Instant::now();
        let failed = check()?;
        let tally = Tally { passed: 0, failed };
        Ok(Self { name: name.to_owned(), tally, took: start.elapsed(), skipped: 0 })
    }

    /// A stage that cannot run here; says so at once.
    #[must_use]
    pub fn skipped(name: &str, skipped: u64, cause: &str) -> Self {
        heading(name);
        println!("SKIPPED: {skipped} tests of `{name}` did not run: {cause}");
        Self { name: name.to_owned(), tally: Tally::default(), took: Duration::ZERO, skipped }
    }

    /// The closing line of the stage.
    #[must_use]
    pub fn line(&self) -> String {
        let verdict = match (self.tally.failed, self.skipped) {
            (0, 0) => "ok",
            (0, _) => "SKIPPED",
            (_, _) => "FAILED",
        };
        let counts = if self.tally == Tally::default() {
            String::new()
        } else {
            format!("  {} passed, {} failed", self.tally.passed, self.tally.failed)
        };
        format!("{:<8} {verdict:<7} {:>6.1} s{counts}", self.name, self.took.as_secs_f64())
    }
}

fn heading(name: &str) {
    println!("── {name}");
}

/// Runs `program` in `root`, passes its output on and counts its closing lines.
///
/// # Errors
/// [`Failure::Io`] when the program cannot be started.
pub fn run(name: &str, root: &Path, command: &mut Command) -> Result<Outcome, Failure> {
    heading(name);
    let start = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .current_dir(root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Failure::io(&program))?;
    let tally = Mutex::new(Tally::default());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        if let Some(out) = out {
            scope.spawn(|| pass_on(out, &tally, |line| println!("{line}")));
        }
        if let Some(err) = err {
            scope.spawn(|| pass_on(err, &tally, |line| eprintln!("{line}")));
        }
    });
    let status = child.wait().map_err(Failure::io(&program))?;
    let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(Outcome { name: name.to_owned(), tally, took: start.elapsed(), skipped: 0 })
}

/// Runs `program` with this terminal as its own.
///
/// # Errors
/// [`Failure::Program`] when it answers with failure, [`Failure::Io`] when it cannot be started.
pub fn run_plain(root: &Path, command: &mut Command) -> Result<(), Failure> {
    let program = spelled(command);
    let status = command.current_dir(root).status().map_err(Failure::io(&program))?;
    if status.success() { Ok(()) } else { Err(Failure::Program(program)) }
}

/// Runs `program` and hands back what it wrote to standard output.
///
/// # Errors
/// [`Failure::Program`] when it answers with failure, [`Failure::Io`] when it cannot be started.
pub fn answer(root: &Path, command: &mut Command) -> Result<String, Failure> {
    let program = spelled(command);
    let output = command
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::io(&program))?;
    if !output.status.success() {
        return Err(Failure::Program(program));
    }
    String::from_utf8(output.stdout)
        .map_err(|cause| Failure::Answer { place: program, cause: cause.to_string() })
}

/// Whether a cargo subcommand such as `nextest` is installed here.
#[must_use]
pub fn has_cargo(subcommand: &str) -> bool {
    Command::new("cargo")
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn spelled(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for word in command.get_args() {
        text.push(' ');
        text.push_str(&word.to_string_lossy());
    }
    text
}

fn pass_on(stream: impl Read, tally: &Mutex<Tally>, print: impl Fn(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        print(text);
        if let Some(found) = closing_line(text) {
            tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(found);
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_without_counts_counts_as_one_failure() {
        let mut command = Command::new("cargo");
        command.arg("--no-such-switch");
        let outcome = run("probe", Path::new("."), &mut command).unwrap();
        assert_eq!(outcome.tally, Tally { passed: 0, failed: 1 });
        assert!(outcome.line().contains("FAILED"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run("probe", Path::new("."), &mut Command::new("no-such-program"));
        assert!(error.is_err_and(|e| e.to_string().contains("no-such-program")));
    }
}
