//! Claim: a page of 100 objects through the gate, logged and durable, costs at most 0.5 ms of CPU
//! at 100,000 objects, one of 1,000 at most 3 ms; and less than the reference server's by orders.
//!
//! `cargo xtask bench exchange [--objects N] [--peer-objects N] [--seconds N]`. Builds the program,
//! sets up a node with a partner, an agreement and the exercise's records under new names, serves
//! it over HTTP and reads and posts as the partner's client; then the same against medallion, the
//! reference server, on as many objects. CPU is what the server's process used, from `/proc`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a measurement: it reads the clock, starts programs and prints; JSON may lack names"
)]

mod load;
mod ours;
mod peer;

use load::{Figures, Target};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What may go wrong here stops the run.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is measured of every server, in this order.
const PAGES: [&str; 4] =
    ["GET objects 100", "GET objects 1,000", "GET manifest 1,000", "tail poll of 100"];

struct Settings {
    objects: usize,
    peer_objects: usize,
    time: Duration,
}

fn settings() -> Outcome<Settings> {
    let mut settings =
        Settings { objects: 100_000, peer_objects: 1_000, time: Duration::from_secs(4) };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
        let number: usize = number.parse().map_err(|e| format!("`{word} {number}`: {e}"))?;
        match word.as_str() {
            "--objects" => settings.objects = number.max(1),
            "--peer-objects" => settings.peer_objects = number.max(1),
            "--seconds" => settings.time = Duration::from_secs(u64::try_from(number)?.max(1)),
            _ => return Err(format!("`{word}` is not known").into()),
        }
    }
    Ok(settings)
}

/// Where cargo puts things.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// What was measured of one server.
struct Measured {
    server: String,
    objects: usize,
    pages: Vec<Figures>,
    drained: (usize, f64),
    posted: Vec<(usize, Figures)>,
}

fn measure(
    (server, objects): (&str, usize),
    target: &Target,
    time: Duration,
    sizes: &[usize],
) -> Outcome<Measured> {
    let drained = target.drain()?;
    let mut pages = Vec::new();
    for (name, limit) in [("objects", 100), ("objects", 1_000), ("manifest", 1_000)] {
        pages.push(target.read(&format!("{name}/?limit={limit}"), time)?);
    }
    let tail = drained.tail.as_deref().map_or_else(String::new, |at| format!("&added_after={at}"));
    pages.push(target.read(&format!("objects/?limit=100{tail}"), time)?);
    let mut posted = Vec::new();
    for (turn, size) in sizes.iter().enumerate() {
        posted.push((*size, target.post((turn, *size), time)?));
    }
    let drained = (drained.objects, drained.cpu_seconds);
    Ok(Measured { server: server.to_owned(), objects, pages, drained, posted })
}

fn print(measured: &Measured) {
    let Measured { server, objects, pages, drained, posted } = measured;
    println!("\n{server}, {objects} objects");
    println!("  {:22} {:>10} {:>9} {:>9} {:>9}", "", "CPU ms", "p50 ms", "p99 ms", "/s");
    let line = |name: &str, figures: &Figures| {
        let Figures { cpu_ms, p50_ms, p99_ms, per_second } = figures;
        println!("  {name:22} {cpu_ms:>10.3} {p50_ms:>9.2} {p99_ms:>9.2} {per_second:>9.0}");
    };
    for (name, figures) in PAGES.iter().zip(pages) {
        line(name, figures);
    }
    for (size, figures) in posted {
        line(&format!("POST of {size}"), figures);
        let rate = figures.per_second * load::real(*size);
        println!("  {:22} {rate:>10.0} objects/s", "");
    }
    let (count, seconds) = drained;
    if *seconds < 0.2 {
        println!("  drained {count} objects in {seconds:.2} s of CPU: too little to tell a rate");
        return;
    }
    let rate = load::real(*count) / seconds;
    println!("  drained {count} objects: {rate:.0} for a second of the server's CPU");
}

fn compare(ours: &Measured, peer: &Measured) {
    println!("\n{} against {}, {} objects each", ours.server, peer.server, ours.objects);
    println!("  {:22} {:>12} {:>12} {:>9}", "CPU ms", "ours", "peer", "ratio");
    let line = |name: &str, ours: f64, peer: f64| {
        println!("  {name:22} {ours:>12.3} {peer:>12.3} {:>8.1}x", peer / ours.max(1e-9));
    };
    for ((name, ours), peer) in PAGES.iter().zip(&ours.pages).zip(&peer.pages) {
        line(name, ours.cpu_ms, peer.cpu_ms);
    }
    for (size, theirs) in &peer.posted {
        if let Some((_, ours)) = ours.posted.iter().find(|(own, _)| own == size) {
            line(&format!("POST of {size}"), ours.cpu_ms, theirs.cpu_ms);
        }
    }
}

fn main() -> Outcome<()> {
    let Settings { objects, peer_objects, time } = settings()?;
    let place = std::env::temp_dir().join(format!("entente-bench-exchange-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let done = run(&place, (objects, peer_objects), time);
    std::fs::remove_dir_all(&place)?;
    done
}

fn run(place: &Path, (objects, peer_objects): (usize, usize), time: Duration) -> Outcome<()> {
    let program = ours::build()?;
    let large = ours::Serving::of(&program, &place.join("large"), objects)?;
    println!(
        "entente serves {objects} objects in {} MB of memory, all read once",
        large.process.memory_mb()?
    );
    let of_large = measure(("entente", large.released), &large.target(), time, &[100, 1_000])?;
    println!("after the run: {} MB", large.process.memory_mb()?);
    drop(large);
    print(&of_large);
    let Some(python) = peer::python() else {
        println!("SKIPPED: the peer: medallion is not there; `cargo xtask acceptance` installs it");
        return Ok(());
    };
    let small = ours::Serving::of(&program, &place.join("small"), peer_objects)?;
    let of_small = measure(("entente", small.released), &small.target(), time, &[100])?;
    let released = small.released;
    drop(small);
    let medallion = peer::Serving::of(&python, place, released)?;
    let of_peer = measure(("medallion", released), &medallion.target(), time, &[100])?;
    print(&of_small);
    print(&of_peer);
    compare(&of_small, &of_peer);
    Ok(())
}
