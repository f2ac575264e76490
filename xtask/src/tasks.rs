//! What each task does: which programs it starts, in which order.

use crate::order::{Words, help};
use crate::stage::{self, Outcome};
use crate::tally::Tally;
use crate::tidy;
use crate::{Failure, stage::run_plain};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// LIMIT: seconds each fuzz target gets in `ci`.
const CI_FUZZ_SECONDS: u64 = 5;
/// LIMIT: random lives in `ci`.
const CI_SEEDS: u64 = 200;

/// The top of the source tree.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Runs one task.
///
/// # Errors
/// What stopped it; [`Failure::Checks`] when checks ran and some failed.
pub fn run(name: &str, mut words: Words) -> Result<(), Failure> {
    match name {
        "help" | "--help" | "-h" => {
            print!("{}", help());
            Ok(())
        }
        "test" => {
            words.done()?;
            close(&test_stages()?)
        }
        "ci" => {
            words.done()?;
            ci()
        }
        "tidy" => {
            words.done()?;
            match report_tidy()? {
                0 => Ok(()),
                failures => Err(Failure::Checks(failures)),
            }
        }
        "fuzz" => {
            let seconds = words.number("--seconds")?.unwrap_or(60);
            let target = words.first();
            words.done()?;
            fuzz(seconds, target.as_deref())
        }
        "sim" => {
            let seeds = words.number("--seeds")?.unwrap_or(CI_SEEDS);
            words.done()?;
            run_plain(&root(), &mut sim_command(seeds))
        }
        "bench" => bench(words),
        "regen" => {
            words.done()?;
            run_plain(&root(), cargo(&["test", "--workspace", "golden"]).env("UPDATE_GOLDEN", "1"))
        }
        "acceptance" => {
            words.done()?;
            close(&[crate::acceptance::run(&root())?])
        }
        "demo" => crate::demo::run(words),
        _ => Err(Failure::Usage(format!("there is no task `{name}`"))),
    }
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(words);
    command
}

/// The stages of `test`; each runs whatever became of the one before.
fn test_stages() -> Result<Vec<Outcome>, Failure> {
    let root = root();
    let mut done = vec![
        stage::run("fmt", &root, &mut cargo(&["fmt", "--all", "--check"]))?,
        Outcome::of("tidy", report_tidy)?,
        stage::run(
            "clippy",
            &root,
            &mut cargo(&[
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        )?,
        stage::run("tests", &root, &mut test_command())?,
        stage::run("doctests", &root, &mut cargo(&["test", "--quiet", "--workspace", "--doc"]))?,
        stage::run(
            "docs",
            &root,
            cargo(&["doc", "--quiet", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )?,
    ];
    done.push(crate::acceptance::run(&root)?);
    if stage::has_cargo("deny") {
        // WHY: advisories change from day to day and have to be fetched; see CONTRIBUTING.
        let checks = ["deny", "--workspace", "check", "bans", "licenses", "sources"];
        done.push(stage::run("deny", &root, &mut cargo(&checks))?);
    } else {
        println!("── deny\nSKIPPED: cargo-deny is not installed (`cargo install cargo-deny`)");
    }
    Ok(done)
}

fn test_command() -> Command {
    if stage::has_cargo("nextest") {
        cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--status-level",
            "fail",
            "--final-status-level",
            "slow",
        ])
    } else {
        // WHY: --doc cannot be combined with the other kinds; the next stage runs those.
        cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    }
}

fn report_tidy() -> Result<u64, Failure> {
    let findings = tidy::run(&root())?;
    for finding in &findings {
        println!("{finding}");
    }
    let failures = findings.iter().filter(|f| f.weight == tidy::Weight::Failure).count();
    let warnings = findings.len().saturating_sub(failures);
    println!("tidy: {failures} failures, {warnings} warnings");
    Ok(u64::try_from(failures).unwrap_or(u64::MAX))
}

fn ci() -> Result<(), Failure> {
    let mut done = test_stages()?;
    done.push(Outcome::of("fuzz", || match fuzz(CI_FUZZ_SECONDS, None) {
        Ok(()) => Ok(0),
        Err(failure) => said(&failure),
    })?);
    done.push(Outcome::of("sim", || match run_plain(&root(), &mut sim_command(CI_SEEDS)) {
        Ok(()) => Ok(0),
        Err(failure) => said(&failure),
    })?);
    close(&done)
}

fn said(failure: &Failure) -> Result<u64, Failure> {
    eprintln!("{failure}");
    Ok(1)
}

/// Prints one line a stage and the sum; fails when anything failed.
fn close(done: &[Outcome]) -> Result<(), Failure> {
    let mut sum = Tally::default();
    let mut took = Duration::ZERO;
    println!();
    for outcome in done {
        println!("{}", outcome.line());
        sum.add(outcome.tally);
        took = took.saturating_add(outcome.took);
    }
    let skipped = done.iter().fold(0_u64, |sum, outcome| sum.saturating_add(outcome.skipped));
    if skipped > 0 {
        println!("{skipped} SKIPPED: see the reasons above");
    }
    println!("{} stages in {:.0} s", done.len(), took.as_secs_f64());
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if sum.failed == 0 { Ok(()) } else { Err(Failure::Checks(sum.failed)) }
}

fn sim_command(seeds: u64) -> Command {
    let mut command = cargo(&["run", "--quiet", "--release", "-p", "sim", "--bin", "lives"]);
    command.args(["--", "--seeds", &seeds.to_string()]);
    command
}

fn bench(mut words: Words) -> Result<(), Failure> {
    let root = root();
    let folder = root.join("benches/src/bin");
    let known = programs(&folder)?;
    let chosen = match words.first() {
        None => known,
        Some(name) if known.contains(&name) => vec![name],
        Some(name) => {
            let known = known.join(", ");
            return Err(Failure::Usage(format!("no benchmark `{name}`; there are {known}")));
        }
    };
    let rest = words.rest();
    for name in chosen {
        let mut command = cargo(&["run", "--quiet", "--release", "-p", "benches", "--bin", &name]);
        run_plain(&root, command.arg("--").args(&rest))?;
    }
    Ok(())
}

/// Programs in a `bin` folder: `NAME.rs` or `NAME/main.rs`, in order.
fn programs(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Failure::io(folder.display()))? {
        let path = entry.map_err(Failure::io(folder.display()))?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let is_file = path.extension().is_some_and(|ext| ext == "rs");
        if is_file || path.join("main.rs").is_file() {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Instrumentation libFuzzer needs; what `cargo fuzz` sets, without a nightly compiler.
const FUZZ_FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
     -Ccodegen-units=1 --cfg fuzzing";

fn fuzz(seconds: u64, target: Option<&str>) -> Result<(), Failure> {
    let folder = root().join("fuzz");
    let known = programs(&folder.join("fuzz_targets"))?;
    let chosen: Vec<&String> =
        known.iter().filter(|name| target.is_none_or(|wish| wish == *name)).collect();
    if chosen.is_empty() {
        let known = known.join(", ");
        return Err(Failure::Usage(format!("no such fuzz target; there are {known}")));
    }
    let host = host()?;
    let mut failed = 0_u64;
    for name in chosen {
        let start = Instant::now();
        let mut command = cargo(&["run", "--quiet", "--release", "--target", &host, "--bin", name]);
        command.env("RUSTFLAGS", FUZZ_FLAGS);
        let limit = format!("-max_total_time={seconds}");
        let findings = format!("-artifact_prefix=target/findings/{name}-");
        command.args(["--", &limit, &findings, "-verbosity=0"]);
        // New inputs go to the first folder; the seeds of the tree are only read.
        let seeds = folder.join("seeds").join(name);
        let grown = folder.join("target/corpus").join(name);
        for made in [&grown, &folder.join("target/findings")] {
            std::fs::create_dir_all(made).map_err(Failure::io(made.display()))?;
        }
        command.arg(&grown).args(seeds.is_dir().then_some(&seeds));
        let verdict = run_plain(&folder, &mut command);
        println!("fuzz {name}: {} in {:.0} s", word(&verdict), start.elapsed().as_secs_f64());
        if let Err(failure) = verdict {
            eprintln!("{failure}");
            failed = failed.saturating_add(1);
        }
    }
    if failed == 0 { Ok(()) } else { Err(Failure::Checks(failed)) }
}

fn word(verdict: &Result<(), Failure>) -> &'static str {
    if verdict.is_ok() { "nothing found" } else { "FAILED" }
}

/// The name of this platform.
///
/// WHY: naming a target keeps RUSTFLAGS away from build scripts, which would not link with them.
fn host() -> Result<String, Failure> {
    let text = stage::answer(&root(), Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::Answer {
        place: "rustc -vV".to_owned(),
        cause: "no line that names the host".to_owned(),
    })
}
