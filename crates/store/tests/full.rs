//! A full disk: the store says so, keeps what it has, and goes on once there is room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may stop at the first surprise; this one fills a small disk of its own"
)]

mod life;

use std::fs;
use std::path::Path;
use std::process::Command;

use store::{Batch, Kind, Store, embedded::Embedded};

/// A small disk in memory, gone with this value.
struct Disk {
    place: tempfile::TempDir,
}

impl Disk {
    /// `None` where mounting is not permitted.
    fn mount(size: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(place.path())
            .output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self { place }),
            other => {
                eprintln!("SKIPPED: a full disk was not tested: mounting a tmpfs: {other:?}");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("--lazy").arg(self.place.path()).status();
        assert!(done.is_ok_and(|status| status.success()), "the small disk stays mounted");
    }
}

fn fill(place: &Path, ballast_bytes: usize, batches_least: u64) {
    let ballast = place.join("ballast");
    fs::write(&ballast, vec![1; ballast_bytes]).unwrap();
    let home = place.join("store");
    let mut store = Embedded::open(&home).unwrap();
    let mut number = 0;
    let refused = loop {
        match store.commit(life::batch(number + 1)) {
            Ok(()) => number += 1,
            Err(refused) => break refused,
        }
        assert!(number < 100_000, "the small disk never fills");
    };
    eprintln!("full after {number} batches: {refused}");
    assert_eq!(refused.kind(), Kind::Full, "{refused:?}");
    assert!(refused.help().contains("free space"));
    assert!(number >= batches_least);
    // What is there is still read, and nothing more is written.
    assert_eq!(life::standing(&*store.reader()).unwrap(), number);
    let mut small = Batch::new();
    small.put("small", "would fit");
    assert_eq!(store.commit(small).unwrap_err().kind(), Kind::Full);
    drop(store);
    fs::remove_file(&ballast).unwrap();
    let mut store = Embedded::open(&home).unwrap();
    assert_eq!(life::standing(&*store.reader()).unwrap(), number);
    life::commit(&mut store, number + 1, number + 20).unwrap();
    drop(store);
    let store = Embedded::open(&home).unwrap();
    assert_eq!(life::standing(&*store.reader()).unwrap(), number + 20);
}

#[test]
fn a_journal_that_finds_no_room_is_full() {
    let Some(disk) = Disk::mount("8m") else { return };
    fill(disk.place.path(), 5 * 1024 * 1024, 5);
}

/// Large enough that the engine's own threads meet the full disk as well.
#[test]
fn tables_that_find_no_room_are_full() {
    for (size, ballast) in [("44m", 12), ("52m", 16), ("64m", 12), ("90m", 20)] {
        let Some(disk) = Disk::mount(size) else { return };
        fill(disk.place.path(), ballast * 1024 * 1024, 50);
    }
}

#[test]
fn a_store_that_cannot_be_made_for_want_of_room_is_full() {
    let Some(disk) = Disk::mount("1m") else { return };
    let home = disk.place.path().join("store");
    let ballast = disk.place.path().join("ballast");
    let written = fs::write(&ballast, vec![1; 2 * 1024 * 1024]);
    assert!(written.is_err(), "the small disk is to be full");
    let refused = Embedded::open(&home).err().expect("no room for a store");
    assert_eq!(refused.kind(), Kind::Full, "{refused:?}");
    fs::remove_file(&ballast).unwrap();
    let mut store = Embedded::open(&home).unwrap();
    life::commit(&mut store, 1, 1).unwrap();
}
