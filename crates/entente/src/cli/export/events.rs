//! MISP events as a file. An event is one object, so that all records wait in memory for its end.

use super::sheet::{Output, Sheet};
use crate::failure::Failure;
use model::ids::RecordId;
use serde_json::json;
use std::collections::BTreeSet;
use wire::misp::{Distribution, EVENT_BYTES_MAX, write};
use wire::stix::StixObject;

/// Records until they are events.
pub struct Events {
    out: Output,
    lines: bool,
    objects: Vec<StixObject>,
    ours: BTreeSet<RecordId>,
    size_bytes: u64,
}

impl Events {
    /// Events in one `response`, or an event a line.
    pub fn new(lines: bool, out: Output) -> Self {
        Self { out, lines, objects: Vec::new(), ours: BTreeSet::new(), size_bytes: 0 }
    }
}

impl Sheet for Events {
    fn object(&mut self, stix: &str) -> Result<(), Failure> {
        let length = u64::try_from(stix.len()).unwrap_or(u64::MAX);
        self.size_bytes = self.size_bytes.saturating_add(length);
        // LIMIT: as large as what this program reads as one event.
        if self.size_bytes > EVENT_BYTES_MAX {
            return Err(Failure::input(
                "export_too_large",
                format!("the records for one file of events are more than {EVENT_BYTES_MAX} bytes"),
                "name records or a --type; releases up to there are in the log, no file was made",
            ));
        }
        let object = StixObject::parse(stix.as_bytes()).map_err(|e| {
            Failure::node("record_damaged", format!("a record held is damaged: {e}"), e.help())
        })?;
        self.objects.push(object);
        Ok(())
    }

    fn ours(&mut self, records: &[RecordId]) {
        self.ours.extend(records.iter().cloned());
    }

    fn end(mut self: Box<Self>) -> Result<(), Failure> {
        // INVARIANT: what others gave, and what goes to others, is for one organisation.
        let written = write(&self.objects, &|object| match self.ours.contains(object.id()) {
            true => Distribution::Stated,
            false => Distribution::Organisation,
        });
        if self.lines {
            for event in written.events {
                self.out.line(&json!({ "Event": event }).to_string())?;
            }
            return self.out.end();
        }
        self.out.write(b"{\"response\":[")?;
        let mut before: &[u8] = b"\n";
        for event in written.events {
            self.out.write(before)?;
            self.out.write(json!({ "Event": event }).to_string().as_bytes())?;
            before = b",\n";
        }
        self.out.write(b"\n]}\n")?;
        self.out.end()
    }
}
