//! Records as a table, a row an object, in a stream.

use super::sheet::{Output, Sheet};
use crate::failure::Failure;
use model::ids::RecordId;
use std::collections::BTreeSet;
use wire::csv::{header, to_row};
use wire::stix::StixObject;

/// A table.
pub struct Table {
    out: Output,
    redacted: BTreeSet<RecordId>,
}

impl Table {
    /// Begins a table with its header.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(mut out: Output) -> Result<Self, Failure> {
        out.write(&header())?;
        Ok(Self { out, redacted: BTreeSet::new() })
    }
}

impl Sheet for Table {
    fn object(&mut self, stix: &str) -> Result<(), Failure> {
        let object = StixObject::parse(stix.as_bytes()).map_err(|e| {
            Failure::node("record_damaged", format!("a record held is damaged: {e}"), e.help())
        })?;
        let redacted = self.redacted.contains(object.id());
        self.out.write(&to_row(&object, redacted))
    }

    fn redacted(&mut self, records: Vec<RecordId>) {
        self.redacted = records.into_iter().collect();
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        self.out.end()
    }
}
