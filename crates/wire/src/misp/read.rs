//! Reads MISP JSON in any of its containers: one event, a list, `response` wrappers, the answer of
//! a search for attributes, JSON lines. Pure.
//!
//! Memory: one event. A bad part is rejected alone with its pointer; a torn input ends the reading
//! after everything before it was delivered.

use super::EVENT_BYTES_MAX;
use super::audience::Audiences;
use super::event::{self, Parts};
use crate::limits;
use crate::stix::source::{Source, Torn};
use crate::stix::{Fatal, Item, Place, Rejected, Summary, Tally};
use serde_json::Value;
use std::io::Read;
use std::ops::ControlFlow;

const SHAPE_CURE: &str =
    "give an event as MISP exports it (JSON), a list of them, or a feed's folder";
/// LIMIT: wrappers inside one another.
const WRAPPERS_MAX: usize = 8;

enum Stop {
    Visitor,
    Torn(Torn),
    Shape(String),
}

impl From<Torn> for Stop {
    fn from(torn: Torn) -> Self {
        Self::Torn(torn)
    }
}

/// Reads events and delivers their records.
///
/// # Errors
/// The input is torn or holds no event; what was delivered before stands.
pub fn read(
    reader: impl Read,
    audiences: &Audiences,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let tally = Tally::new(visit);
    let mut walk = Walk { source: Source::new(reader), tally, audiences, depth: 0 };
    let stop = match walk.top() {
        Ok(()) | Err(Stop::Visitor) => return Ok(walk.tally.summary),
        Err(stop) => stop,
    };
    let place = walk.source.place();
    let (reason, cure) = match stop {
        Stop::Torn(torn) => (torn.to_string(), "the input was damaged or cut off; fetch it again"),
        Stop::Shape(reason) => (reason, SHAPE_CURE),
        Stop::Visitor => return Ok(walk.tally.summary),
    };
    Err(walk.tally.fatal(place, reason, cure))
}

struct Walk<'v, 'a, R> {
    source: Source<R>,
    tally: Tally<'v>,
    audiences: &'a Audiences,
    depth: usize,
}

fn shape<T>(reason: &str) -> Result<T, Stop> {
    Err(Stop::Shape(reason.to_owned()))
}

impl<R: Read> Walk<'_, '_, R> {
    fn top(&mut self) -> Result<(), Stop> {
        let mut seen = false;
        loop {
            match self.source.after_white()? {
                None if seen => return Ok(()),
                None => return shape("the input is empty"),
                Some(b'{' | b'[') => self.container("")?,
                Some(0xef | 0xfe | 0xff) => {
                    return shape("the input begins with a byte order mark");
                }
                Some(_) => return shape("neither an object nor a list begins here"),
            }
            seen = true;
        }
    }

    /// A list of events or one object that is, or holds, events.
    fn container(&mut self, pointer: &str) -> Result<(), Stop> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > WRAPPERS_MAX {
            return shape("wrappers nested too deep for events");
        }
        let done = match self.source.after_white()? {
            Some(b'{') => self.object(pointer),
            Some(b'[') => self.elements(pointer, &mut |walk, below| walk.container(below)),
            Some(_) | None => shape("an event is missing here"),
        };
        self.depth = self.depth.saturating_sub(1);
        done
    }

    fn object(&mut self, pointer: &str) -> Result<(), Stop> {
        let mut parts = Parts { place: self.here(pointer), ..Parts::default() };
        let start = self.source.offset();
        let mut wrapped = false;
        self.source.step();
        if self.source.after_white()? == Some(b'}') {
            self.source.step();
            return shape("an object without anything in it");
        }
        loop {
            let key = self.key()?;
            let below = format!("{pointer}/{}", crate::json::escape(&key));
            let next = self.source.after_white()?;
            match (key.as_str(), next) {
                ("Event", Some(b'{')) | ("response", Some(b'{' | b'[')) => {
                    wrapped = true;
                    self.container(&below)?;
                }
                ("Attribute", Some(b'[')) => self.collect(&below, &mut parts.attributes)?,
                ("Object", Some(b'[')) => self.collect(&below, &mut parts.objects)?,
                (_, _) => {
                    if let Some(value) = self.value(&below)? {
                        parts.head.insert(key, value);
                    }
                }
            }
            if self.source.offset().saturating_sub(start) > EVENT_BYTES_MAX && !wrapped {
                let reason = format!("the event is larger than {EVENT_BYTES_MAX} bytes");
                return Err(Stop::Shape(reason));
            }
            if self.comma_or(b'}')? {
                break;
            }
        }
        self.finish(parts, wrapped)
    }

    /// Converts what was collected, if it is an event or loose attributes.
    fn finish(&mut self, mut parts: Parts, wrapped: bool) -> Result<(), Stop> {
        let event = parts.head.contains_key("info") || parts.head.contains_key("threat_level_id");
        let loose = !parts.attributes.is_empty() || !parts.objects.is_empty();
        if !event && !loose {
            return if wrapped {
                Ok(())
            } else {
                shape("this is neither an event nor a list of them")
            };
        }
        if !event {
            let context = parts.attributes.iter().chain(&parts.objects);
            let context = context.filter_map(|(_, part)| part.get("Event")).find(|e| e.is_object());
            let context = context.and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, value) in context {
                parts.head.entry(key).or_insert(value);
            }
            let title = Value::String("attributes without their event".to_owned());
            parts.head.entry("info").or_insert(title);
        }
        match event::convert(&parts, self.audiences, &mut self.tally) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Visitor),
        }
    }

    fn here(&mut self, pointer: &str) -> Place {
        let mut place = self.source.place();
        pointer.clone_into(&mut place.pointer);
        place
    }

    fn collect(&mut self, pointer: &str, into: &mut Vec<(Place, Value)>) -> Result<(), Stop> {
        self.elements(pointer, &mut |walk, below| {
            if into.len() >= limits::MEMBERS_MAX {
                let reason = format!("more than {} parts in one event", limits::MEMBERS_MAX);
                return Err(Stop::Shape(reason));
            }
            let place = walk.here(below);
            if let Some(value) = walk.value(below)? {
                into.push((place, value));
            }
            Ok(())
        })
    }

    /// One value; a malformed one is rejected and left out.
    fn value(&mut self, pointer: &str) -> Result<Option<Value>, Stop> {
        let place = self.here(pointer);
        let span = self.source.value()?;
        let Some(raw) = self.source.bytes(span).filter(|raw| raw.len() <= limits::OBJECT_BYTES_MAX)
        else {
            let reason = format!("this part is longer than {} bytes", limits::OBJECT_BYTES_MAX);
            return self.reject(place, reason, "leave large attachments out, or split the part");
        };
        match crate::json::parse_strict(raw) {
            Ok(value) => Ok(Some(value)),
            Err(problem) => {
                let mut place = place;
                place.pointer.push_str(&problem.pointer);
                self.reject(place, problem.reason.to_string(), problem.help())
            }
        }
    }

    fn reject<T>(&mut self, place: Place, reason: String, cure: &str) -> Result<Option<T>, Stop> {
        let bad = Rejected { index: 0, place, id: None, reason, cure: cure.to_owned() };
        match self.tally.reject(bad) {
            ControlFlow::Continue(()) => Ok(None),
            ControlFlow::Break(()) => Err(Stop::Visitor),
        }
    }

    fn elements(
        &mut self,
        pointer: &str,
        each: &mut dyn FnMut(&mut Self, &str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.source.step();
        if self.source.after_white()? == Some(b']') {
            self.source.step();
            return Ok(());
        }
        let mut at: u64 = 0;
        loop {
            if self.source.after_white()? == Some(b']') {
                return shape("a value is missing after the comma");
            }
            each(self, &format!("{pointer}/{at}"))?;
            at = at.saturating_add(1);
            if self.comma_or(b']')? {
                return Ok(());
            }
        }
    }

    fn key(&mut self) -> Result<String, Stop> {
        if self.source.after_white()? != Some(b'"') {
            return shape("a key is missing here");
        }
        let span = self.source.value()?;
        let key = match self.source.bytes(span).map(crate::json::parse_strict) {
            Some(Ok(Value::String(key))) => key,
            Some(_) | None => return shape("the key before this is not a valid string"),
        };
        if self.source.after_white()? != Some(b':') {
            return shape("a colon is missing here");
        }
        self.source.step();
        self.source.after_white()?;
        Ok(key)
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
            Some(_) => shape("a comma or a closing bracket is missing before this"),
            None => Err(Stop::Torn(Torn::End)),
        }
    }
}
