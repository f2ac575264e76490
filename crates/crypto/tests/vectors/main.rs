//! Test vectors written by others, read in place from the shared data; every count is asserted, so
//! that a case that silently does not run fails the build.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

mod merkle;
mod notes;
mod seal;
mod sign;
mod tiles;

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of a vector set, or `None` with a loud word where the shared data is absent.
fn folder(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/vectors");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: test vectors `{name}`: shared data absent at {}", root.display());
    None
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every JSON file below a folder, in a fixed order.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn hex(value: &Value) -> Vec<u8> {
    crypto::hash::hex_decode(value.as_str().unwrap()).unwrap()
}

fn base64(value: &Value) -> Vec<u8> {
    crypto::hash::base64_decode(value.as_str().unwrap()).unwrap()
}
