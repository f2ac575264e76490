//! Numbered batches whose content anybody can work out again, so that a store can be checked after
//! any accident: what it holds must be exactly the state after some batch.
#![allow(dead_code, reason = "each test uses its part of this")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use store::{Batch, Error, Reader, Store};

/// Records a batch writes.
pub const RECORDS: u64 = 16;
/// Batches whose records are kept; older ones are deleted by the batch that pushes them out.
pub const KEPT: u64 = 40;

/// SplitMix64: the same numbers on every machine.
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn key(number: u64, record: u64) -> Vec<u8> {
    format!("b/{number:08}/{record:02}").into_bytes()
}

fn value(number: u64, record: u64) -> Vec<u8> {
    let seed = mix(number.wrapping_mul(1_000).wrapping_add(record));
    // Most are small, some lie apart from their keys, a few are large.
    let size = match seed % 16 {
        0 => 60_000,
        1..8 => seed % 4_000,
        _ => seed % 300,
    };
    (0..size / 8 + 1).flat_map(|at| mix(seed ^ at).to_le_bytes()).collect()
}

/// Batch `number`: records of its own, one key all batches overwrite, the oldest records deleted.
pub fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    for record in 0..RECORDS {
        batch.put(key(number, record), value(number, record));
        if let Some(old) = number.checked_sub(KEPT) {
            batch.delete(key(old, record));
        }
    }
    batch.put("head", number.to_be_bytes());
    batch
}

/// Which batch the store stands at.
///
/// Panics when it holds anything but exactly the state after that batch; hands back the store's own
/// error when it says itself that it is damaged.
pub fn standing(store: &dyn Reader) -> Result<u64, Error> {
    let snapshot = store.snapshot()?;
    let mut found = BTreeMap::new();
    snapshot.scan(b"", &mut |key, value| {
        found.insert(key.to_vec(), value.to_vec());
        true
    })?;
    let Some(head) = found.remove(&b"head"[..]) else {
        assert!(found.is_empty(), "records without their head");
        return Ok(0);
    };
    let head = u64::from_be_bytes(head.try_into().expect("a head of eight bytes"));
    let oldest = head.saturating_sub(KEPT - 1).max(1);
    assert_eq!(found.len() as u64, (head - oldest + 1) * RECORDS, "half a batch at {head}");
    for number in oldest..=head {
        for record in 0..RECORDS {
            let key = key(number, record);
            let wanted = value(number, record);
            assert!(found.get(&key) == Some(&wanted), "wrong bytes in batch {number}");
            assert!(snapshot.get(&key)?.as_ref() == Some(&wanted), "wrong bytes in batch {number}");
        }
    }
    Ok(head)
}

/// Commits the batches `from..=to`.
pub fn commit(store: &mut dyn Store, from: u64, to: u64) -> Result<(), Error> {
    (from..=to).try_for_each(|number| store.commit(batch(number)))
}

/// Every file below `place`.
pub fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
