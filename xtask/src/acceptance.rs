//! Other people's clients against the program: a Python environment under `target/`, then pytest.
//!
//! Where Python or its package index cannot be reached, the stage says so and counts what it did
//! not run; it never passes in silence.

use crate::Failure;
use crate::stage::{self, Outcome};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the tests lie.
const FOLDER: &str = "acceptance";

/// The programs tried as Python, in this order.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Runs the acceptance tests, or says why it cannot.
///
/// # Errors
/// [`Failure::Io`] when a file of the tree cannot be read or a program cannot be started.
pub fn run(root: &Path) -> Result<Outcome, Failure> {
    let wanted = root.join(FOLDER).join("requirements.txt");
    let wanted = std::fs::read_to_string(&wanted).map_err(Failure::io(wanted.display()))?;
    let home = target(root).join(FOLDER);
    let python = home.join("venv/bin/python");
    if let Err(cause) = ready(root, &home, &python, &wanted)? {
        return Ok(Outcome::skipped("clients", count(root)?, &cause));
    }
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--package", "entente"]);
    stage::run_plain(root, &mut build)?;
    let mut command = Command::new(&python);
    command
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", FOLDER])
        .env("ENTENTE_PROGRAM", target(root).join("debug/entente"))
        .env("ENTENTE_ROOT", root)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    stage::run("clients", root, &mut command)
}

/// Where cargo puts things.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Makes the environment unless it is there with just these packages; why it cannot be made.
fn ready(
    root: &Path,
    home: &Path,
    python: &Path,
    wanted: &str,
) -> Result<Result<(), String>, Failure> {
    let stamp = home.join("installed.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(Ok(()));
    }
    let Some(system) = PYTHONS.iter().find(|name| answers(name)) else {
        return Ok(Err("Python 3 is not installed".to_owned()));
    };
    std::fs::create_dir_all(home).map_err(Failure::io(home.display()))?;
    let mut make = Command::new(system);
    make.args(["-m", "venv", "--clear"]).arg(home.join("venv"));
    if !quietly(root, &mut make)? {
        return Ok(Err("`python3 -m venv` failed (is python3-venv installed?)".to_owned()));
    }
    let mut install = Command::new(python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--retries", "1", "--timeout", "20", "--requirement"])
        .arg(root.join(FOLDER).join("requirements.txt"));
    if !quietly(root, &mut install)? {
        return Ok(Err("pip could not install acceptance/requirements.txt".to_owned()));
    }
    std::fs::write(&stamp, wanted).map_err(Failure::io(stamp.display()))?;
    Ok(Ok(()))
}

fn answers(name: &str) -> bool {
    let mut command = Command::new(name);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn quietly(root: &Path, command: &mut Command) -> Result<bool, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.current_dir(root).stdin(Stdio::null()).status();
    Ok(status.map_err(Failure::io(program))?.success())
}

/// How many tests the folder holds, as written.
fn count(root: &Path) -> Result<u64, Failure> {
    let folder = root.join(FOLDER);
    let mut number = 0_u64;
    for entry in std::fs::read_dir(&folder).map_err(Failure::io(folder.display()))? {
        let path = entry.map_err(Failure::io(folder.display()))?.path();
        if path.extension().is_some_and(|ext| ext == "py") {
            let text = std::fs::read_to_string(&path).map_err(Failure::io(path.display()))?;
            let tests = text.lines().filter(|line| line.starts_with("def test_")).count();
            number = number.saturating_add(u64::try_from(tests).unwrap_or(u64::MAX));
        }
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_skipped_is_counted() {
        assert!(count(&crate::tasks::root()).unwrap() >= 3);
    }
}
