//! A feed's folder as MISP writes one: `manifest.json` beside a file `{uuid}.json` an event.
//!
//! SOURCE: MISP feed format (`manifest.json`, `hashes.csv`). The manifest says which events the
//! feed has; without one, every file named by a UUID is an event.

use crate::failure::Failure;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// LIMIT: bytes of a manifest; about 100,000 events.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The file that says which events a feed has.
pub const MANIFEST: &str = "manifest.json";

/// The files of a feed's folder in the order of their names.
///
/// # Errors
/// The folder cannot be read, holds no event, or its manifest is damaged or names a file that is
/// not there: half a feed is not taken for a whole one.
pub fn events(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        let message = format!("`{}` cannot be read: {e}", folder.display());
        Failure::input("file_unreadable", message, "check the path and its permissions")
    };
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(|e| wrong(&e))? {
        let name = entry.map_err(|e| wrong(&e))?.file_name();
        if let Some(uuid) = name.to_str().and_then(event_name) {
            there.insert(uuid.to_owned());
        }
    }
    let manifest = folder.join(MANIFEST);
    let wanted = if manifest.exists() { listed(&manifest)? } else { there.clone() };
    if let Some(absent) = wanted.iter().find(|uuid| !there.contains(*uuid)) {
        let message = format!("`{}` names `{absent}.json`, which is absent", manifest.display());
        let help = "copy the feed again, or import the files one by one";
        return Err(Failure::input("feed_incomplete", message, help));
    }
    if wanted.is_empty() {
        let message = format!("`{}` holds no events", folder.display());
        let help = "name a feed's folder: files `{uuid}.json`, usually with `manifest.json`";
        return Err(Failure::input("feed_empty", message, help));
    }
    Ok(wanted.into_iter().map(|uuid| folder.join(format!("{uuid}.json"))).collect())
}

/// The UUID of a file's name such as `5a1d0c9e-….json`.
pub fn event_name(name: &str) -> Option<&str> {
    name.strip_suffix(".json").filter(|uuid| is_uuid(uuid))
}

fn is_uuid(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(form)
}

fn listed(manifest: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |reason: String| {
        let message = format!("`{}` is no manifest: {reason}", manifest.display());
        Failure::input("feed_damaged", message, "fetch the feed's manifest again")
    };
    let file = File::open(manifest).map_err(|e| wrong(e.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(MANIFEST_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes);
    let length = u64::try_from(read.map_err(|e| wrong(e.to_string()))?).unwrap_or(u64::MAX);
    if length > MANIFEST_BYTES_MAX {
        return Err(wrong(format!("it is longer than {MANIFEST_BYTES_MAX} bytes")));
    }
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
    let events = value.as_object().ok_or_else(|| wrong("it is no JSON object".to_owned()))?;
    // INVARIANT: a name is a UUID or refused: no name of a manifest leads out of its folder.
    let check = |name: &String| match is_uuid(name) {
        true => Ok(name.clone()),
        false => {
            let shown: String = name.chars().take(60).collect();
            Err(wrong(format!("`{shown}` is not the UUID of an event")))
        }
    };
    events.keys().map(check).collect()
}
