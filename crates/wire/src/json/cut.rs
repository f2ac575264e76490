//! Takes members out of JSON by pointer, on values and on raw bytes alike. Pure.
//!
//! INVARIANT: what is kept stays byte for byte as it was; only the cut members, their commas and
//! containers left empty go. WHY: a container emptied by a cut goes too, because STIX 2.1 forbids
//! empty lists (section 2.9) and an empty object would still say that something was there.

use super::scan::{Cursor, Escapes, Fault, unescape};
use super::{parse_strict, position, tokens};
use serde_json::Value;
use std::collections::BTreeMap;

/// Why members could not be taken out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutProblem {
    /// Not an RFC 6901 pointer, or the pointer of the whole text.
    #[error("`{0}` does not point at a member")]
    Pointer(String),
    /// Nothing is there.
    #[error("there is nothing at `{0}`")]
    Absent(String),
    /// The bytes are not JSON.
    #[error("line {line} column {column}: not JSON")]
    Syntax {
        /// Line of the fault, from 1.
        line: u64,
        /// Column in bytes, from 1.
        column: u64,
    },
}

/// What happens to one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// It goes.
    Cut,
    /// These bytes take the place of its value.
    Put(Vec<u8>),
}

/// A tree of edits by unescaped pointer tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    edit: Option<Edit>,
    below: BTreeMap<String, Plan>,
}

impl Plan {
    /// Adds an edit; an edit above it wins.
    pub(crate) fn add(&mut self, path: &[String], edit: Edit) {
        let mut node = self;
        for token in path {
            node = node.below.entry(token.clone()).or_default();
        }
        node.edit = Some(edit);
    }

    /// A plan that cuts all pointers, each of which must exist in `value`.
    pub(crate) fn cutting(value: &Value, pointers: &[&str]) -> Result<Self, CutProblem> {
        let mut plan = Self::default();
        for pointer in pointers {
            let wrong = || CutProblem::Pointer((*pointer).to_owned());
            let path = tokens(pointer).filter(|p| !p.is_empty()).ok_or_else(wrong)?;
            if value.pointer(pointer).is_none() {
                return Err(CutProblem::Absent((*pointer).to_owned()));
            }
            plan.add(&path, Edit::Cut);
        }
        Ok(plan)
    }
}

/// A copy of `value` without the members at `pointers` and without containers emptied by that.
///
/// # Errors
/// A pointer that is malformed, is the root, or points at nothing.
pub fn remove(value: &Value, pointers: &[&str]) -> Result<Value, CutProblem> {
    let plan = Plan::cutting(value, pointers)?;
    let empty = if value.is_array() {
        Value::Array(Vec::new())
    } else {
        Value::Object(serde_json::Map::new())
    };
    Ok(prune(value, &plan).unwrap_or(empty))
}

fn prune(value: &Value, plan: &Plan) -> Option<Value> {
    if plan.edit == Some(Edit::Cut) {
        return None;
    }
    if plan.below.is_empty() {
        return Some(value.clone());
    }
    match value {
        Value::Object(map) => {
            let keep = |(key, child): (&String, &Value)| {
                let kept = match plan.below.get(key) {
                    Some(below) => prune(child, below)?,
                    None => child.clone(),
                };
                Some((key.clone(), kept))
            };
            let kept: serde_json::Map<_, _> = map.iter().filter_map(keep).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(list) => {
            let keep = |(index, child): (usize, &Value)| match plan.below.get(&index.to_string()) {
                Some(below) => prune(child, below),
                None => Some(child.clone()),
            };
            let kept: Vec<_> = list.iter().enumerate().filter_map(keep).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// The bytes of a strict JSON text without the members at `pointers`; the rest is untouched.
///
/// # Errors
/// Bytes that are not strict JSON; a pointer that is malformed, is the root, or points at nothing.
pub fn remove_raw(raw: &[u8], pointers: &[&str]) -> Result<Vec<u8>, CutProblem> {
    let value =
        parse_strict(raw).map_err(|p| CutProblem::Syntax { line: p.line, column: p.column })?;
    apply_raw(raw, &Plan::cutting(&value, pointers)?)
}

/// The bytes of a strict JSON text after all edits of `plan`.
pub(crate) fn apply_raw(raw: &[u8], plan: &Plan) -> Result<Vec<u8>, CutProblem> {
    let syntax = |at: usize| {
        let (line, column) = position(raw, at);
        CutProblem::Syntax { line, column }
    };
    let text = std::str::from_utf8(raw).map_err(|e| syntax(e.valid_up_to()))?;
    let mut cursor = Cursor::new(text);
    cursor.white();
    let start = cursor.at;
    let kept = rewrite(&mut cursor, plan, 0).map_err(|fault| syntax(fault.at))?;
    let mut out = text.as_bytes().get(..start).unwrap_or_default().to_vec();
    let empty: &[u8] = if text.as_bytes().get(start) == Some(&b'[') { b"[]" } else { b"{}" };
    out.extend_from_slice(kept.as_deref().unwrap_or(empty));
    out.extend_from_slice(cursor.rest());
    Ok(out)
}

/// The new bytes of the value at the cursor; nothing if it goes.
fn rewrite(cursor: &mut Cursor, plan: &Plan, depth: usize) -> Result<Option<Vec<u8>>, Fault> {
    let start = cursor.at;
    let open = cursor.peek();
    let container = matches!(open, Some(b'{' | b'['));
    if plan.edit.is_some() || plan.below.is_empty() || !container {
        cursor.skip(depth)?;
        let kept = cursor.slice(start, cursor.at).as_bytes().to_vec();
        return Ok(match &plan.edit {
            Some(Edit::Cut) => None,
            Some(Edit::Put(bytes)) => Some(bytes.clone()),
            None => Some(kept),
        });
    }
    let close = if open == Some(b'{') { b'}' } else { b']' };
    let mut out = vec![if close == b'}' { b'{' } else { b'[' }];
    cursor.step(1);
    let members = rewrite_members(cursor, plan, (close, depth), &mut out)?;
    out.push(close);
    Ok((members > 0).then_some(out))
}

/// Copies the members that stay, with the white space around them; says how many stayed.
fn rewrite_members(
    cursor: &mut Cursor,
    plan: &Plan,
    (close, depth): (u8, usize),
    out: &mut Vec<u8>,
) -> Result<usize, Fault> {
    let mut kept: usize = 0;
    let mut index: usize = 0;
    loop {
        let lead = cursor.at;
        cursor.white();
        if cursor.peek() == Some(close) {
            cursor.step(1);
            return Ok(kept);
        }
        let key = if close == b'}' { member_key(cursor)? } else { index.to_string() };
        cursor.white();
        let lead = cursor.slice(lead, cursor.at);
        let value = match plan.below.get(&key) {
            Some(below) => rewrite(cursor, below, depth.saturating_add(1))?,
            None => rewrite(cursor, &Plan::default(), depth.saturating_add(1))?,
        };
        let tail = cursor.at;
        cursor.white();
        let tail = cursor.slice(tail, cursor.at);
        if let Some(value) = value {
            if kept > 0 {
                out.push(b',');
            }
            out.extend_from_slice(lead.as_bytes());
            out.extend_from_slice(&value);
            out.extend_from_slice(tail.as_bytes());
            kept = kept.saturating_add(1);
        }
        index = index.saturating_add(1);
        match cursor.peek() {
            Some(b',') => cursor.step(1),
            Some(byte) if byte == close => {
                cursor.step(1);
                return Ok(kept);
            }
            Some(_) | None => return cursor.fault(super::Reason::End),
        }
    }
}

fn member_key(cursor: &mut Cursor) -> Result<String, Fault> {
    let at = cursor.at;
    let (inner, escapes) = cursor.string()?;
    cursor.expect(b':', "a colon")?;
    match escapes {
        Escapes::None => Ok(inner.to_owned()),
        Escapes::Some => unescape(inner).ok_or(Fault { at, reason: super::Reason::Escape }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_keeps_its_bytes() {
        let raw =
            br#"{ "a": 1.50, "b" : [ 10, 20,30 ], "c":{"d":123456789012345678901234567890} }"#;
        let cut = remove_raw(raw, &["/b/0", "/b/2"]).unwrap();
        let want = br#"{ "a": 1.50, "b" : [ 20], "c":{"d":123456789012345678901234567890} }"#;
        assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(want));
        let cut = remove_raw(raw, &["/a", "/c/d", "/b"]).unwrap();
        assert_eq!(cut, b"{}");
    }

    #[test]
    fn a_pointer_to_nothing_is_an_error() {
        let raw = br#"{"a":[1]}"#;
        assert_eq!(remove_raw(raw, &["/a/1"]), Err(CutProblem::Absent("/a/1".into())));
        assert_eq!(remove_raw(raw, &[""]), Err(CutProblem::Pointer(String::new())));
        assert!(remove_raw(b"{", &["/a"]).is_err());
    }
}
