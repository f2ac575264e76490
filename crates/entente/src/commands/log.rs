//! The log: verify it, show entries, prove one.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::entry::Entry;
use node::published;
use serde_json::{Map, Value, json};

/// LIMIT: files of the log in one answer.
pub const FILES_MAX: usize = 64;

/// Recomputes the root from the stored entries and opens every commitment.
pub fn verify(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let audit = node::log::audit(&*snapshot)?;
    let checkpoint = node::log::checkpoint(&*snapshot)?.unwrap_or_default();
    let kinds: Vec<String> =
        audit.kinds.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
    let text = format!(
        "the log holds: {} entries give the signed root {}\n{} commitments opened, all true\n{}",
        audit.size,
        audit.root,
        audit.opened,
        kinds.join(", ")
    );
    Ok(Answer::new(text, json!({"audit": audit, "checkpoint": checkpoint})))
}

fn entry(bytes: &[u8]) -> Result<(Entry, Value), Failure> {
    let damaged = |error: serde_json::Error| {
        let help = "restore the store from a backup and run `entente log verify`";
        Failure::node("store_damaged", format!("a log entry cannot be read: {error}"), help)
    };
    let entry = serde_json::from_slice(bytes).map_err(damaged)?;
    Ok((entry, serde_json::from_slice(bytes).map_err(damaged)?))
}

/// Shows entries with what stands behind their commitments, where it is still held.
pub fn show(desk: &mut Desk<'_>, from: u64, limit: u64) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for index in from..from.saturating_add(limit) {
        let Some(bytes) = node::log::leaf(&*snapshot, index)? else { break };
        let (entry, value) = entry(&bytes)?;
        let openings = node::log::openings(&*snapshot, index)?.unwrap_or_default();
        let opened: Vec<String> =
            openings.iter().map(|(field, o)| format!("{field}={}", brief(&o.value))).collect();
        rows.push(vec![
            index.to_string(),
            entry.at.to_string(),
            value.get("kind").and_then(Value::as_str).unwrap_or("?").to_owned(),
            entry.partner.map_or_else(|| "-".to_owned(), |p| p.to_string()),
            entry.count.to_string(),
            opened.join(" "),
        ]);
        items.push(json!({"index": index, "entry": value, "openings": openings}));
    }
    let head = ["INDEX", "TIME (UTC)", "WHAT", "PARTNER", "COUNT", "OPENED FROM COMMITMENTS"];
    Ok(Answer::new(words::table(&head, &rows), json!({"entries": items})))
}

fn brief(value: &str) -> String {
    const SHOWN: usize = 60;
    if value.chars().count() <= SHOWN {
        return value.to_owned();
    }
    let start: String = value.chars().take(SHOWN).collect();
    format!("{start}…")
}

/// A proof that one entry stands in the newest checkpoint, for anyone to check offline.
pub fn prove(desk: &mut Desk<'_>, index: u64) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let size = node::log::frontier(&*snapshot)?.size();
    let Some(bytes) = node::log::leaf(&*snapshot, index)? else {
        return Err(Failure::input(
            "no_such_entry",
            format!("the log has {size} entries; there is none at {index}"),
            "name an index below the size: entente log show",
        ));
    };
    let path = node::log::inclusion(&*snapshot, index, size)?;
    let checkpoint = node::log::checkpoint(&*snapshot)?.unwrap_or_default();
    let entry = String::from_utf8_lossy(&bytes).into_owned();
    let text = format!(
        "entry {index} of {size}\n{entry}\npath\n{}\ncheckpoint\n{checkpoint}",
        path.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
    let json = json!({"index": index, "size": size, "entry": entry, "path": path,
        "checkpoint": checkpoint});
    Ok(Answer::new(text, json))
}

/// The newest checkpoint seen of each partner's log.
pub fn seen(desk: &mut Desk<'_>) -> Outcome {
    let seen = node::query::witnessed(&*desk.node.snapshot()?)?;
    let rows: Vec<Vec<String>> = seen
        .iter()
        .map(|w| vec![w.agency.to_string(), w.size.to_string(), w.root.to_string()])
        .collect();
    let text = words::table(&["LOG OF", "SIZE", "ROOT"], &rows);
    Ok(Answer::new(text, json!({"seen": seen})))
}

/// Whether a checkpoint of this node's log is a prefix of it today.
pub fn against(desk: &mut Desk<'_>, checkpoint: &str) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let found = node::log::against(&*snapshot, desk.node.identity(), checkpoint)?;
    let text = if found.holds {
        format!("the log as seen at size {} is a prefix of the log today", found.size)
    } else {
        format!("the log as seen at size {} is NOT a prefix of the log today", found.size)
    };
    Ok(Answer::new(text, json!({"size": found.size, "holds": found.holds})))
}

/// Files of the log as it is published; entries are opened to an officer only.
pub fn files(desk: &mut Desk<'_>, paths: &[String]) -> Outcome {
    if paths.len() > FILES_MAX {
        let message = format!("{} files in one request, the limit is {FILES_MAX}", paths.len());
        return Err(Failure::input("too_many", message, "ask for fewer files at once"));
    }
    // WHY: logged before it is read, so that the log handed out says that it was.
    desk.looked(format!("log files {}", paths.join(" ")), paths.len())?;
    let snapshot = desk.node.snapshot()?;
    let mut found = Map::new();
    for path in paths {
        let bytes = published::file(&*snapshot, path)?.ok_or_else(|| {
            let help = "name files as C2SP tlog-tiles does, within the size of the checkpoint";
            Failure::input("no_such_file", format!("the log has no file `{path}`"), help)
        })?;
        found.insert(path.clone(), json!(STANDARD.encode(bytes)));
    }
    let text = found.keys().cloned().collect::<Vec<_>>().join("\n");
    Ok(Answer::new(text, json!({"files": found})))
}
