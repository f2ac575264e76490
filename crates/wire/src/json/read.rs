//! Builds values from strict JSON, remembering the pointer of a fault. Pure.

use super::scan::{Cursor, Escapes, Fault, unescape};
use super::{JsonProblem, Reason, escape, position};
use crate::limits;
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Reads one value from all of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, JsonProblem> {
    let whole = |offset, reason| {
        let (line, column) = position(bytes, offset);
        JsonProblem { reason, offset, line, column, pointer: String::new() }
    };
    if bytes.len() > limits::OBJECT_BYTES_MAX {
        return Err(whole(0, Reason::Size(bytes.len())));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(whole(0, Reason::Mark));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| whole(e.valid_up_to(), Reason::Encoding))?;
    let mut reader = Reader { cursor: Cursor::new(text), trail: Vec::new() };
    reader.document().map_err(|fault| {
        let mut problem = whole(fault.at, fault.reason);
        problem.pointer = reader.trail.iter().rev().map(|t| format!("/{}", escape(t))).collect();
        problem
    })
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Keys and indexes down to the fault, innermost first; empty while all is well.
    trail: Vec<String>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Fault> {
        let value = self.value(0)?;
        self.cursor.white();
        match self.cursor.peek() {
            None => Ok(value),
            Some(_) => self.cursor.fault(Reason::Trailing),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        self.cursor.white();
        match self.cursor.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't') => self.cursor.literal("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.cursor.literal("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.cursor.literal("null").map(|()| Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.cursor.fault(Reason::Expected("a value")),
            None => self.cursor.fault(Reason::End),
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.cursor.white();
        let at = self.cursor.at;
        match self.cursor.string()? {
            (inner, Escapes::None) => Ok(inner.to_owned()),
            (inner, Escapes::Some) => unescape(inner).ok_or(Fault { at, reason: Reason::Escape }),
        }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let at = self.cursor.at;
        let text = self.cursor.number()?;
        number(text).ok_or_else(|| {
            let shown = text.chars().take(40).collect();
            Fault { at, reason: Reason::Number(shown) }
        })
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        self.open(depth)?;
        let mut map = Map::new();
        if self.cursor.peek() == Some(b'}') {
            self.cursor.step(1);
            return Ok(Value::Object(map));
        }
        loop {
            let at = self.cursor.at;
            let key = self.string()?;
            let value = match self.member(depth) {
                Ok(value) => value,
                Err(fault) => {
                    self.trail.push(key);
                    return Err(fault);
                }
            };
            match map.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(taken) => {
                    let key = taken.key().clone();
                    self.trail.push(key.clone());
                    return Err(Fault { at, reason: Reason::Duplicate(key) });
                }
            }
            if self.close_or_next(b'}', map.len())? {
                return Ok(Value::Object(map));
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Value, Fault> {
        self.cursor.expect(b':', "a colon")?;
        self.value(depth.saturating_add(1))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        self.open(depth)?;
        let mut list = Vec::new();
        if self.cursor.peek() == Some(b']') {
            self.cursor.step(1);
            return Ok(Value::Array(list));
        }
        loop {
            match self.value(depth.saturating_add(1)) {
                Ok(value) => list.push(value),
                Err(fault) => {
                    self.trail.push(list.len().to_string());
                    return Err(fault);
                }
            }
            if self.close_or_next(b']', list.len())? {
                return Ok(Value::Array(list));
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Fault> {
        if depth >= limits::DEPTH_MAX {
            return self.cursor.fault(Reason::Depth);
        }
        self.cursor.step(1);
        self.cursor.white();
        Ok(())
    }

    fn close_or_next(&mut self, close: u8, count: usize) -> Result<bool, Fault> {
        if count > limits::MEMBERS_MAX {
            return self.cursor.fault(Reason::Members);
        }
        self.cursor.comma_or(close)
    }
}

/// An integer where one fits, else the nearest double; nothing beyond its range.
fn number(text: &str) -> Option<Value> {
    let integer = !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
    if integer && text != "-0" {
        if let Ok(small) = text.parse::<i64>() {
            return Some(Value::Number(small.into()));
        }
        if let Ok(large) = text.parse::<u64>() {
            return Some(Value::Number(large.into()));
        }
    }
    Number::from_f64(text.parse::<f64>().ok()?).map(Value::Number)
}
