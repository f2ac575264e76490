//! The observables inside observed-data of STIX 2.0, as objects of their own. Pure.
//!
//! Each gets the identifier that STIX 2.1 computes from its content; where the standard leaves it
//! to chance it is made from the observed-data's identifier and the observable's key, so that the
//! same input gives the same output.

use super::super::convert::deterministic_id;
use super::super::object::StixObject;
use super::super::observable::{computed_id, contributing};
use super::super::view::select;
use super::{Members, UpgradeProblem, finish, put, selectors, written};
use crate::json::escape;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The source of identifiers that the standard leaves to chance.
const SOURCE: &str = "stix-2.0-observed-data";

/// Properties whose keys are somebody else's words and never references.
const DICTIONARIES: [&str; 9] = [
    "additional_header_fields",
    "document_info_dict",
    "environment_variables",
    "exif_tags",
    "file_header_hashes",
    "ipfix",
    "options",
    "request_header",
    "startup_info",
];

/// Where the version of a UUID stands, from its end: `V111-2222-333333333333`.
const VERSION_FROM_END: usize = 22;

/// LIMIT: how deep identifiers may be made of one another; real ones are three deep.
const CHAIN_MAX: usize = 32;

/// Properties that 2.1 names otherwise, or has no place for, by type.
fn renamed(kind: &str, property: &str) -> Option<&'static str> {
    Some(match (kind, property) {
        ("directory" | "file", "created") => "ctime",
        ("directory" | "file", "modified") => "mtime",
        ("directory" | "file", "accessed") => "atime",
        ("file", "is_encrypted") => "x_is_encrypted",
        ("file", "encryption_algorithm") => "x_encryption_algorithm",
        ("file", "decryption_key") => "x_decryption_key",
        ("process", "created") => "created_time",
        ("process", "binary_ref") => "image_ref",
        ("process", "name") => "x_name",
        ("process", "arguments") => "x_arguments",
        ("user-account", "password_last_changed") => "credential_last_changed",
        ("windows-registry-key", "modified") => "modified_time",
        _ => return None,
    })
}

/// The same inside the extensions that STIX defines.
fn renamed_in_extension(extension: &str, property: &str) -> Option<&'static str> {
    Some(match (extension, property) {
        ("archive-ext", "version") => "x_version",
        ("raster-image-ext", "image_compression_algorithm") => "x_image_compression_algorithm",
        ("socket-ext", "protocol_family") => "x_protocol_family",
        _ => return None,
    })
}

/// Takes `objects` out of the members of an observed-data, puts `object_refs` there, and gives the
/// observables.
pub(super) fn split(
    object: &StixObject,
    members: &mut Members,
) -> Result<Vec<StixObject>, UpgradeProblem> {
    let Some(raw) = members.remove("objects") else { return Ok(Vec::new()) };
    let objects: BTreeMap<String, Members> = serde_json::from_str(raw.get()).map_err(written)?;
    let mut naming = Naming {
        observed: object.id().as_str(),
        objects: object.value().get("objects").and_then(Value::as_object),
        ids: BTreeMap::new(),
        open: BTreeSet::new(),
    };
    for key in objects.keys() {
        naming.id(key, CHAIN_MAX)?;
    }
    let ids = naming.ids;
    let markings = object.value().as_object().map(restrictions).transpose()?.unwrap_or_default();
    let (mut made, mut refs) = (Vec::with_capacity(objects.len()), BTreeSet::new());
    for (key, content) in &objects {
        let Some(id) = ids.get(key) else { continue };
        // WHY: two observables of the same content are one object.
        if refs.insert(id.clone()) {
            made.push(observable((key, content), id, &ids, &markings)?);
        }
    }
    put(members, "object_refs", &json!(refs))?;
    selectors(members, &|selector| {
        let inside = selector == "objects" || selector.starts_with("objects.");
        if inside { "object_refs".to_owned() } else { selector.to_owned() }
    })?;
    Ok(made)
}

/// Every marking of the observed-data, of the whole and of any part.
///
/// WHY: a part of the frame that is marked marks the whole; the strictest reading is never wider.
fn restrictions(observed: &Map<String, Value>) -> Result<BTreeSet<String>, UpgradeProblem> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut all: BTreeSet<String> =
        texts(observed.get("object_marking_refs")).into_iter().collect();
    let granular = observed.get("granular_markings").and_then(Value::as_array);
    for entry in granular.into_iter().flatten() {
        let Some(marking) = entry.get("marking_ref").and_then(Value::as_str) else { continue };
        let lost =
            texts(entry.get("selectors")).into_iter().find(|s| select(observed, s).is_empty());
        if let Some(selector) = lost {
            return Err(UpgradeProblem::Selector(selector.chars().take(80).collect()));
        }
        all.insert(marking.to_owned());
    }
    Ok(all)
}

/// One observable as an object of its own.
fn observable(
    (key, content): (&str, &Members),
    id: &str,
    ids: &BTreeMap<String, String>,
    markings: &BTreeSet<String>,
) -> Result<StixObject, UpgradeProblem> {
    let kind = text(content.get("type").map(AsRef::as_ref))
        .ok_or_else(|| UpgradeProblem::Untyped(key.to_owned()))?;
    let mut members = Members::new();
    for (property, raw) in content {
        let name = renamed(&kind, property).unwrap_or(property);
        let place = format!("/objects/{}/{}", escape(key), escape(property));
        if !needs_rewriting(property, raw.get()) {
            members.insert(name.to_owned(), raw.clone());
            continue;
        }
        let value: Value = serde_json::from_str(raw.get()).map_err(written)?;
        put(&mut members, name, &rewritten(property, value, ids, &place)?)?;
    }
    put(&mut members, "id", &json!(id))?;
    if !markings.is_empty() {
        put(&mut members, "object_marking_refs", &json!(markings))?;
    }
    finish(&members)
}

/// Whether a value holds references or names that change; any other keeps its bytes.
fn needs_rewriting(property: &str, raw: &str) -> bool {
    property == "extensions"
        || property == "hashes"
        || property.ends_with("_ref")
        || property.ends_with("_refs")
        || raw.contains("_ref")
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// A value with its references by identifier and its names as 2.1 has them.
fn rewritten(
    property: &str,
    value: Value,
    ids: &BTreeMap<String, String>,
    place: &str,
) -> Result<Value, UpgradeProblem> {
    let known = |key: String| -> Result<Value, UpgradeProblem> {
        match ids.get(&key) {
            Some(id) => Ok(json!(id)),
            // WHY: what custom properties refer to is their producer's business.
            None if property.starts_with("x_") => Ok(json!(key)),
            None => Err(UpgradeProblem::Dangling {
                pointer: place.to_owned(),
                key: key.chars().take(80).collect(),
            }),
        }
    };
    if DICTIONARIES.contains(&property) {
        return Ok(value);
    }
    Ok(match value {
        Value::String(key) if property.ends_with("_ref") => known(key)?,
        Value::Array(list) => {
            let many = property.ends_with("_refs");
            let mut out = Vec::with_capacity(list.len());
            for (index, item) in list.into_iter().enumerate() {
                out.push(if let (true, Value::String(key)) = (many, &item) {
                    known(key.clone())?
                } else {
                    rewritten("", item, ids, &format!("{place}/{index}"))?
                });
            }
            Value::Array(out)
        }
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, item) in map {
                let name = match (property, key.as_str()) {
                    ("hashes", "ssdeep") => "SSDEEP",
                    (_, other) => renamed_in_extension(property, other).unwrap_or(other),
                };
                let item = rewritten(&key, item, ids, &format!("{place}/{}", escape(&key)))?;
                out.insert(name.to_owned(), item);
            }
            Value::Object(out)
        }
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value,
    })
}

/// Gives each observable its identifier, after those its identifier is made of.
struct Naming<'a> {
    observed: &'a str,
    objects: Option<&'a Map<String, Value>>,
    ids: BTreeMap<String, String>,
    /// Keys whose identifier is being made.
    open: BTreeSet<String>,
}

impl Naming<'_> {
    fn id(&mut self, key: &str, depth: usize) -> Result<(), UpgradeProblem> {
        if self.ids.contains_key(key) {
            return Ok(());
        }
        let Some(content) = self.objects.and_then(|all| all.get(key)).and_then(Value::as_object)
        else {
            return Ok(());
        };
        let kind = content.get("type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| UpgradeProblem::Untyped(key.to_owned()))?;
        // WHY: what rests on itself, or on a chain without end, has no computed identifier.
        let chance = || by_chance(kind, self.observed, key);
        if depth == 0 || !self.open.insert(key.to_owned()) {
            self.ids.insert(key.to_owned(), chance());
            return Ok(());
        }
        let chance = chance();
        let mut named = Map::new();
        for property in contributing(kind) {
            let Some(value) = content.get(*property) else { continue };
            let mut keys = BTreeSet::new();
            referred(property, value, &mut keys);
            for key in &keys {
                self.id(key, depth.saturating_sub(1))?;
            }
            let place = format!("/objects/{}/{property}", escape(key));
            let value = rewritten(property, value.clone(), &self.ids, &place)?;
            named.insert((*property).to_owned(), value);
        }
        self.open.remove(key);
        // A circle that leads back here has named it already.
        let id = || computed_id(kind, &named).unwrap_or(chance);
        self.ids.entry(key.to_owned()).or_insert_with(id);
        Ok(())
    }
}

/// An identifier that the standard leaves to chance, the same whenever it is made.
///
/// WHY: version 4 in form, for STIX 2.1 section 2.9 asks for it where nothing contributes.
fn by_chance(kind: &str, observed: &str, key: &str) -> String {
    let mut id = deterministic_id(kind, SOURCE, &format!("{observed}/{key}"));
    let version = id.len().saturating_sub(VERSION_FROM_END);
    if id.is_char_boundary(version) && id.is_char_boundary(version.saturating_add(1)) {
        id.replace_range(version..version.saturating_add(1), "4");
    }
    id
}

/// The keys a value refers to.
fn referred(property: &str, value: &Value, keys: &mut BTreeSet<String>) {
    if DICTIONARIES.contains(&property) {
        return;
    }
    match value {
        Value::String(key) if property.ends_with("_ref") => {
            keys.insert(key.clone());
        }
        Value::Array(list) => {
            let many = property.ends_with("_refs");
            for item in list {
                match item.as_str() {
                    Some(key) if many => {
                        keys.insert(key.to_owned());
                    }
                    Some(_) | None => referred("", item, keys),
                }
            }
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| referred(key, item, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
