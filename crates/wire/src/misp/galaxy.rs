//! Galaxy clusters: known groups, techniques, tools and the like, as objects of their STIX type.
//! Pure.
//!
//! WHY a cluster does not take the event's markings: the same cluster stands in many events; which
//! event names it stands in the event's own record.

use super::draft::{Draft, part_id};
use super::event::{Fault, Frame};
use super::members::{list, text};
use super::tags::Seal;
use model::time::Timestamp;
use serde_json::{Map, Value, json};

const SAID: &[&str] = &["uuid", "value", "description", "GalaxyElement"];

/// The STIX type of clusters of a galaxy.
pub(super) fn kind_of(galaxy: &str) -> &'static str {
    let has = |word: &str| galaxy.contains(word);
    if has("intrusion-set") {
        "intrusion-set"
    } else if has("threat-actor") || has("terrorist-group") {
        "threat-actor"
    } else if has("attack-pattern") || has("technique") {
        "attack-pattern"
    } else if has("course-of-action") || has("countermeasure") || has("preventive-measure") {
        "course-of-action"
    } else if has("malware") || has("ransomware") || has("botnet") || galaxy == "rat" {
        "malware"
    } else if has("tool") {
        "tool"
    } else {
        "x-misp-galaxy-cluster"
    }
}

/// A cluster's draft, or why there is none.
type Made = Result<(Draft, Seal), Fault>;

/// The clusters of a galaxy list, each with its draft; and the list with identifiers in place of
/// the clusters.
pub(super) fn convert(
    part: &Map<String, Value>,
    frame: &Frame<'_>,
) -> (Option<Value>, Vec<(Made, String)>) {
    let (mut galaxies, mut drafts) = (Vec::new(), Vec::new());
    for (at, galaxy) in list(part, "Galaxy").iter().enumerate() {
        let Some(map) = galaxy.as_object() else { continue };
        let galaxy_type = text(map, "type").unwrap_or_default();
        let mut ids = Vec::new();
        for (cluster_at, cluster) in list(map, "GalaxyCluster").iter().enumerate() {
            let pointer = format!("/Galaxy/{at}/GalaxyCluster/{cluster_at}");
            let made = cluster
                .as_object()
                .ok_or_else(|| Fault::new("", "a cluster that is no object", "export it again"))
                .and_then(|cluster| one(cluster, &galaxy_type, frame));
            if let Ok((draft, _)) = &made {
                ids.push(json!(draft.id));
            }
            drafts.push((made, pointer));
        }
        let mut rest = map.clone();
        rest.remove("id");
        rest.insert("GalaxyCluster".to_owned(), Value::Array(ids));
        galaxies.push(Value::Object(rest));
    }
    ((!galaxies.is_empty()).then_some(Value::Array(galaxies)), drafts)
}

fn one(
    cluster: &Map<String, Value>,
    galaxy: &str,
    frame: &Frame<'_>,
) -> Result<(Draft, Seal), Fault> {
    super::attribute::check_uuid(cluster)?;
    let value = text(cluster, "value")
        .ok_or_else(|| Fault::new("/value", "the cluster has no value", "state its value"))?;
    let kind = kind_of(galaxy);
    let at = version(cluster)
        .ok_or_else(|| Fault::new("/version", "the version is no number", "correct it"))?;
    let mut draft = Draft::new(part_id(kind, cluster, &frame.event), first()?, at);
    draft.own("name", json!(value));
    if kind == "malware" {
        draft.own("is_family", json!(true));
    }
    if let Some(description) = text(cluster, "description") {
        draft.own("description", json!(description));
    }
    let synonyms = cluster.get("meta").and_then(|meta| meta.get("synonyms"));
    let synonyms = synonyms.and_then(Value::as_array).filter(|list| {
        !list.is_empty() && list.iter().all(|name| name.as_str().is_some_and(|n| !n.is_empty()))
    });
    let has_aliases =
        matches!(kind, "threat-actor" | "intrusion-set" | "malware" | "tool" | "attack-pattern");
    if let (Some(synonyms), true) = (synonyms, has_aliases) {
        draft.own("aliases", Value::Array(synonyms.clone()));
    }
    if let Some(elements) = cluster.get("GalaxyElement").and_then(Value::as_array) {
        let kept: Vec<Value> = elements
            .iter()
            .filter_map(|element| {
                Some(json!({"key": element.get("key")?, "value":
                element.get("value")?}))
            })
            .collect();
        if !kept.is_empty() {
            draft.field("misp.GalaxyElement", Value::Array(kept));
        }
    }
    draft.keep(cluster, SAID);
    let seal = Seal { reach: frame.audiences.reach(cluster), ..Seal::default() };
    Ok((draft, seal))
}

/// WHY: clusters have versions, some of them dates and some counters; both grow.
fn version(cluster: &Map<String, Value>) -> Option<Timestamp> {
    let number = match cluster.get("version") {
        None | Some(Value::Null) => 0,
        Some(_) => super::members::whole(cluster, "version")?,
    };
    let base = first().ok()?.micros();
    let micros = number.clamp(0, 4_000_000_000).saturating_mul(1_000_000).saturating_add(base);
    Timestamp::from_micros(micros).ok()
}

/// The beginning of every cluster's versions.
fn first() -> Result<Timestamp, Fault> {
    super::members::epoch().ok_or_else(|| Fault::new("", "no time", "report this"))
}
