//! Reads what a client POSTs: a TAXII envelope of STIX objects, each kept in its own bytes. Pure.
//!
//! SOURCE: TAXII 2.1 sections 3.7 and 5.5. What is no JSON is 400; what is no envelope is 422.
//! An object that cannot be taken fails alone, as long as it can be named in a status.

use super::query::instant;
use super::shelf::{Fate, Outcome};
use super::write;
use crate::http::errors::Problem;
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::json;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// LIMIT: objects of one envelope.
const OBJECTS_MAX: usize = 100_000;

const ENVELOPE_HELP: &str = "send an envelope, {\"objects\": [ … ]}, around STIX objects";

/// An object as it was posted.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its identifier.
    pub id: String,
    /// Its version as it states it: `modified`, else `created`.
    pub version: Option<(String, Timestamp)>,
    /// The version of STIX it follows: `2.0` or `2.1`.
    pub spec: &'static str,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Why it cannot be taken.
    pub fault: Option<String>,
}

/// The members an envelope is known by.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    objects: Option<Vec<&'a RawValue>>,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
}

/// The members an object is known by.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    spec_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    created: Option<Cow<'a, str>>,
    #[serde(borrow)]
    modified: Option<Cow<'a, str>>,
}

/// Reads an envelope.
///
/// # Errors
/// 400 for what is no JSON in UTF-8, 422 for what is no envelope or holds nothing that can be
/// taken.
pub fn read(body: &[u8]) -> Result<Vec<Posted>, Problem> {
    let unreadable = |cause: &dyn std::fmt::Display| {
        Problem::of("bad_request").at(cause.to_string()).hinting("send JSON in UTF-8")
    };
    let text = std::str::from_utf8(body).map_err(|e| unreadable(&e))?;
    let wrong = |cause: String| Problem::of("unprocessable").at(cause).hinting(ENVELOPE_HELP);
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| match e.classify() {
        Category::Data => wrong(e.to_string()),
        Category::Syntax | Category::Eof | Category::Io => unreadable(&e),
    })?;
    // WHY: an envelope has no `type`, but the `stix2` library of Python posts whole bundles.
    if let Some(kind) = envelope.kind.filter(|kind| kind != "bundle") {
        return Err(wrong(format!("the body is itself of type `{kind}`")));
    }
    let objects = envelope.objects.ok_or_else(|| wrong("no member `objects`".to_owned()))?;
    if objects.len() > OBJECTS_MAX {
        let cause = format!("{} objects, and {OBJECTS_MAX} are taken at once", objects.len());
        return Err(Problem::of("too_large").at(cause));
    }
    let posted: Vec<Posted> = objects
        .iter()
        .enumerate()
        .map(|(at, raw)| {
            object(raw.get()).map_err(|cause| wrong(format!("/objects/{at}: {cause}")))
        })
        .collect::<Result<_, _>>()?;
    let fault = posted.iter().enumerate().find_map(|(at, one)| Some((at, one.fault.as_ref()?)));
    match fault {
        Some((at, cause)) if posted.iter().all(|one| one.fault.is_some()) => {
            Err(wrong(format!("/objects/{at}: {cause}")))
        }
        Some(_) | None => Ok(posted),
    }
}

/// The version of STIX an object follows, from the members that say so.
///
/// SOURCE: STIX 2.0 objects have no `spec_version`; neither need observables of 2.1 have one, which
/// are told by having no `created`.
#[must_use]
pub fn spec_of(stated: Option<&str>, has_times: bool) -> Option<&'static str> {
    match (stated, has_times) {
        (Some("2.1"), _) | (None, false) => Some("2.1"),
        (Some("2.0"), _) | (None, true) => Some("2.0"),
        (Some(_), _) => None,
    }
}

/// An object, or why it cannot even be named.
fn object(raw: &str) -> Result<Posted, String> {
    let head: Head<'_> = serde_json::from_str(raw).map_err(|e| format!("no STIX object: {e}"))?;
    let id = head.id.filter(|id| !id.is_empty()).ok_or("no `id`")?;
    if id.len() > model::ids::ID_BYTES_MAX {
        return Err(format!("an `id` of {} bytes", id.len()));
    }
    let stated = head.modified.as_ref().or(head.created.as_ref());
    let version = stated.and_then(|text| Some((text.to_string(), instant(text)?)));
    let spec = spec_of(head.spec_version.as_deref(), stated.is_some());
    let fault = if !is_id(&id) {
        Some(format!("`{id}` is no STIX identifier (type--UUID)"))
    } else if head.kind.as_deref() != id.split_once("--").map(|(kind, _)| kind) {
        let kind = head.kind.as_deref().unwrap_or_default();
        Some(format!("`type` is `{kind}`, and the identifier begins otherwise"))
    } else if spec.is_none() {
        let stated = head.spec_version.as_deref().unwrap_or_default();
        Some(format!("`spec_version` `{stated}` is not served here, 2.0 and 2.1 are"))
    } else if let (Some(text), None) = (stated, &version) {
        Some(format!("`{text}` is not a time such as 2026-11-23T12:00:00.000Z"))
    } else {
        None
    };
    let (id, content) = (id.into_owned(), raw.as_bytes().to_vec());
    Ok(Posted { id, version, spec: spec.unwrap_or("2.1"), content, fault })
}

/// Whether the text is `type--UUID`; the UUID's version is its maker's affair.
fn is_id(text: &str) -> bool {
    let Some((kind, uuid)) = text.split_once("--") else { return false };
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let groups: Vec<&str> = uuid.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    !kind.is_empty() && kind.bytes().all(fits) && lengths == [8, 4, 4, 4, 12] && hexadecimal
}

/// The `status` resource of an outcome.
#[must_use]
pub fn status(id: &str, at: Timestamp, outcome: &Outcome) -> Vec<u8> {
    let lists = [
        ("success_count", "successes", &outcome.successes),
        ("failure_count", "failures", &outcome.failures),
        ("pending_count", "pendings", &outcome.pendings),
    ];
    let total = lists.iter().fold(0_usize, |sum, (_, _, fates)| sum.saturating_add(fates.len()));
    let state = if outcome.pendings.is_empty() { "complete" } else { "pending" };
    let mut value = json!({
        "id": id,
        "status": state,
        "request_timestamp": write::instant(at),
        "total_count": total,
    });
    if let Some(members) = value.as_object_mut() {
        for (count, list, fates) in lists {
            members.insert(count.to_owned(), json!(fates.len()));
            if !fates.is_empty() {
                members.insert(list.to_owned(), fates.iter().map(fate).collect());
            }
        }
    }
    value.to_string().into_bytes()
}

fn fate(fate: &Fate) -> serde_json::Value {
    match &fate.message {
        Some(message) => json!({"id": fate.id, "version": fate.version, "message": message}),
        None => json!({"id": fate.id, "version": fate.version}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "indicator--a932fcc6-e032-176c-126f-cb970a5a1ade";

    fn refused(body: &str) -> u16 {
        read(body.as_bytes()).expect_err(body).status.as_u16()
    }

    #[test]
    fn what_is_no_json_is_told_from_what_is_no_envelope() {
        for wrong in ["", "{", "{\"objects\":[}", "nonsense"] {
            assert_eq!(refused(wrong), 400, "{wrong}");
        }
        assert_eq!(read(b"\xff\xfe").expect_err("bytes").status.as_u16(), 400);
        for wrong in [
            "[]",
            "5",
            "{}",
            "{\"objects\":{}}",
            "{\"objects\":[5]}",
            "{\"objects\":[{}]}",
            "{\"objects\":[],\"objects\":[]}",
            "{\"type\":\"report\",\"objects\":[]}",
            "{\"objects\":[{\"id\":\"indicator--1\",\"type\":\"indicator\"}]}",
            "{\"type\":\"indicator\",\"id\":\"indicator--a932fcc6-e032-176c-126f-cb970a5a1ade\"}",
        ] {
            assert_eq!(refused(wrong), 422, "{wrong}");
        }
        for empty in ["{\"objects\":[]}", "{\"type\":\"bundle\",\"id\":\"b\",\"objects\":[]}"] {
            assert!(read(empty.as_bytes()).unwrap().is_empty());
        }
    }

    #[test]
    fn a_bad_object_fails_alone() {
        let good = format!("{{\"id\":\"{ID}\",\"type\":\"indicator\",\"x\": 1.0}}");
        for bad in [
            format!("{{\"id\":\"{ID}\",\"type\":\"malware\"}}"),
            format!("{{\"id\":\"{ID}\",\"type\":\"indicator\",\"spec_version\":\"3.0\"}}"),
            format!("{{\"id\":\"{ID}\",\"type\":\"indicator\",\"modified\":\"today\"}}"),
            "{\"id\":\"indicator--x\",\"type\":\"indicator\"}".to_owned(),
        ] {
            assert_eq!(refused(&format!("{{\"objects\":[{bad}]}}")), 422);
            let both = read(format!("{{\"objects\":[{bad},{good}]}}").as_bytes()).unwrap();
            assert!(both[0].fault.is_some() && both[1].fault.is_none());
            assert_eq!(both[1].content, good.as_bytes());
        }
    }
}
