//! What a MISP client asks for: the body of an index or a search, read strictly, and whether an
//! event or attribute is among what is asked. Pure; the present is a parameter.
//!
//! INVARIANT: a filter that is not understood is refused, never passed over: an answer wider than
//! the question reads as "everything there is".
//! SOURCE: MISP `restSearch` and `events/index` as PyMISP and MISP's synchronisation send them.

mod terms;

use super::members::{flag, list, text, whole};
use crate::json::{JsonProblem, parse_strict};
use model::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use terms::Terms;

/// LIMIT: values of one filter.
const VALUES_MAX: usize = 10_000;
/// LIMIT: rows on a page, and the highest page.
const PAGE_MAX: usize = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;

/// Which search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `/events/index`.
    Index,
    /// `/events/restSearch`.
    Events,
    /// `/attributes/restSearch`.
    Attributes,
    /// `/sightings/restSearch`.
    Sightings,
    /// `/galaxy_clusters/restSearch`.
    Clusters,
}

/// Why a search is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchProblem {
    /// Not JSON that can be read in one way.
    #[error("the body is not JSON: {0}")]
    Json(#[from] JsonProblem),
    /// Another JSON value than an object.
    #[error("the body is no JSON object")]
    Shape,
    /// A member nobody knows.
    #[error("`{0}` is no filter of this search")]
    Unknown(String),
    /// A filter of MISP's that this search does not answer.
    #[error("`{0}` is not answered here")]
    NotServed(String),
    /// A value of another form.
    #[error("`{name}`: {cause}")]
    Value {
        /// The filter.
        name: String,
        /// What is wrong.
        cause: &'static str,
    },
}

impl SearchProblem {
    /// What cures it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Shape => {
                "send one JSON object in UTF-8, such as {\"limit\": 100}"
            }
            Self::Unknown(_) | Self::NotServed(_) => {
                "leave it out; the filters answered are listed in the reference of MISP \
                 synchronisation"
            }
            Self::Value { .. } => "correct the value, or leave the filter out",
        }
    }
}

/// From and to, both inclusive, in seconds since 1970.
type Span = (Option<i64>, Option<i64>);

/// A search, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Rows on a page; everything without it.
    pub limit: Option<usize>,
    /// The page, from 1.
    pub page: usize,
    /// Whether the index is asked for its short form.
    pub minimal: bool,
    /// Whether events are wanted without their parts.
    pub metadata: bool,
    /// The only events asked for, by UUID.
    pub events: Option<BTreeSet<String>>,
    event_terms: Vec<(&'static str, Terms)>,
    part_terms: Vec<(&'static str, Terms)>,
    uuid: Option<Terms>,
    tags: Option<Terms>,
    to_ids: Option<bool>,
    published: Option<bool>,
    event_timestamp: Option<Span>,
    part_timestamp: Option<Span>,
    day: Span,
    kind: Option<Terms>,
    deleted: bool,
}

/// Filters that only shape an answer in a way every answer here already has.
const ALWAYS: &[&str] = &["includeEventUuid", "includeUuid", "sgReferenceOnly", "includeSightings"];
/// MISP's switches that are not answered; off, they ask nothing.
const SWITCHES: &[&str] = &[
    "enforceWarninglist",
    "includeEventTags",
    "includeContext",
    "headerless",
    "includeDecayScore",
    "includeCorrelations",
    "excludeDecayed",
    "includeAttribute",
    "includeEvent",
    "withAttachments",
    "minimal",
    "metadata",
    "deleted",
    "desc",
    "excludeLocalTags",
    "includeGalaxy",
];
/// MISP's filters that are not answered: without a value, they ask nothing.
const NOT_SERVED: &[&str] = &[
    "quickFilter",
    "searchall",
    "requested_attributes",
    "object_name",
    "sharinggroup",
    "email",
    "hasproposal",
    "all",
    "sort",
    "source",
    "org_id",
    "threat_level_id",
    "first_seen",
    "last_seen",
    "threatlevel",
    "distribution",
    "analysis",
    "attribute",
    "publish_timestamp",
    "last",
    "attribute_timestamp",
    "custom",
    "default",
    "id",
    "event_tags",
    "elementId",
    "context",
];

impl Search {
    /// Reads a search. `now` is what a relative time such as `5d` counts from.
    ///
    /// # Errors
    /// See [`SearchProblem`].
    pub fn read(scope: Scope, body: &[u8], now: Timestamp) -> Result<Self, SearchProblem> {
        let value = if body.iter().all(u8::is_ascii_whitespace) {
            Value::Object(Map::new())
        } else {
            parse_strict(body)?
        };
        let Value::Object(mut map) = value else { return Err(SearchProblem::Shape) };
        if let (1, Some(Value::Object(inner))) = (map.len(), map.get("request")) {
            map = inner.clone();
        }
        let mut search = Self { page: 1, ..Self::default() };
        for (name, value) in &map {
            search.filter(scope, (name, value), now)?;
        }
        if search.page > 1 && search.limit.is_none() {
            return Err(wrong("page", "a page without a limit"));
        }
        Ok(search)
    }

    fn filter(
        &mut self,
        scope: Scope,
        (name, value): (&str, &Value),
        now: Timestamp,
    ) -> Result<(), SearchProblem> {
        if value.is_null() {
            return known(name);
        }
        let now = now.micros().div_euclid(1_000_000);
        let span = || span(name, value, now);
        match (scope, name) {
            (_, "returnFormat") => self.form(value)?,
            (_, "limit") => self.limit = Some(number(name, value)?).filter(|limit| *limit > 0),
            (_, "page") => self.page = number(name, value)?.max(1),
            (Scope::Clusters, _) if known(name).is_ok() => {}
            (Scope::Index, "minimal") => self.minimal = switch(name, value)?,
            (Scope::Events | Scope::Index, "metadata") => self.metadata = switch(name, value)?,
            (Scope::Events | Scope::Attributes, "deleted") => self.deleted = deleted(value)?,
            (Scope::Sightings, "id" | "uuid" | "eventid" | "event_id")
            | (_, "eventid" | "event_id" | "eventids") => self.events = Some(ids(name, value)?),
            (Scope::Sightings, "type") => self.kind = Some(Terms::read(name, value, None)?),
            (Scope::Sightings, "last") | (Scope::Sightings, "timestamp") => {
                self.part_timestamp = Some(span()?);
            }
            (Scope::Sightings, "from") => self.day.0 = span()?.0,
            (Scope::Sightings, "to") => self.day.1 = span()?.0,
            (_, "from" | "datefrom" | "date_from") => self.day.0 = span()?.0,
            (_, "to" | "dateuntil" | "date_to") => self.day.1 = span()?.0,
            (Scope::Attributes, "timestamp") => self.part_timestamp = Some(span()?),
            (_, "timestamp" | "event_timestamp") => self.event_timestamp = Some(span()?),
            (_, "uuid") => self.uuid = Some(Terms::read(name, value, None)?),
            (_, "tags" | "tag") => self.tags = Some(Terms::read(name, value, Some('|'))?),
            (_, "org" | "orgc") => self.event_term("org", name, value)?,
            (_, "eventinfo") => self.event_term("info", name, value)?,
            (_, "published") => self.published = Some(switch(name, value)?),
            (_, "value" | "type" | "category") => self.part_term(name, value)?,
            (_, "to_ids") => self.to_ids = Some(switch(name, value)?),
            (_, _) if ALWAYS.contains(&name) => {}
            (_, _) if SWITCHES.contains(&name) && !switch(name, value)? => {}
            (_, _) => {
                known(name)?;
                return Err(SearchProblem::NotServed(name.to_owned()));
            }
        }
        Ok(())
    }

    fn form(&self, value: &Value) -> Result<(), SearchProblem> {
        match value.as_str() {
            Some("json") => Ok(()),
            Some(_) | None => Err(wrong("returnFormat", "only `json` is answered")),
        }
    }

    fn event_term(
        &mut self,
        of: &'static str,
        name: &str,
        value: &Value,
    ) -> Result<(), SearchProblem> {
        let split = (of == "org").then_some('|');
        self.event_terms.push((of, Terms::read(name, value, split)?));
        Ok(())
    }

    fn part_term(&mut self, name: &str, value: &Value) -> Result<(), SearchProblem> {
        let of = match name {
            "value" => "value",
            "type" => "type",
            _ => "category",
        };
        self.part_terms.push((of, Terms::read(name, value, None)?));
        Ok(())
    }

    /// Whether choosing an event needs its parts, not only its own members.
    #[must_use]
    pub fn needs_parts(&self) -> bool {
        !self.part_terms.is_empty() || self.to_ids.is_some()
    }

    /// Whether parts that were deleted are wanted too.
    #[must_use]
    pub fn with_deleted(&self) -> bool {
        self.deleted
    }

    /// Rows before the page.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.limit.unwrap_or(0).saturating_mul(self.page.saturating_sub(1))
    }

    /// Whether an event, as it is written, may be among what is asked by its own members.
    #[must_use]
    pub fn takes_head(&self, event: &Map<String, Value>) -> bool {
        let day = super::members::day(event, "date").map(|at| at.micros().div_euclid(1_000_000));
        let uuid = text(event, "uuid").unwrap_or_default();
        self.events.as_ref().is_none_or(|ids| ids.contains(&uuid))
            && self.published.is_none_or(|wanted| wanted == flag(event, "published"))
            && within(self.event_timestamp, whole(event, "timestamp"))
            && within(Some(self.day), day)
            && self.event_terms.iter().all(|(of, terms)| match *of {
                "org" => terms.takes(&organisation(event)),
                of => terms.takes(&[text(event, of).unwrap_or_default()]),
            })
    }

    /// Whether a whole event is among what is asked.
    #[must_use]
    pub fn takes_event(&self, event: &Map<String, Value>) -> bool {
        let (parts, uuid) = (attributes(event), text(event, "uuid").unwrap_or_default());
        let narrowed = !self.part_terms.is_empty() || self.to_ids.is_some();
        let all = |read: fn(&Map<String, Value>) -> Vec<String>| -> Vec<String> {
            read(event).into_iter().chain(parts.iter().flat_map(|(part, _)| read(part))).collect()
        };
        let uuids = |map: &Map<String, Value>| text(map, "uuid").into_iter().collect();
        self.takes_head(event)
            && self.tags.as_ref().is_none_or(|terms| terms.takes(&all(tag_names)))
            && self.uuid.as_ref().is_none_or(|terms| terms.takes(&all(uuids)))
            && (!narrowed || parts.iter().any(|(part, _)| self.takes_fields(part)))
            && !uuid.is_empty()
    }

    fn takes_fields(&self, part: &Map<String, Value>) -> bool {
        self.to_ids.is_none_or(|wanted| wanted == flag(part, "to_ids"))
            && self.part_terms.iter().all(|(of, terms)| {
                let stated = text(part, of).unwrap_or_default();
                // WHY: one half of a pair such as `domain|ip` is found too, as in MISP.
                let halves = stated.split('|').filter(|_| *of == "value").map(str::to_owned);
                let all: Vec<String> = halves.chain([stated.clone()]).collect();
                terms.takes(&all)
            })
    }

    /// Whether an attribute of an event that is among what is asked by its head is asked for.
    #[must_use]
    pub fn takes_attribute(&self, event: &Map<String, Value>, part: &Map<String, Value>) -> bool {
        let tags: Vec<String> = tag_names(event).into_iter().chain(tag_names(part)).collect();
        let uuid: Vec<String> = text(part, "uuid").into_iter().collect();
        self.takes_fields(part)
            && (self.deleted || !flag(part, "deleted"))
            && within(self.part_timestamp, whole(part, "timestamp"))
            && self.tags.as_ref().is_none_or(|terms| terms.takes(&tags))
            && self.uuid.as_ref().is_none_or(|terms| terms.takes(&uuid))
    }

    /// Whether a sighting is asked for.
    #[must_use]
    pub fn takes_sighting(&self, sighting: &Map<String, Value>) -> bool {
        let at = whole(sighting, "date_sighting");
        let kind = text(sighting, "type").unwrap_or_else(|| "0".to_owned());
        within(self.part_timestamp, at)
            && within(Some(self.day), at)
            && self.kind.as_ref().is_none_or(|terms| terms.takes(&[kind]))
    }
}

/// An attribute, and the object it stands in.
type Part<'a> = (&'a Map<String, Value>, Option<&'a Map<String, Value>>);

/// The attributes of an event, each with the object it stands in.
#[must_use]
pub fn attributes(event: &Map<String, Value>) -> Vec<Part<'_>> {
    let own = list(event, "Attribute").iter().filter_map(Value::as_object);
    let objects = list(event, "Object").iter().filter_map(Value::as_object);
    let inner = objects.flat_map(|object| {
        let parts = list(object, "Attribute").iter().filter_map(Value::as_object);
        parts.map(move |part| (part, Some(object)))
    });
    own.map(|part| (part, None)).chain(inner).collect()
}

fn tag_names(map: &Map<String, Value>) -> Vec<String> {
    let tags = list(map, "Tag").iter().filter_map(Value::as_object);
    tags.filter_map(|tag| text(tag, "name")).collect()
}

fn organisation(event: &Map<String, Value>) -> Vec<String> {
    let maker = event.get("Orgc").and_then(Value::as_object);
    let named = maker.map(|maker| [text(maker, "uuid"), text(maker, "name")]);
    named.into_iter().flatten().flatten().collect()
}

fn within(span: Option<Span>, at: Option<i64>) -> bool {
    match (span, at) {
        (None | Some((None, None)), _) => true,
        (Some(_), None) => false,
        (Some((from, to)), Some(at)) => {
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        }
    }
}

fn wrong(name: &str, cause: &'static str) -> SearchProblem {
    SearchProblem::Value { name: name.to_owned(), cause }
}

/// Whether MISP knows a filter of this name at all.
fn known(name: &str) -> Result<(), SearchProblem> {
    const ANSWERED: &[&str] = &[
        "returnFormat",
        "limit",
        "page",
        "eventid",
        "event_id",
        "eventids",
        "type",
        "from",
        "to",
        "datefrom",
        "dateuntil",
        "date_from",
        "date_to",
        "timestamp",
        "event_timestamp",
        "uuid",
        "tags",
        "tag",
        "org",
        "orgc",
        "eventinfo",
        "published",
        "value",
        "category",
        "to_ids",
    ];
    let lists = [ANSWERED, ALWAYS, SWITCHES, NOT_SERVED];
    match lists.iter().any(|list| list.contains(&name)) {
        true => Ok(()),
        false => Err(SearchProblem::Unknown(name.chars().take(60).collect())),
    }
}

fn switch(name: &str, value: &Value) -> Result<bool, SearchProblem> {
    match value {
        Value::Bool(on) => Ok(*on),
        Value::Number(number) if number.as_i64() == Some(0) => Ok(false),
        Value::Number(number) if number.as_i64() == Some(1) => Ok(true),
        Value::String(word) if matches!(word.as_str(), "0" | "false" | "") => Ok(false),
        Value::String(word) if matches!(word.as_str(), "1" | "true") => Ok(true),
        Value::Null => Ok(false),
        Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(wrong(name, "neither 0 nor 1"))
        }
    }
}

/// `deleted`: 0, 1, or a list of both, as MISP takes it.
fn deleted(value: &Value) -> Result<bool, SearchProblem> {
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    all.iter().try_fold(false, |on, one| Ok(on | switch("deleted", one)?))
}

fn number(name: &str, value: &Value) -> Result<usize, SearchProblem> {
    let stated = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(word) => word.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let stated = stated.and_then(|stated| usize::try_from(stated).ok());
    stated
        .filter(|stated| *stated <= PAGE_MAX)
        .ok_or_else(|| wrong(name, "no whole number from 0 to 1000000"))
}

/// UUIDs of events. WHY: there are no numbers here; one that MISP made at home means nothing.
fn ids(name: &str, value: &Value) -> Result<BTreeSet<String>, SearchProblem> {
    let one = std::slice::from_ref(value);
    let all = value.as_array().map_or(one, Vec::as_slice);
    if all.len() > VALUES_MAX {
        return Err(wrong(name, "more than 10000 values"));
    }
    let read = all.iter().map(|one| one.as_str().and_then(super::members::uuid));
    read.map(|one| one.ok_or_else(|| wrong(name, "events are named by UUID only"))).collect()
}

fn span(name: &str, value: &Value, now: i64) -> Result<Span, SearchProblem> {
    if let Value::Array(ends) = value {
        let [from, to] = ends.as_slice() else {
            return Err(wrong(name, "a list of other than two times"));
        };
        let (from, to) = (instant(name, from, now)?, instant(name, to, now)?);
        return Ok((Some(from.min(to)), Some(from.max(to))));
    }
    Ok((Some(instant(name, value, now)?), None))
}

/// Seconds since 1970, a day such as 2026-03-01, or a time before now such as `5d`.
fn instant(name: &str, value: &Value, now: i64) -> Result<i64, SearchProblem> {
    let form = || wrong(name, "no seconds since 1970, no day and no time such as 5d, 12h or 30m");
    let stated = match value {
        Value::Number(number) => {
            return number.as_i64().or_else(|| fraction(number.as_f64())).ok_or_else(form);
        }
        Value::String(stated) => stated.trim(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(form()),
    };
    if let Ok(seconds) = stated.parse::<i64>() {
        return Ok(seconds);
    }
    if let Ok(at) = stated.parse::<Timestamp>().or_else(|_| format!("{stated}T00:00:00Z").parse()) {
        return Ok(at.micros().div_euclid(1_000_000));
    }
    let unit = match stated.chars().last() {
        Some('d') => SECONDS_A_DAY,
        Some('h') => 3_600,
        Some('m') => 60,
        Some(_) | None => return Err(form()),
    };
    let count: i64 = stated
        .get(..stated.len().saturating_sub(1))
        .unwrap_or_default()
        .parse()
        .map_err(|_| form())?;
    let back = count.checked_mul(unit).filter(|back| *back >= 0).ok_or_else(form)?;
    now.checked_sub(back).ok_or_else(form)
}

/// Whole seconds of a number with a fraction. WHY: PyMISP sends `timestamp()` of a moment.
fn fraction(stated: Option<f64>) -> Option<i64> {
    let text = format!("{:.0}", stated?.floor());
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(scope: Scope, value: &Value) -> Result<Search, SearchProblem> {
        let now = "2026-03-10T00:00:00Z".parse().unwrap();
        Search::read(scope, value.to_string().as_bytes(), now)
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let problem = read(Scope::Events, &json!({"colour": "red"})).unwrap_err();
        assert_eq!(problem.to_string(), "`colour` is no filter of this search");
        assert!(!problem.help().is_empty());
        for bad in [
            json!({"returnFormat": "csv"}),
            json!({"limit": -1}),
            json!({"page": 2}),
            json!({"eventid": 7}),
            json!({"timestamp": "soon"}),
            json!({"enforceWarninglist": 1}),
            json!({"publish_timestamp": "1d"}),
            json!([1]),
            json!({"colour": null}),
        ] {
            assert!(read(Scope::Events, &bad).is_err(), "{bad}");
        }
        assert!(matches!(
            Search::read(
                Scope::Index,
                b"{\"a\":1,\"a\":1}",
                "2026-03-10T00:00:00Z".parse().unwrap()
            ),
            Err(SearchProblem::Json(_))
        ));
        let switches = json!({"enforceWarninglist": 0, "publish_timestamp": null, "value": null});
        let asked = read(Scope::Events, &switches).unwrap();
        assert_eq!(asked, read(Scope::Events, &json!({})).unwrap());
    }

    #[test]
    fn filters_choose_events_and_attributes() {
        let event = json!({"uuid": "0b5c0de1-1111-4111-8111-000000000001", "date": "2026-03-01",
            "timestamp": "1772452800", "published": true, "info": "Transfers",
            "Orgc": {"uuid": "u", "name": "Aldria police"}, "Tag": [{"name": "tlp:amber"}],
            "Attribute": [{"uuid": "a", "type": "domain|ip", "value": "h.example|192.0.2.7"}]});
        let event = event.as_object().unwrap();
        for (asked, taken) in [
            (json!({"value": "192.0.2.7"}), true),
            (json!({"value": "192.0.2"}), false),
            (json!({"value": "h.%", "type": "domain|ip"}), true),
            (json!({"type": "md5"}), false),
            (json!({"tags": ["tlp:amber"]}), true),
            (json!({"tags": "!tlp:amber"}), false),
            (json!({"org": "aldria police"}), true),
            (json!({"org": "!Aldria police"}), false),
            (json!({"timestamp": "30d"}), true),
            (json!({"timestamp": 1_772_452_801}), false),
            (json!({"timestamp": [1_772_452_800, 1_772_452_700]}), true),
            (json!({"from": "2026-03-01", "to": "2026-03-01"}), true),
            (json!({"to": "2026-02-28"}), false),
            (json!({"published": 0}), false),
            (json!({"uuid": "a"}), true),
            (json!({"uuid": "b"}), false),
            (json!({"eventid": ["0b5c0de1-1111-4111-8111-000000000001"]}), true),
            (json!({"eventid": "0b5c0de1-1111-4111-8111-000000000002"}), false),
        ] {
            let search = read(Scope::Events, &asked).unwrap();
            assert_eq!(search.takes_event(event), taken, "{asked}");
        }
        let paged = read(Scope::Index, &json!({"limit": 5, "page": "3"})).unwrap();
        assert_eq!((paged.skipped(), paged.limit), (10, Some(5)));
    }
}
