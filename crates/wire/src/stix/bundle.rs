//! Reads bundles, TAXII envelopes, lists, JSON lines and bare objects, one object at a time. Pure.
//!
//! A bad object is rejected alone; a torn input ends the reading with its place, after everything
//! before it was delivered. Memory: one object and one chunk.

use super::intake::Tally;
use super::object::{ObjectProblem, StixObject};
use super::source::{Source, Span, Torn};
use super::{Fatal, Item, Place, Summary};
use crate::limits;
use serde_json::Value;
use std::io::Read;
use std::ops::ControlFlow;

/// Why reading ends early: the visitor asked for it, or the input is torn.
enum Stop {
    Visitor,
    Torn(Torn),
    Shape(&'static str),
}

impl From<Torn> for Stop {
    fn from(torn: Torn) -> Self {
        Self::Torn(torn)
    }
}

/// Reads STIX in any of its containers; the same as [`read_bundle`], named as in every importer.
///
/// # Errors
/// The input is torn or is no STIX container; what was delivered before stands.
pub fn read(
    reader: impl Read,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    read_bundle(reader, visit)
}

/// Reads a bundle (2.1 or 2.0), a TAXII envelope, a list, JSON lines or one object.
///
/// # Errors
/// The input is torn or is no STIX container; what was delivered before stands.
pub fn read_bundle<R: Read>(
    reader: R,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut walk = Walk { source: Source::new(reader), tally: Tally::new(visit) };
    let stop = match walk.top() {
        Ok(()) | Err(Stop::Visitor) => return Ok(walk.tally.summary),
        Err(stop) => stop,
    };
    let place = walk.source.place();
    let (reason, cure) = match stop {
        Stop::Torn(torn) => (torn.to_string(), "the input was damaged or cut off; fetch it again"),
        Stop::Shape(reason) => (reason.to_owned(), SHAPE_CURE),
        Stop::Visitor => return Ok(walk.tally.summary),
    };
    Err(walk.tally.fatal(place, reason, cure))
}

const SHAPE_CURE: &str = "give a STIX bundle, a list or lines of STIX objects, in UTF-8";

/// What the members of an object said so far.
#[derive(Default)]
struct Seen {
    kind: Option<String>,
    container: bool,
}

struct Walk<'v, R> {
    source: Source<R>,
    tally: Tally<'v>,
}

impl<R: Read> Walk<'_, R> {
    fn top(&mut self) -> Result<(), Stop> {
        let mut seen = false;
        loop {
            match self.source.after_white()? {
                None if seen => return Ok(()),
                None => return Err(Stop::Shape("the input is empty")),
                Some(b'{') => self.object()?,
                Some(b'[') => self.list("")?,
                Some(0xef | 0xfe | 0xff) => {
                    return Err(Stop::Shape("the input begins with a byte order mark"));
                }
                Some(_) => return Err(Stop::Shape("neither an object nor a list begins here")),
            }
            seen = true;
        }
    }

    /// A container with a list of objects, or a bare object.
    fn object(&mut self) -> Result<(), Stop> {
        let place = self.source.place();
        let start = self.source.offset();
        self.source.hold();
        self.source.step();
        let mut seen = Seen::default();
        let outcome = self.members(&mut seen);
        if !seen.container && matches!(outcome, Err(Stop::Shape(_))) {
            // WHY: a bare object with broken syntax is rejected alone; its reader says why.
            self.source.rest_of_object()?;
            return self.bare(start, place);
        }
        outcome?;
        match (seen.container, seen.kind.as_deref()) {
            (true, None | Some("bundle")) | (false, Some("bundle")) => {
                self.source.release();
                Ok(())
            }
            (true, Some(_)) => Err(Stop::Shape("a list `objects` in what is not a bundle")),
            (false, _) => self.bare(start, place),
        }
    }

    fn members(&mut self, seen: &mut Seen) -> Result<(), Stop> {
        if self.source.after_white()? == Some(b'}') {
            self.source.step();
            return Ok(());
        }
        loop {
            let key = self.key()?;
            let next = self.source.after_white()?;
            let holder = seen.kind.as_deref().is_none_or(|k| k == "bundle");
            if key == "objects" && next == Some(b'[') && holder {
                self.source.release();
                seen.container = true;
                self.list("/objects")?;
            } else {
                let span = self.source.value()?;
                if key == "type" && seen.kind.is_none() {
                    seen.kind = self.source.bytes(span).and_then(text_of);
                }
            }
            if self.comma_or(b'}')? {
                return Ok(());
            }
        }
    }

    fn bare(&mut self, start: u64, place: Place) -> Result<(), Stop> {
        let span = Span { start, end: self.source.offset() };
        self.source.release();
        self.deliver(span, place)
    }

    fn key(&mut self) -> Result<String, Stop> {
        if self.source.after_white()? != Some(b'"') {
            return Err(Stop::Shape("a key is missing here"));
        }
        let span = self.source.value()?;
        let key = self.source.bytes(span).and_then(text_of);
        let key = key.ok_or(Stop::Shape("the key before this is not a valid string"))?;
        if self.source.after_white()? != Some(b':') {
            return Err(Stop::Shape("a colon is missing here"));
        }
        self.source.step();
        Ok(key)
    }

    fn list(&mut self, pointer: &str) -> Result<(), Stop> {
        self.source.step();
        if self.source.after_white()? == Some(b']') {
            self.source.step();
            return Ok(());
        }
        let mut element: u64 = 0;
        loop {
            if self.source.after_white()? == Some(b']') {
                return Err(Stop::Shape("an object is missing after the comma"));
            }
            let mut place = self.source.place();
            place.pointer = format!("{pointer}/{element}");
            let span = self.source.value()?;
            self.deliver(span, place)?;
            element = element.saturating_add(1);
            if self.comma_or(b']')? {
                return Ok(());
            }
        }
    }

    fn comma_or(&mut self, close: u8) -> Result<bool, Stop> {
        match self.source.after_white()? {
            Some(b',') => {
                self.source.step();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.source.step();
                Ok(true)
            }
            Some(_) => Err(Stop::Shape("a comma or a closing bracket is missing before this")),
            None => Err(Stop::Torn(Torn::End)),
        }
    }

    fn deliver(&mut self, span: Span, place: Place) -> Result<(), Stop> {
        let length = span.end.saturating_sub(span.start);
        let outcome = match self.source.bytes(span) {
            Some(raw) if raw.len() <= limits::OBJECT_BYTES_MAX => StixObject::parse(raw),
            Some(_) | None => Err(ObjectProblem::Size(length)),
        };
        match self.tally.deliver(outcome, place) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Visitor),
        }
    }
}

/// The text of a JSON string.
fn text_of(raw: &[u8]) -> Option<String> {
    match crate::json::parse_strict(raw) {
        Ok(Value::String(text)) => Some(text),
        Ok(_) | Err(_) => None,
    }
}
