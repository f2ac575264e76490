//! The record as the rules see it, read from one object. Pure.
//!
//! INVARIANT: every property that is not the frame of the object belongs to a field, so that an
//! article that lists fields lets nothing else go. What cannot be understood becomes an unknown
//! marking of the record, which means refuse.

use super::extension::{EXTENSION_ID, Extension, read_extension};
use super::fields::{field_of, is_frame, is_individual, may_be_personal, record_type};
use super::marks::{KnownMarkings, Markings, Union};
use super::object::StixObject;
use super::{check, withhold};
use crate::json::escape;
use crate::limits;
use model::ids::{AgencyId, RecordId};
use model::record::{KIND_PERSON, Record, SUBJECT_NONE};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The subject of a person nobody has described: matches no article that lists subjects.
const SUBJECT_UNKNOWN: &str = "unknown";
/// LIMIT: selectors of granular markings in one object.
const SELECTORS_MAX: usize = 10_000;
/// LIMIT: steps taken to resolve one selector; a real one takes fewer than ten.
const STEPS_MAX: usize = 1_000;

/// Why an object has no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewProblem {
    /// More selectors than are ever looked at.
    #[error("`granular_markings` has more than {SELECTORS_MAX} selectors")]
    Selectors,
    /// More references than are ever looked at.
    #[error("the object has more than {max} references", max = limits::MEMBERS_MAX)]
    References,
}

/// Derives the view of `object`, in the custody of `custody_originator`.
///
/// # Errors
/// More markings or references than the limits allow; nothing else: what cannot be understood is
/// in the record's marks as unresolved.
pub fn view(
    object: &StixObject,
    custody_originator: &AgencyId,
    markings: &dyn Markings,
) -> Result<Record, ViewProblem> {
    let nothing = Map::new();
    let map = object.value().as_object().unwrap_or(&nothing);
    let own = map.get("extensions").and_then(|e| e.get(EXTENSION_ID));
    let extension = own.map(read_extension).unwrap_or_default();
    let kind = record_type(object.kind(), map);
    let mut viewer = Viewer {
        record: Record::new(object.id().clone(), kind, custody_originator.clone()),
        marks: Union::default(),
        field_marks: BTreeMap::new(),
        markings,
        references: 0,
    };
    viewer.identity(map, &extension);
    viewer.subject(object.kind(), map, &extension);
    viewer.properties(map)?;
    viewer.marks(map, &extension);
    viewer.granular(map)?;
    viewer.labels(map, extension);
    Ok(viewer.finish())
}

/// The fields of an object, which do not depend on whose it is or what its markings mean.
pub(super) fn field_pointers(
    object: &StixObject,
) -> Result<BTreeMap<String, Vec<String>>, ViewProblem> {
    let Ok(anybody) = "anybody".parse::<AgencyId>() else { return Ok(BTreeMap::new()) };
    Ok(view(object, &anybody, &KnownMarkings::default())?.fields)
}

struct Viewer<'m> {
    record: Record,
    marks: Union,
    field_marks: BTreeMap<String, Union>,
    markings: &'m dyn Markings,
    references: usize,
}

impl Viewer<'_> {
    /// The record type; an individual stays a person whatever the extension says.
    fn identity(&mut self, map: &Map<String, Value>, extension: &Extension) {
        let Some(stated) = &extension.record_type else { return };
        if is_individual(map) && stated != KIND_PERSON {
            let what = format!("record_type `{stated}` of an individual");
            self.marks.unresolved(what);
            return;
        }
        self.record.kind.clone_from(stated);
    }

    fn subject(&mut self, kind: &str, map: &Map<String, Value>, extension: &Extension) {
        let personal = self.record.kind == KIND_PERSON || may_be_personal(kind, map);
        self.record.subject = match &extension.subject {
            Some(stated) => stated.clone(),
            None if personal => SUBJECT_UNKNOWN.to_owned(),
            None => SUBJECT_NONE.to_owned(),
        };
    }

    fn field(&mut self, name: &str, pointer: String) {
        match self.record.fields.get_mut(name) {
            Some(pointers) if pointers.contains(&pointer) => {}
            Some(pointers) => pointers.push(pointer),
            None => {
                self.record.fields.insert(name.to_owned(), vec![pointer]);
            }
        }
    }

    fn properties(&mut self, map: &Map<String, Value>) -> Result<(), ViewProblem> {
        for (property, value) in map {
            let mut pointer = String::with_capacity(property.len().saturating_add(1));
            pointer.push('/');
            pointer.push_str(&escape(property));
            if property == "extensions" {
                self.extensions(value);
            } else if !is_frame(property) && !withhold::is_stand_in(map, property, value) {
                let kind = std::mem::take(&mut self.record.kind);
                self.field(field_of(&kind, property), pointer.clone());
                self.record.kind = kind;
            }
            if !matches!(property.as_str(), "object_marking_refs" | "granular_markings") {
                self.references(property, value, &mut pointer)?;
            }
        }
        Ok(())
    }

    /// Entente's own fields, and each foreign extension as a field of its own.
    fn extensions(&mut self, extensions: &Value) {
        for (id, content) in extensions.as_object().into_iter().flatten() {
            let pointer = format!("/extensions/{}", escape(id));
            if id == EXTENSION_ID {
                let fields = content.get("fields").and_then(Value::as_object);
                for name in fields.into_iter().flat_map(Map::keys) {
                    self.field(name, format!("{pointer}/fields/{}", escape(name)));
                }
            } else if !is_type_only(content) {
                self.field(&format!("extension.{id}"), pointer);
            }
        }
    }

    /// Records every reference at or below a property. `pointer` is restored on return.
    fn references(
        &mut self,
        key: &str,
        value: &Value,
        pointer: &mut String,
    ) -> Result<(), ViewProblem> {
        match value {
            Value::String(text) if key.ends_with("_ref") => self.reference(text, pointer),
            Value::Array(list) => {
                let plural = key.ends_with("_refs");
                for (index, element) in list.iter().enumerate() {
                    if !plural && !element.is_object() && !element.is_array() {
                        continue;
                    }
                    let length = pointer.len();
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    match element.as_str() {
                        Some(text) => self.reference(text, pointer)?,
                        None => self.references(key, element, pointer)?,
                    }
                    pointer.truncate(length);
                }
                Ok(())
            }
            Value::Object(map) => {
                for (key, child) in map {
                    let length = pointer.len();
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                    self.references(key, child, pointer)?;
                    pointer.truncate(length);
                }
                Ok(())
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn reference(&mut self, text: &str, pointer: &str) -> Result<(), ViewProblem> {
        if !check::is_identifier(text) || text.starts_with("marking-definition--") {
            return Ok(());
        }
        self.references = self.references.saturating_add(1);
        if self.references > limits::MEMBERS_MAX {
            return Err(ViewProblem::References);
        }
        // An identifier that passed the check above always parses.
        let Ok(id) = check::one_spelling(text).parse::<RecordId>() else { return Ok(()) };
        self.record.refs.entry(id).or_default().push(pointer.to_owned());
        Ok(())
    }

    fn marks(&mut self, map: &Map<String, Value>, extension: &Extension) {
        let references = map.get("object_marking_refs").and_then(Value::as_array);
        for id in references.into_iter().flatten().filter_map(Value::as_str) {
            self.marks.reference(id, self.markings);
        }
        self.marks.terms(&extension.terms);
        for what in &extension.unresolved {
            self.marks.unresolved(what.clone());
        }
        for (field, terms) in &extension.field_marks {
            self.field_marks.entry(field.clone()).or_default().terms(terms);
        }
    }

    fn granular(&mut self, map: &Map<String, Value>) -> Result<(), ViewProblem> {
        let entries = map.get("granular_markings").and_then(Value::as_array);
        let mut seen: usize = 0;
        for entry in entries.into_iter().flatten() {
            let Some(id) = entry.get("marking_ref").and_then(Value::as_str) else { continue };
            let selectors = entry.get("selectors").and_then(Value::as_array);
            for selector in selectors.into_iter().flatten().filter_map(Value::as_str) {
                seen = seen.saturating_add(1);
                if seen > SELECTORS_MAX {
                    return Err(ViewProblem::Selectors);
                }
                self.selector(map, selector, id);
            }
        }
        Ok(())
    }

    /// Marks what a selector names: a field, a part of one, or else the whole record.
    fn selector(&mut self, map: &Map<String, Value>, selector: &str, id: &str) {
        let paths = select(map, selector);
        if paths.is_empty() {
            let shown: String = selector.chars().take(80).collect();
            self.marks.unresolved(format!("granular marking of `{shown}`, which is not there"));
        }
        for path in paths {
            match self.field_at(&path, selector) {
                Some(field) => {
                    let union = self.field_marks.entry(field).or_default();
                    union.reference(id, self.markings);
                }
                None => self.marks.reference(id, self.markings),
            }
        }
    }

    /// The field at a path, made if it is a part of one; nothing for the frame of the object.
    fn field_at(&mut self, path: &[String], selector: &str) -> Option<String> {
        let tokens: Vec<&str> = path.iter().map(String::as_str).collect();
        let pointer: String = tokens.iter().map(|token| format!("/{}", escape(token))).collect();
        match tokens.as_slice() {
            ["extensions", EXTENSION_ID, "fields", name] => return Some((*name).to_owned()),
            ["extensions", EXTENSION_ID, "fields", _, ..] => {}
            ["extensions"] | ["extensions", EXTENSION_ID, ..] => return None,
            ["extensions", id] => return Some(format!("extension.{id}")),
            ["extensions", ..] => {}
            [property, ..] if is_frame(property) => return None,
            [property] => return Some(field_of(&self.record.kind, property).to_owned()),
            _ => {}
        }
        self.field(selector, pointer);
        Some(selector.to_owned())
    }

    fn labels(&mut self, map: &Map<String, Value>, extension: Extension) {
        let record = &mut self.record;
        record.grade = extension.grade;
        record.handling = extension.handling;
        record.caveats = extension.caveats;
        record.flags = extension.flags;
        record.group = extension.group;
        record.operation = extension.operation;
        record.neutrality = extension.neutrality;
        record.stops.orcon = extension.orcon;
        record.stops.concealed = extension.conceal;
        record.stops.tainted = extension.tainted;
        record.stops.restricted = extension.restricted;
        // WHY: `revoked` is the originator saying that the object no longer holds.
        record.stops.recalled = map.get("revoked").and_then(Value::as_bool).unwrap_or(false);
        let stated = map.get("valid_until").and_then(Value::as_str);
        match stated.map(|text| (text, check::instant(text))) {
            None => record.valid_until = extension.valid_until,
            Some((_, Some(own))) => {
                record.valid_until = Some(extension.valid_until.map_or(own, |e| e.min(own)));
            }
            Some((text, None)) => {
                let shown: String = text.chars().take(80).collect();
                self.marks.unresolved(format!("valid_until `{shown}`"));
            }
        }
        self.record.provider_limit = extension.provider_limit;
    }

    fn finish(self) -> Record {
        let mut record = self.record;
        let mut marks = self.marks;
        let mut field_marks = self.field_marks;
        for union in std::iter::once(&mut marks).chain(field_marks.values_mut()) {
            let beyond = union.beyond();
            record.stops.orcon |= beyond.orcon;
            record.caveats.extend(beyond.caveats);
            record.handling.extend(beyond.handling);
            let limits = [record.provider_limit, beyond.provider_limit];
            record.provider_limit = limits.into_iter().flatten().min();
        }
        // INVARIANT: a marking of a field the record does not name protects nothing, so it refuses.
        for field in field_marks.keys().filter(|field| !record.fields.contains_key(*field)) {
            marks.unresolved(format!("marking of the unknown field `{field}`"));
        }
        record.marks = marks.finish();
        record.field_marks =
            field_marks.into_iter().map(|(field, union)| (field, union.finish())).collect();
        record
    }
}

/// An extension that only declares its type carries nothing.
fn is_type_only(content: &Value) -> bool {
    content.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("extension_type"))
}

/// Every path a selector names (STIX 2.1 section 7.2.3.1). A key may contain full stops, so that
/// more than one reading can exist; all of them are returned, or none if there are too many.
pub(super) fn select(map: &Map<String, Value>, selector: &str) -> Vec<Vec<String>> {
    let mut search = Search { path: Vec::new(), found: Vec::new(), steps: 0 };
    search.keys(map, selector);
    if search.steps > STEPS_MAX { Vec::new() } else { search.found }
}

struct Search {
    path: Vec<String>,
    found: Vec<Vec<String>>,
    steps: usize,
}

impl Search {
    fn keys(&mut self, map: &Map<String, Value>, rest: &str) {
        // WHY: a key is looked up by each prefix of the selector that ends at a full stop, which
        // costs the length of the selector and not the size of the object.
        let stops = rest.match_indices('.').map(|(at, _)| at).chain([rest.len()]);
        for stop in stops {
            self.steps = self.steps.saturating_add(1);
            if self.steps > STEPS_MAX {
                return;
            }
            let Some((key, after)) = rest.split_at_checked(stop) else { continue };
            let Some(child) = map.get(key) else { continue };
            self.below(key.to_owned(), child, after);
        }
    }

    fn below(&mut self, token: String, value: &Value, after: &str) {
        self.path.push(token);
        match after.strip_prefix('.') {
            None => self.found.push(self.path.clone()),
            Some(rest) => self.deeper(value, rest),
        }
        self.path.pop();
    }

    fn deeper(&mut self, value: &Value, rest: &str) {
        match value {
            Value::Object(map) => self.keys(map, rest),
            Value::Array(list) => {
                let (step, after) = rest
                    .split_at_checked(rest.find('.').unwrap_or(rest.len()))
                    .unwrap_or((rest, ""));
                let index = step.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
                let index = index.and_then(|text| text.parse::<usize>().ok());
                if let Some((index, child)) = index.and_then(|i| Some((i, list.get(i)?))) {
                    self.below(index.to_string(), child, after);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
