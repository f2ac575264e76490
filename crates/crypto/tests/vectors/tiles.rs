//! Published vectors: tiles.

use crate::folder;
use crypto::Digest;
use crypto::checkpoint::SignedCheckpoint;
use crypto::frontier::Frontier;
use crypto::merkle::{empty_root, leaf_hash, root, verify_consistency, verify_inclusion};
use crypto::prove::{self, HashMemory};
use crypto::tiles::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "example.com/log/testdata";

fn checkpoint(folder: &Path, name: &str) -> SignedCheckpoint {
    let key = std::fs::read_to_string(folder.join("VKEY.txt")).unwrap();
    let bytes = std::fs::read(folder.join(name)).unwrap();
    SignedCheckpoint::open(&bytes, ORIGIN, &key.trim().parse().unwrap()).unwrap()
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

#[test]
fn the_tessera_log_is_rebuilt_from_its_entries_byte_for_byte() {
    let Some(folder) = folder("tlog-tiles-tessera") else { return };
    let bundle = std::fs::read(folder.join("tile/entries/000.p/15")).unwrap();
    let entries = decode_bundle(&bundle).unwrap();
    assert_eq!(entries.len(), 15);
    let (mut edge, mut kept) = (Frontier::new(), HashMemory::default());
    let (mut seen, mut checkpoints) = (BTreeSet::new(), 0);
    for size in 0..=15_u64 {
        let signed = checkpoint(&folder, &format!("checkpoint.{size}"));
        assert_eq!((signed.checkpoint().size(), signed.checkpoint().root()), (size, edge.root()));
        checkpoints += 1;
        for path in new_tiles(0, size) {
            let published = folder.join(path.to_string());
            let ours = match path.kind {
                TileKind::Entries => encode_bundle(&entries[..size as usize]).unwrap(),
                TileKind::Hashes(_) => tile_bytes(&kept, &path).unwrap(),
            };
            assert_eq!(std::fs::read(&published).unwrap(), ours, "{path}");
            seen.insert(published);
        }
        if let Some(entry) = entries.get(size as usize) {
            kept.keep(&edge.append(&[leaf_hash(entry)]).unwrap());
        }
    }
    let current = checkpoint(&folder, "checkpoint");
    assert_eq!(current.checkpoint().root(), edge.root());
    assert_eq!(checkpoints + 1, 17);
    assert_eq!(files_below(&folder.join("tile")), seen);
    assert_eq!(seen.len(), 30);
}

#[test]
fn a_client_proves_everything_from_tessera_tiles_and_checkpoints() {
    let Some(folder) = folder("tlog-tiles-tessera") else { return };
    let tiles = TileHashes::new(15, |p: &TilePath| std::fs::read(folder.join(p.to_string())).ok());
    let bundle = std::fs::read(folder.join("tile/entries/000.p/15")).unwrap();
    let entries = decode_bundle(&bundle).unwrap();
    for size in 1..=15_u64 {
        let top = checkpoint(&folder, &format!("checkpoint.{size}")).checkpoint().root();
        for index in 0..size {
            let proof = prove::inclusion(&tiles, index, size).unwrap();
            let leaf = leaf_hash(entries[index as usize]);
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &top), Ok(()));
            let old = index + 1;
            let old_root = checkpoint(&folder, &format!("checkpoint.{old}")).checkpoint().root();
            let proof = prove::consistency(&tiles, old, size).unwrap();
            assert_eq!(verify_consistency(old, size, &proof, &old_root, &top), Ok(()));
        }
    }
    assert_eq!(prove::root(&tiles, 0), Ok(empty_root()));
}

#[test]
fn tiles_of_a_real_certificate_log_hash_the_same_in_every_way() {
    let Some(folder) = folder("ct-tiles-sunlight") else { return };
    let mut leaves: Vec<Digest> = Vec::new();
    for tile in ["000", "001", "002", "003"] {
        let bytes = std::fs::read(folder.join("tile/0").join(tile)).unwrap();
        let hashes = parse_tile(&bytes).unwrap();
        assert_eq!(hashes.len(), 256);
        leaves.extend(hashes);
    }
    let partial = std::fs::read(folder.join("tile/0/003.p/10")).unwrap();
    assert_eq!(parse_tile(&partial).unwrap(), leaves[768..778]);

    let (mut edge, mut kept) = (Frontier::new(), HashMemory::default());
    kept.keep(&edge.append(&leaves).unwrap());
    let fetched = TileHashes::new(778, |p: &TilePath| match p.kind {
        TileKind::Hashes(0) => std::fs::read(folder.join(p.to_string())).ok(),
        _ => None,
    });
    for size in [1, 255, 256, 257, 512, 769, 777, 778] {
        let naive = root(&leaves[..size as usize]);
        assert_eq!(prove::root(&kept, size), Ok(naive));
        let from_tiles = prove::root(&fetched, size);
        // Level 1 of this log was not saved, so trees with a full left half of tiles lack it.
        if size < 256 {
            assert_eq!(from_tiles, Ok(naive));
        } else {
            assert!(from_tiles.is_err());
        }
    }
    for path in new_tiles(0, 778).iter().filter(|p| p.kind == TileKind::Hashes(0)) {
        let published = std::fs::read(folder.join(path.to_string())).unwrap();
        assert_eq!(tile_bytes(&kept, path).unwrap(), published);
    }
}
