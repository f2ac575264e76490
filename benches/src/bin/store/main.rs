//! Measures storage engines on the node's own workload and prints one table.
//!
//! `cargo run --release -p benches --features engines --bin store [RECORDS [ENGINE…]]` compares
//! all; without the feature, only the engines the house uses. Every phase runs in a process of its
//! own, so that memory is measured per engine. Not pure: reads the clock, writes below a temporary
//! directory.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a benchmark reads the clock and prints"
)]

#[cfg(feature = "engines")]
mod engine_fjall;
#[cfg(feature = "engines")]
mod engine_redb;
#[cfg(feature = "engines")]
mod engine_sqlite;
mod load;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use store::Store;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[cfg(feature = "engines")]
const ENGINES: &[&str] = &["embedded", "redb", "fjall", "sqlite"];
#[cfg(not(feature = "engines"))]
const ENGINES: &[&str] = &["embedded"];

const POINT_READS: u64 = 50_000;
const PREFIX_SCANS: u64 = 5_000;
const KILLED_AFTER_BATCHES: usize = 60;

fn open(engine: &str, place: &Path) -> Outcome<Box<dyn Store>> {
    match engine {
        "embedded" => Ok(Box::new(store::embedded::Embedded::open(place)?)),
        #[cfg(feature = "engines")]
        "redb" => Ok(Box::new(engine_redb::Redb::open(place)?)),
        #[cfg(feature = "engines")]
        "fjall" => Ok(Box::new(engine_fjall::Fjall::open(place)?)),
        #[cfg(feature = "engines")]
        "sqlite" => Ok(Box::new(engine_sqlite::Sqlite::open(place)?)),
        other => Err(format!("no engine is called `{other}`").into()),
    }
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["phase", phase, engine, records, place] => {
            run_phase(phase, engine, records.parse()?, Path::new(place))
        }
        [] => compare(200_000, ENGINES),
        [records] => compare(records.parse()?, ENGINES),
        [records, engines @ ..] => compare(records.parse()?, engines),
    }
}

fn run_phase(phase: &str, engine: &str, records: u64, place: &Path) -> Outcome<()> {
    match phase {
        "ingest" => ingest(engine, records, place),
        "endless" => endless(engine, records, place),
        "read" => read(engine, records, place),
        other => Err(format!("no phase is called `{other}`").into()),
    }
}

/// Ingests `records`; prints `records/s, cpu seconds, resident MiB a quarter in, at the end, peak`.
fn ingest(engine: &str, records: u64, place: &Path) -> Outcome<()> {
    let mut store = open(engine, place)?;
    let (mut spent, mut cpu, mut early) = (0.0, 0.0, 0);
    for first in (0..records).step_by(load::BATCH_RECORDS as usize) {
        let made = load::records(first, records);
        let (clock, cpu_before) = (Instant::now(), cpu_seconds()?);
        store.commit(load::batch(made))?;
        spent += clock.elapsed().as_secs_f64();
        cpu += cpu_seconds()? - cpu_before;
        if first <= records / 4 {
            early = status_kib("VmRSS:")?;
        }
    }
    let (late, peak) = (status_kib("VmRSS:")?, status_kib("VmHWM:")?);
    let clock = Instant::now();
    drop(store);
    let close = clock.elapsed().as_secs_f64();
    println!(
        "{:.0} {cpu:.1} {} {} {} {close:.2}",
        records as f64 / spent,
        early / 1024,
        late / 1024,
        peak / 1024
    );
    Ok(())
}

/// Ingests until killed; prints one line after each commit.
fn endless(engine: &str, records: u64, place: &Path) -> Outcome<()> {
    let mut store = open(engine, place)?;
    let mut out = std::io::stdout().lock();
    for first in (0..records).step_by(load::BATCH_RECORDS as usize) {
        store.commit(load::batch(load::records(first, records)))?;
        writeln!(out, "{first}")?;
        out.flush()?;
    }
    Ok(())
}

/// Reopens; prints `open ms, point reads/s, prefix scans/s, scanned keys/s, log entries, resident
/// MiB`.
fn read(engine: &str, records: u64, place: &Path) -> Outcome<()> {
    let clock = Instant::now();
    let store = open(engine, place)?;
    let snapshot = store.snapshot()?;
    let opened = clock.elapsed().as_secs_f64() * 1000.0;
    let mut entries = 0_u64;
    let clock = Instant::now();
    snapshot.scan(b"l/", &mut |_, _| {
        entries += 1;
        true
    })?;
    let scanned = entries as f64 / clock.elapsed().as_secs_f64();
    let present = entries.max(1);
    let clock = Instant::now();
    let mut hits = 0_u64;
    for turn in 0..POINT_READS {
        let key = load::record_key(load::mix(turn) % present);
        hits += u64::from(snapshot.get(&key)?.is_some());
    }
    let points = POINT_READS as f64 / clock.elapsed().as_secs_f64();
    let clusters = (records / load::CLUSTER_RECORDS).max(1);
    let clock = Instant::now();
    for turn in 0..PREFIX_SCANS {
        let prefix = load::name_prefix(load::mix(turn) % clusters);
        snapshot.scan(&prefix, &mut |_, _| true)?;
    }
    let scans = PREFIX_SCANS as f64 / clock.elapsed().as_secs_f64();
    if hits != POINT_READS && entries > 0 {
        return Err(format!("{engine} lost {} of {POINT_READS} records", POINT_READS - hits).into());
    }
    let resident = status_kib("VmRSS:")? / 1024;
    println!("{opened:.0} {points:.0} {scans:.0} {scanned:.0} {entries} {resident}");
    Ok(())
}

fn compare(records: u64, engines: &[&str]) -> Outcome<()> {
    println!(
        "| engine | ingest rec/s | cpu s | RSS MiB 25% / end / peak | close s | disk MiB \
         | reopen ms | gets/s | prefix scans/s | scan keys/s | read RSS \
         | after kill -9: acked / kept, reopen ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for engine in engines {
        println!("{}", row(engine, records)?);
    }
    Ok(())
}

fn row(engine: &str, records: u64) -> Outcome<String> {
    let place = tempfile::tempdir()?;
    let ingest = figures("ingest", engine, records, place.path())?;
    let disk = disk_bytes(place.path())? / 1024 / 1024;
    let read = figures("read", engine, records, place.path())?;
    let killed = killed(engine, records)?;
    let (i, r) = (|n| word(&ingest, n), |n| word(&read, n));
    Ok(format!(
        "| {engine} | {} | {} | {} / {} / {} | {} | {disk} | {} | {} | {} | {} | {} | {killed} |",
        i(0),
        i(1),
        i(2),
        i(3),
        i(4),
        i(5),
        r(0),
        r(1),
        r(2),
        r(3),
        r(5)
    ))
}

fn word(line: &str, place: usize) -> &str {
    line.split_whitespace().nth(place).unwrap_or("?")
}

fn phase(phase: &str, engine: &str, records: u64, place: &Path) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["phase", phase, engine, &records.to_string()]).arg(place);
    Ok(command)
}

fn figures(name: &str, engine: &str, records: u64, place: &Path) -> Outcome<String> {
    let done = phase(name, engine, records, place)?.stderr(Stdio::inherit()).output()?;
    if !done.status.success() {
        return Err(format!("phase {name} of {engine} failed").into());
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// Kills an ingest after some acknowledged batches; says how many records were acknowledged and
/// kept.
fn killed(engine: &str, records: u64) -> Outcome<String> {
    let place = tempfile::tempdir()?;
    let mut child =
        phase("endless", engine, records, place.path())?.stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or("no output")?;
    let mut acknowledged = 0;
    for line in BufReader::new(out).lines() {
        line?;
        acknowledged += 1;
        if acknowledged == KILLED_AFTER_BATCHES {
            child.kill()?;
        }
    }
    child.wait()?;
    let read = figures("read", engine, records, place.path())?;
    let acknowledged = acknowledged as u64 * load::BATCH_RECORDS;
    Ok(format!("{acknowledged} / {}, {}", word(&read, 4), word(&read, 0)))
}

fn disk_bytes(place: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for found in std::fs::read_dir(place)? {
        let found = found?;
        let about = found.metadata()?;
        bytes += if about.is_dir() { disk_bytes(&found.path())? } else { about.blocks() * 512 };
    }
    Ok(bytes)
}

fn status_kib(field: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).ok_or("no such field")?;
    Ok(word(line, 1).parse()?)
}

/// Seconds of processor time of all threads, user and system; the kernel counts hundredths.
fn cpu_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit_once(')').ok_or("no such field")?.1;
    let ticks: u64 = word(after, 11).parse::<u64>()? + word(after, 12).parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}
