//! `import`: reads files in a stream, stores in portions, reports every bad record with its place.
//!
//! One thread reads and checks the next portion while another waits for the disk to keep the last.
//! Cost: memory for three portions, whatever the size of the file.

pub mod folder;
mod notes;

use super::Seat;
use super::arguments::{Format, Import};
use crate::command::{Answer, Command};
use crate::commands::{Desk, Made, store};
use crate::edge;
use crate::failure::Failure;
use crate::words;
use indicatif::{ProgressBar, ProgressStyle};
use model::marking::Tlp;
use node::{Body, Node};
use notes::Notes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use wire::misp::Audiences;
use wire::stix::{Fatal, Item, Rejected, Summary};

/// Records in one commit.
const PORTION: usize = 1_000;
/// LIMIT: bytes of records in one commit.
const PORTION_BYTES: usize = 8 * 1024 * 1024;
/// Bad records named before the rest is only counted.
const NAMED_MAX: usize = 100;

/// Reads the files into the node.
///
/// # Errors
/// A file cannot be read, or the node does not take the records.
pub fn import(seat: &Seat, import: &Import, quiet: bool) -> Result<Answer, Failure> {
    let floor = Tlp::parse(&import.tlp).ok_or_else(|| {
        Failure::input(
            "bad_argument",
            format!("`{}` is no TLP label", import.tlp),
            "use clear, green, amber, amber+strict or red",
        )
    })?;
    let target = if import.dry_run { Target::Nowhere } else { target(seat)? };
    let mut run = Run {
        target,
        officer: seat.officer().to_owned(),
        format: import.format,
        audiences: audiences(seat, import)?,
        floor,
        upgrade: if import.as_it_is { Upgrade::No } else { Upgrade::Yes },
        report: Report::default(),
    };
    for path in &import.files {
        if import.format == Format::Misp && path.is_dir() {
            for file in folder::events(path)? {
                run.file(&file, quiet)?;
            }
        } else {
            run.file(path, quiet)?;
        }
    }
    Ok(run.report.answer(import.dry_run))
}

/// Who MISP's distributions reach: the officer's map, and the node's own party.
fn audiences(seat: &Seat, import: &Import) -> Result<Audiences, Failure> {
    if import.format != Format::Misp {
        return Ok(Audiences::default());
    }
    let mut audiences = match &import.audiences {
        Some(path) => Audiences::parse(&super::text_file(path)?)
            .map_err(|e| Failure::input("audiences_wrong", &e, e.help()))?,
        None => Audiences::default(),
    };
    // WHY: a dry run needs no node; without one, "this community" is nobody.
    audiences.own = match seat.place() {
        Ok(place) => Some(place.settings()?.party),
        Err(_) if import.dry_run => None,
        Err(failure) => return Err(failure),
    };
    Ok(audiences)
}

fn target(seat: &Seat) -> Result<Target<'_>, Failure> {
    match seat.place()?.open(edge::now()?) {
        Ok(node) => Ok(Target::Here(Box::new(node))),
        Err(failure) if failure.code == "store_busy" => Ok(Target::Door(seat)),
        Err(failure) => Err(failure),
    }
}

/// Where records go.
enum Target<'a> {
    /// The node's own store.
    Here(Box<Node>),
    /// The officer's door of the running node.
    Door(&'a Seat),
    /// Nowhere: a dry run.
    Nowhere,
}

#[derive(Default)]
struct Report {
    stored: u64,
    unchanged: u64,
    rejected: u64,
    named: Vec<String>,
    by_type: BTreeMap<String, u64>,
    shared: Vec<Value>,
    notes: Notes,
}

struct Run<'a> {
    target: Target<'a>,
    officer: String,
    format: Format,
    audiences: Audiences,
    floor: Tlp,
    upgrade: Upgrade,
    report: Report,
}

/// Whether STIX 2.0 becomes 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    Yes,
    No,
}

/// What was read since the last portion: at most [`PORTION`] records.
#[derive(Default)]
struct Parcel {
    bodies: Vec<(Body, Made)>,
    notes: Notes,
    size_bytes: usize,
    bad: Vec<Rejected>,
}

impl Parcel {
    fn take(&mut self, item: Item, upgrade: Upgrade) {
        match item {
            Item::Object(object) => {
                self.size_bytes = self.size_bytes.saturating_add(object.raw().len());
                self.notes.look(&object);
                let made = match upgrade {
                    Upgrade::Yes => self.upgraded(&object),
                    Upgrade::No => Vec::new(),
                };
                // WHY: the 2.1 form comes after its original, in the same commit, so that it is the
                // newer copy and the only one that standing orders see.
                let original = made.len().saturating_sub(1);
                let mut made = made.into_iter().map(|body| (body, Made::Upgraded));
                self.bodies.extend(made.by_ref().take(original));
                self.bodies.push((*object, Made::Read));
                self.bodies.extend(made);
            }
            Item::Rejected(bad) => self.bad.push(*bad),
        }
    }

    /// What STIX 2.0 becomes: its observables, and last the object itself.
    fn upgraded(&mut self, object: &Body) -> Vec<Body> {
        match wire::stix::upgrade(object) {
            Ok(Some(made)) => {
                self.notes.upgraded = self.notes.upgraded.saturating_add(1);
                let sizes = made.iter().map(|object| object.raw().len());
                self.size_bytes = sizes.fold(self.size_bytes, usize::saturating_add);
                made
            }
            Ok(None) => Vec::new(),
            Err(problem) => {
                self.notes.kept_as_is(object, &problem);
                Vec::new()
            }
        }
    }

    fn is_full(&self) -> bool {
        self.bodies.len() >= PORTION
            || self.size_bytes >= PORTION_BYTES
            || self.bad.len() >= PORTION
    }
}

/// How many records the next commit takes: an original and its 2.1 form are not parted.
fn portion(bodies: &[(Body, Made)]) -> usize {
    if bodies.len() <= PORTION {
        return bodies.len();
    }
    let id = |at: usize| bodies.get(at).map(|(body, _)| body.id());
    let last = PORTION.saturating_sub(1);
    if id(last) == id(PORTION) { last } else { PORTION }
}

/// Reads a whole input into parcels, until the other side stops taking them.
fn parcels(
    (format, audiences, upgrade): (Format, &Audiences, Upgrade),
    reader: Box<dyn Read + Send>,
    parcels: &SyncSender<Parcel>,
) -> Result<Summary, Fatal> {
    let mut parcel = Parcel::default();
    let ended = read(format, audiences, reader, &mut |item| {
        parcel.take(item, upgrade);
        if parcel.is_full() && parcels.send(std::mem::take(&mut parcel)).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    // WHY: nobody takes parcels any more only after a failure, which is reported there.
    let _stopped = parcels.send(parcel);
    ended
}

fn format_word(format: Format) -> &'static str {
    match format {
        Format::Stix => "stix",
        Format::UnList => "un-list",
        Format::Ucdp => "ucdp",
        Format::Misp => "misp",
    }
}

fn read(
    format: Format,
    audiences: &Audiences,
    reader: Box<dyn Read + Send>,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    match format {
        Format::Stix => wire::stix::read(reader, visit),
        Format::UnList => wire::un_list::read(reader, visit),
        Format::Ucdp => wire::ucdp::read(reader, visit),
        Format::Misp => wire::misp::read(reader, audiences, visit),
    }
}

fn open(path: &Path, progress: &ProgressBar) -> Result<Box<dyn Read + Send>, Failure> {
    let wrong = |e: &dyn std::fmt::Display| {
        let message = format!("`{}` cannot be read: {e}", path.display());
        Failure::input("file_unreadable", message, "check the path and its permissions")
    };
    let file = File::open(path).map_err(|e| wrong(&e))?;
    progress.set_length(file.metadata().map_err(|e| wrong(&e))?.len());
    let file = BufReader::with_capacity(1 << 16, progress.wrap_read(file));
    if path.extension().is_some_and(|end| end == "zst") {
        let unpacked = ruzstd::decoding::StreamingDecoder::new(file).map_err(|e| wrong(&e))?;
        return Ok(Box::new(unpacked));
    }
    Ok(Box::new(file))
}

fn bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}  {msg}  {eta}");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Run<'_> {
    fn file(&mut self, path: &Path, quiet: bool) -> Result<(), Failure> {
        let progress = bar(quiet);
        let reader = open(path, &progress)?;
        let name = path.display().to_string();
        let (format, audiences, upgrade) = (self.format, self.audiences.clone(), self.upgrade);
        let ended = std::thread::scope(|scope| {
            let (send, receive) = sync_channel(1);
            let reading =
                scope.spawn(move || parcels((format, &audiences, upgrade), reader, &send));
            let stored = receive.into_iter().try_for_each(|parcel| {
                self.parcel(parcel, &name)?;
                progress.set_message(words::count(self.report.stored, "record"));
                Ok(())
            });
            let cut_off = |_| {
                let message = format!("`{name}` could not be read to its end");
                Failure::node("reading_failed", message, "report this with the file")
            };
            stored.and(reading.join().map_err(cut_off))
        });
        progress.finish_and_clear();
        if let Err(fatal) = ended? {
            self.reject(format!("{name}: {fatal}; help: {}", fatal.cure));
        }
        Ok(())
    }

    fn parcel(&mut self, parcel: Parcel, name: &str) -> Result<(), Failure> {
        for bad in parcel.bad {
            self.reject(format!("{name}: {bad}; help: {}", bad.cure));
        }
        let read = parcel.bodies.iter().filter(|(_, made)| *made == Made::Read);
        for (object, _) in read {
            match self.report.by_type.get_mut(object.kind()) {
                Some(number) => *number = number.saturating_add(1),
                None => {
                    self.report.by_type.insert(object.kind().to_owned(), 1);
                }
            }
        }
        self.report.notes.add(parcel.notes, name);
        let mut bodies = parcel.bodies;
        while !bodies.is_empty() {
            let rest = bodies.split_off(portion(&bodies));
            self.keep(std::mem::replace(&mut bodies, rest))?;
        }
        Ok(())
    }

    fn reject(&mut self, line: String) {
        self.report.rejected = self.report.rejected.saturating_add(1);
        if self.report.named.len() < NAMED_MAX {
            self.report.named.push(line);
        }
    }

    fn keep(&mut self, bodies: Vec<(Body, Made)>) -> Result<(), Failure> {
        if bodies.is_empty() {
            return Ok(());
        }
        let format = format_word(self.format);
        let answer = match &mut self.target {
            Target::Nowhere => return Ok(()),
            Target::Here(node) => {
                let officer = self.officer.clone();
                let mut desk = Desk { node, officer, now: edge::now()? };
                store(&mut desk, format, Some(self.floor), bodies)?
            }
            Target::Door(seat) => {
                let upgraded = bodies.iter().enumerate();
                let upgraded = upgraded.filter(|(_, (_, made))| *made == Made::Upgraded);
                let upgraded = upgraded.map(|(at, _)| at).collect();
                let text = |(b, _): (Body, Made)| String::from_utf8_lossy(b.raw()).into_owned();
                let records = bodies.into_iter().map(text).collect();
                seat.ask(Command::Import {
                    format: format.to_owned(),
                    officer: self.officer.clone(),
                    floor: Some(self.floor),
                    records,
                    upgraded,
                })?
            }
        };
        self.count(&answer.json);
        Ok(())
    }

    fn count(&mut self, json: &Value) {
        let number = |key: &str| json.get(key).and_then(Value::as_u64).unwrap_or(0);
        self.report.stored = self.report.stored.saturating_add(number("stored"));
        self.report.unchanged = self.report.unchanged.saturating_add(number("unchanged"));
        for bad in json.get("refused").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| bad.get(key).and_then(Value::as_str).unwrap_or("?");
            self.reject(format!("`{}`: {}", text("record"), text("reason")));
        }
        if let Some(Value::Array(rows)) = json.get("shared") {
            self.report.shared.extend(rows.iter().cloned());
        }
    }
}

impl Report {
    fn answer(self, dry_run: bool) -> Answer {
        let mut lines = Vec::new();
        for (kind, number) in &self.by_type {
            lines.push(format!("{number:>9}  {kind}"));
        }
        let done = if dry_run {
            "read and checked, nothing stored (dry run)".to_owned()
        } else {
            format!("{} stored, {} unchanged", words::count(self.stored, "record"), self.unchanged)
        };
        lines.push(format!("{done}, {} rejected", self.rejected));
        lines.extend(self.named.iter().map(|line| format!("rejected: {line}")));
        lines.extend(self.notes.lines());
        let named = u64::try_from(self.named.len()).unwrap_or(u64::MAX);
        if self.rejected > named {
            let more = self.rejected.saturating_sub(named);
            lines.push(format!("… and {more} more"));
        }
        let json = json!({"stored": self.stored, "unchanged": self.unchanged, "rejected":
            self.rejected, "problems": self.named, "by_type": self.by_type,
            "shared": self.shared, "dry_run": dry_run, "upgraded": self.notes.upgraded,
            "not_upgraded": self.notes.not_upgraded, "other_ids": self.notes.other_ids,
            "notes": self.notes.named});
        Answer::new(lines.join("\n"), json)
    }
}
