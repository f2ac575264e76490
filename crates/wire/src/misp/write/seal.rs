//! Members kept from MISP, the tags that say a record's restrictions, and its distribution. Pure.
//!
//! INVARIANT: a restriction that the tags do not say yet gets its tag: TLP, PAP, NOFORN, ORCON and
//! the grade. The others have no tag of MISP; distribution 0 stands for them.

use super::super::draft::{LOCAL_FIELD, LOCAL_TAGS_FIELD, OTHER_FIELD, SOURCE_FIELD, TAGS_FIELD};
use super::super::members::{list, text};
use super::super::tags::{self, Seal};
use super::{Distribution, Row};
use crate::stix::built_in_tlp;
use model::marking::Tlp;
use serde_json::{Map, Value, json};

/// Puts the members that were kept in fields back in their places.
pub(super) fn restore(row: &Row<'_>, map: &mut Map<String, Value>, said: &[&str]) {
    let special = [LOCAL_FIELD, LOCAL_TAGS_FIELD, OTHER_FIELD, TAGS_FIELD, "misp.Galaxy"];
    for (name, value) in row.fields {
        let Some(key) = name.strip_prefix("misp.") else { continue };
        if special.contains(&name.as_str()) || said.contains(&key) {
            continue;
        }
        map.insert(key.to_owned(), value.clone());
    }
    for group in [LOCAL_FIELD, OTHER_FIELD, SOURCE_FIELD] {
        let members = row.fields.get(group).and_then(Value::as_object);
        for (key, value) in members.into_iter().flatten() {
            map.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Writes the tags; the seal they say together with `outer`.
pub(super) fn tags(row: &Row<'_>, map: &mut Map<String, Value>, outer: Option<&Seal>) -> Seal {
    let details = row.fields.get(TAGS_FIELD).and_then(Value::as_object);
    let mut all = Vec::new();
    for name in list(row.own, "labels").iter().filter_map(Value::as_str) {
        let mut tag = Map::new();
        tag.insert("name".to_owned(), json!(name));
        let more = details.and_then(|details| details.get(name)).and_then(Value::as_object);
        tag.extend(more.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        all.push(Value::Object(tag));
    }
    all.extend(list(row.fields, LOCAL_TAGS_FIELD).iter().cloned());
    super::push(map, "Tag", all);
    let mut said = outer.cloned().unwrap_or_default().and(&tags::read(map).seal);
    for inner in list(map, "Attribute").iter().filter_map(Value::as_object) {
        said = said.and(&tags::read(inner).seal);
    }
    let missing = missing(row, &said);
    if !missing.is_empty() {
        let missing = missing.into_iter().map(|name| json!({ "name": name })).collect();
        super::push(map, "Tag", missing);
        said = said.and(&tags::read(map).seal);
    }
    said
}

/// Adds to `event` the tags that a part without tags of its own lacks.
pub(super) fn names(row: &Row<'_>, outer: &Seal, event: &mut Map<String, Value>) {
    for name in missing(row, outer) {
        let tag = json!({ "name": name });
        if !list(event, "Tag").contains(&tag) {
            super::push(event, "Tag", vec![tag]);
        }
    }
}

/// Tags for restrictions that are not said yet.
fn missing(row: &Row<'_>, said: &Seal) -> Vec<String> {
    let mut out = Vec::new();
    let markings = list(row.own, "object_marking_refs").iter().filter_map(Value::as_str);
    let stated = text(row.extension, "tlp").and_then(|label| Tlp::parse(&label));
    let tlp = markings.filter_map(built_in_tlp).chain(stated).max();
    if tlp > said.tlp {
        out.extend(tlp.map(|tlp| format!("tlp:{}", label(tlp))));
    }
    for caveat in list(row.extension, "caveats").iter().filter_map(Value::as_str) {
        if caveat.starts_with("PAP:") && !said.caveats.contains(caveat) {
            out.push(caveat.to_owned());
        }
    }
    let flag = |key: &str| row.extension.get(key) == Some(&Value::Bool(true));
    if flag("noforn") && !said.noforn {
        out.push("dni-ism:dissem=\"NF\"".to_owned());
    }
    if flag("orcon") && !said.orcon {
        out.push("dni-ism:dissem=\"OC\"".to_owned());
    }
    let grade = text(row.extension, "grade");
    if grade.is_some() && grade != said.grade().map(|grade| grade.to_string()) {
        let mut marks = grade.iter().flat_map(|grade| grade.chars());
        let pair = marks.next().zip(marks.next());
        if let Some((source, information)) = pair {
            let source = source.to_ascii_lowercase();
            out.push(format!("admiralty-scale:source-reliability=\"{source}\""));
            out.push(format!("admiralty-scale:information-credibility=\"{information}\""));
        }
    }
    out
}

fn label(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "clear",
        Tlp::Green => "green",
        Tlp::Amber => "amber",
        Tlp::AmberStrict => "amber+strict",
        Tlp::Red => "red",
    }
}

/// Writes the distribution: the stated one where that is allowed, else `otherwise`.
pub(super) fn distribution(row: &Row<'_>, map: &mut Map<String, Value>, otherwise: &str) {
    let was_misp = row.fields.keys().any(|name| name.starts_with("misp."));
    if row.distribution == Distribution::Stated && was_misp {
        return;
    }
    map.remove("SharingGroup");
    map.remove("sharing_group_id");
    map.insert("distribution".to_owned(), json!(otherwise));
}
