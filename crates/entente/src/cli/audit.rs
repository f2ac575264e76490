//! `log export` writes the log as files; `log audit` checks such files, offline and without a node.

use super::{Seat, text_file};
use crate::command::{Answer, Command};
use crate::commands::LOG_FILES_MAX;
use crate::failure::Failure;
use crate::words;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use node::published::{self, CHECKPOINT, Holds};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// LIMIT: bytes of one file of a published log (256 entries of 65,535 bytes with their lengths).
const FILE_BYTES_MAX: u64 = 256 * (65_535 + 2);

/// Writes the log to a folder: first the tiles, then the checkpoint that covers them.
///
/// # Errors
/// The node does not answer, or a file cannot be written; what was written before stands.
pub fn export(seat: &Seat, dir: &Path, hashes_only: bool) -> Result<Answer, Failure> {
    let checkpoint = ask(seat, &[CHECKPOINT.to_owned()])?.remove(CHECKPOINT).unwrap_or_default();
    let size = size_of(&checkpoint)?;
    let mut wanted = published::paths(size);
    if hashes_only {
        wanted.retain(|path| published::holds(path) == Some(Holds::Hashes));
    }
    let all = wanted.len();
    // WHY: a full file never changes, so an export into the same folder fetches what is new.
    wanted.retain(|path| !dir.join(path).exists());
    for paths in wanted.chunks(LOG_FILES_MAX) {
        for (path, bytes) in ask(seat, paths)? {
            write(&dir.join(path), &bytes)?;
        }
    }
    write(&dir.join(CHECKPOINT), &checkpoint)?;
    let text = format!(
        "the log of {size} entries is in {}: {} new, {} in all, and `{CHECKPOINT}`\ncheck it \
         anywhere: entente log audit {} --member DOCUMENT",
        dir.display(),
        words::count(count(wanted.len()), "file"),
        all,
        dir.display()
    );
    Ok(Answer::new(text, json!({"size": size, "files": all, "written": wanted.len()})))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The size a checkpoint states: its second line.
fn size_of(checkpoint: &[u8]) -> Result<u64, Failure> {
    let text = String::from_utf8_lossy(checkpoint);
    let stated = text.lines().nth(1).and_then(|line| line.parse().ok());
    stated.ok_or_else(|| {
        let help = "run `entente log verify` at the node";
        Failure::node("no_checkpoint", "the node has no checkpoint of its log", help)
    })
}

fn ask(seat: &Seat, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let answer = seat.ask(Command::LogFiles { paths: paths.to_vec() })?;
    let mut out = BTreeMap::new();
    for path in paths {
        let text = answer.json.get("files").and_then(|files| files.get(path));
        let bytes = text.and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.ok_or_else(|| {
            let message = format!("the node's answer lacks the file `{path}`");
            Failure::node("no_answer", message, "use the same version of the program on both sides")
        })?;
        out.insert(path.clone(), bytes);
    }
    Ok(out)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| {
        let message = format!("`{}` cannot be written: {e}", path.display());
        Failure::input("file_unwritable", message, "choose a folder you may write to")
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(wrong)?;
    }
    // WHY: a file that is there is taken as whole by the next export.
    let unfinished = path.with_extension("part");
    fs::write(&unfinished, bytes).map_err(wrong)?;
    fs::rename(&unfinished, path).map_err(wrong)
}

/// Checks an exported log.
///
/// # Errors
/// The log does not hold: which file and why; or a file cannot be read.
pub fn audit(dir: &Path, member: &Path, earlier: Option<&Path>) -> Result<Answer, Failure> {
    let document = text_file(member)?;
    let (member, fingerprint) = node::identity::open_member(document.as_bytes())?;
    let earlier = earlier.map(text_file).transpose()?;
    let files = |path: &str| read(&dir.join(path));
    let found = published::check(&files, &member, earlier.as_deref())?;
    let mut lines = vec![format!(
        "the log of {} holds: {} entries give the signed root {}",
        found.agency, found.size, found.root
    )];
    lines.push(format!("signed with the log key of the member document {fingerprint}"));
    if found.kinds.is_empty() {
        lines.push("only hashes are here; no entry was looked at".to_owned());
    } else {
        let kinds: Vec<String> = found.kinds.iter().map(|(k, n)| format!("{n} {k}")).collect();
        lines.push(kinds.join(", "));
    }
    let mut refused = false;
    if let Some(earlier) = found.earlier {
        refused = !earlier.holds;
        let verb = if earlier.holds { "is" } else { "is NOT" };
        lines.push(format!("the checkpoint of size {} {verb} a prefix of it", earlier.size));
    }
    let prefix = found.earlier.map(|e| json!({"size": e.size, "holds": e.holds}));
    let json = json!({"log": found, "member": fingerprint, "earlier": prefix});
    let mut answer = Answer::new(lines.join("\n"), json);
    answer.refused = refused;
    Ok(answer)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if length > FILE_BYTES_MAX {
        return Err(format!("{length} bytes are more than such a file can have"));
    }
    fs::read(path).map(Some).map_err(|e| e.to_string())
}
