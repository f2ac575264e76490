//! A writer that is killed at any moment: whatever it acknowledged is there, and nothing is there
//! in part.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may stop at the first surprise; this one starts itself again, and waits"
)]

mod life;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::{Store, embedded::Embedded};

const PLACE: &str = "STORE_CRASH_PLACE";
const KILLS: u64 = 48;
const KILLS_WHILE_CREATING: u64 = 24;

/// The writer, when this program is started again with a place; nothing otherwise.
#[test]
fn writer() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let mut store = Embedded::open(Path::new(&place)).unwrap();
    let mut number = life::standing(&*store.reader()).unwrap();
    loop {
        number += 1;
        store.commit(life::batch(number)).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}

fn start(place: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "writer", "--nocapture"]).env(PLACE, place);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills the writer some time after it acknowledged `batches`; the last number it acknowledged.
fn kill_after(place: &Path, batches: u64, wait: Duration) -> Option<u64> {
    let mut child = start(place);
    let out = BufReader::new(child.stdout.take().unwrap());
    let (mut last, mut seen) = (None, 0);
    if batches == 0 {
        std::thread::sleep(wait);
        child.kill().unwrap();
    }
    for line in out.lines() {
        let line = line.unwrap();
        let Some(number) = line.strip_prefix("acknowledged ") else { continue };
        last = Some(number.parse().unwrap());
        seen += 1;
        if seen == batches {
            std::thread::sleep(wait);
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "the writer was to be killed");
    last
}

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for kill in 0..KILLS {
        let chance = life::mix(kill);
        let wait = Duration::from_micros(chance % 5_000);
        let last = kill_after(place.path(), 1 + (chance >> 32) % 60, wait);
        acknowledged = last.unwrap_or(acknowledged).max(acknowledged);
        let store = Embedded::open(place.path()).unwrap();
        let standing = life::standing(&*store.reader()).unwrap();
        assert!(standing >= acknowledged, "batch {acknowledged} was acknowledged, then lost");
        assert!(standing <= acknowledged + 1, "a batch nobody wrote");
        unacknowledged += standing - acknowledged;
        acknowledged = standing;
    }
    eprintln!("{KILLS} kills, {acknowledged} batches, {unacknowledged} whole but unacknowledged");
    assert!(acknowledged > KILLS);
}

#[test]
fn a_first_start_that_is_killed_can_be_repeated() {
    let mut made = 0;
    for kill in 0..KILLS_WHILE_CREATING {
        let place = tempfile::tempdir().unwrap();
        kill_after(place.path(), 0, Duration::from_micros(1_500 + 500 * kill));
        made += u64::from(place.path().join("engine-1").exists());
        let mut store = Embedded::open(place.path()).unwrap();
        let standing = life::standing(&*store.reader()).unwrap();
        life::commit(&mut store, standing + 1, standing + 3).unwrap();
        assert_eq!(life::standing(&*store.reader()).unwrap(), standing + 3);
    }
    eprintln!("{KILLS_WHILE_CREATING} kills, {made} of them after the store was made");
}
