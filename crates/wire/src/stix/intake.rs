//! What every importer answers: items one by one, and a summary or the place where it stopped.
//! Pure.

use super::{ObjectProblem, StixObject};
use crate::stix::SpecVersion;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

/// A place in the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its column in bytes, from 1; 0 where only the line is known.
    pub column: u64,
    /// RFC 6901 pointer, or the name of a column or element; empty for the whole.
    pub pointer: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if self.column > 0 {
            write!(f, " column {}", self.column)?;
        }
        if self.pointer.is_empty() { Ok(()) } else { write!(f, " (`{}`)", self.pointer) }
    }
}

/// One entry of the input that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number among the entries of the input, from 0.
    pub index: u64,
    /// Where the fault is.
    pub place: Place,
    /// Its identifier, where one could be read.
    pub id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// How to cure it.
    pub cure: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: entry {}", self.place, self.index)?;
        if let Some(id) = &self.id {
            write!(f, " `{id}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// One entry of the input: an object, or why it was not taken.
#[derive(Debug, Clone)]
pub enum Item {
    /// A valid object with its bytes.
    Object(Box<StixObject>),
    /// Not taken; the others go on.
    Rejected(Box<Rejected>),
}

/// Counts of one import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects delivered.
    pub accepted: u64,
    /// Entries rejected.
    pub rejected: u64,
    /// Objects delivered, by STIX type.
    pub by_type: BTreeMap<String, u64>,
    /// Objects delivered that follow STIX 2.0.
    pub stix_20: u64,
    /// Whether the visitor asked to stop before the end.
    pub stopped: bool,
}

/// The input cannot be read further; what was delivered before stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fatal {
    /// Where reading stopped.
    pub place: Place,
    /// What is wrong.
    pub reason: String,
    /// How to cure it.
    pub cure: &'static str,
    /// What was delivered before.
    pub summary: Box<Summary>,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Fatal {}

/// Delivers items to the visitor and counts them.
pub(crate) struct Tally<'v> {
    visit: &'v mut dyn FnMut(Item) -> ControlFlow<()>,
    pub(crate) summary: Summary,
    pub(crate) index: u64,
}

impl<'v> Tally<'v> {
    pub(crate) fn new(visit: &'v mut dyn FnMut(Item) -> ControlFlow<()>) -> Self {
        Self { visit, summary: Summary::default(), index: 0 }
    }

    /// Hands over the result of one entry that begins at `place`.
    pub(crate) fn deliver(
        &mut self,
        outcome: Result<StixObject, ObjectProblem>,
        place: Place,
    ) -> ControlFlow<()> {
        match outcome {
            Ok(object) => self.accept(object),
            Err(problem) => {
                let id = problem.id().map(str::to_owned);
                let (reason, cure) = (problem.to_string(), problem.help().to_owned());
                let place = problem.within(place);
                self.reject(Rejected { index: self.index, place, id, reason, cure })
            }
        }
    }

    fn accept(&mut self, object: StixObject) -> ControlFlow<()> {
        self.summary.accepted = self.summary.accepted.saturating_add(1);
        if object.spec() == SpecVersion::V20 {
            self.summary.stix_20 = self.summary.stix_20.saturating_add(1);
        }
        match self.summary.by_type.get_mut(object.kind()) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                self.summary.by_type.insert(object.kind().to_owned(), 1);
            }
        }
        self.hand_over(Item::Object(Box::new(object)))
    }

    /// Hands over a rejection; its `index` is set here.
    pub(crate) fn reject(&mut self, mut rejected: Rejected) -> ControlFlow<()> {
        rejected.index = self.index;
        self.summary.rejected = self.summary.rejected.saturating_add(1);
        self.hand_over(Item::Rejected(Box::new(rejected)))
    }

    fn hand_over(&mut self, item: Item) -> ControlFlow<()> {
        self.index = self.index.saturating_add(1);
        let flow = (self.visit)(item);
        self.summary.stopped |= flow.is_break();
        flow
    }

    /// The refusal that ends the input.
    pub(crate) fn fatal(&mut self, place: Place, reason: String, cure: &'static str) -> Fatal {
        Fatal { place, reason, cure, summary: Box::new(std::mem::take(&mut self.summary)) }
    }
}
