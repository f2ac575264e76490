//! The object of a case as a record. Pure.
//!
//! What is not understood tightens: an unknown TLP label or field-marking key becomes an
//! unresolved marking, an unknown neutrality word a pending review, an unreadable grade X4.

use crate::vocabulary::walk::{Node, Walk};
use model::ids::{AgencyId, RecordId};
use model::marking::{Classification, Marks, Tlp};
use model::record::{Neutrality, Record, Stops};
use model::time::{Period, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const KEYS: [&str; 27] = [
    "id",
    "type",
    "subject",
    "originator",
    "fields",
    "field_marks",
    "class",
    "tlp",
    "tlp_recipients",
    "noforn",
    "rel_to",
    "unresolved_markings",
    "grade",
    "handling",
    "caveats",
    "flags",
    "group",
    "operation",
    "neutrality",
    "recalled",
    "conceal",
    "tainted",
    "restricted",
    "orcon",
    "valid_until",
    "provider_limit",
    "refs",
];
const MARK_KEYS: [&str; 6] =
    ["class", "tlp", "tlp_recipients", "noforn", "rel_to", "unresolved_markings"];

pub(super) fn record(
    walk: &mut Walk,
    node: &Node<'_>,
    now: Timestamp,
    warnings: &mut Vec<String>,
) -> Option<Record> {
    let id: Option<RecordId> = walk.required(node, "id").and_then(|id| walk.parsed(&id));
    let kind = walk.required(node, "type").and_then(|kind| walk.text(&kind));
    let originator: Option<AgencyId> =
        walk.required(node, "originator").and_then(|o| walk.parsed(&o));
    if let Some(members) = node.value.as_object() {
        for key in members.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            warnings.push(format!("{}: `{key}` is not known here", node.pointer));
        }
    }
    let mut record = Record::new(id?, &kind?, originator?);
    if let Some(subject) = node.key("subject").and_then(|s| walk.text(&s)) {
        record.subject = subject;
    }
    let words = |walk: &mut Walk, key: &str| -> BTreeSet<String> {
        node.key(key).map(|list| walk.words(&list)).unwrap_or_default()
    };
    record.fields = words(walk, "fields").into_iter().map(|f| (f, Vec::new())).collect();
    record.refs = refs(walk, node);
    record.handling = words(walk, "handling");
    record.caveats = words(walk, "caveats");
    record.flags = words(walk, "flags");
    record.marks = marks(walk, node);
    record.field_marks = field_marks(walk, node, warnings);
    record.group = node.key("group").and_then(|group| walk.text(&group));
    record.operation = node.key("operation").and_then(|operation| walk.text(&operation));
    record.stops = Stops {
        recalled: flag(walk, node, "recalled"),
        concealed: flag(walk, node, "conceal"),
        tainted: flag(walk, node, "tainted"),
        restricted: flag(walk, node, "restricted"),
        orcon: flag(walk, node, "orcon"),
    };
    grade(walk, node, &mut record, warnings);
    record.neutrality = neutrality(walk, node, warnings);
    record.valid_until = node.key("valid_until").and_then(|t| walk.parsed(&t));
    record.provider_limit = node.key("provider_limit").and_then(|l| limit(walk, &l, now));
    Some(record)
}

fn flag(walk: &mut Walk, node: &Node<'_>, key: &str) -> bool {
    node.key(key).and_then(|flag| walk.flag(&flag)).unwrap_or(false)
}

fn refs(walk: &mut Walk, node: &Node<'_>) -> BTreeMap<RecordId, Vec<String>> {
    let list: BTreeSet<RecordId> =
        node.key("refs").map(|list| walk.parsed_list(&list)).unwrap_or_default();
    list.into_iter().map(|id| (id, Vec::new())).collect()
}

fn grade(walk: &mut Walk, node: &Node<'_>, record: &mut Record, warnings: &mut Vec<String>) {
    let Some(text) = node.key("grade").and_then(|grade| walk.text(&grade)) else { return };
    record.grade = text.parse().ok();
    if record.grade.is_none() {
        warnings.push(format!("{}/grade: `{text}` is no grade and counts as X4", node.pointer));
    }
}

fn neutrality(walk: &mut Walk, node: &Node<'_>, warnings: &mut Vec<String>) -> Neutrality {
    let Some(word) = node.key("neutrality").and_then(|word| walk.text(&word)) else {
        return Neutrality::NotRequired;
    };
    match word.as_str() {
        "not_required" | "none" => Neutrality::NotRequired,
        "pending" => Neutrality::Pending,
        "cleared" => Neutrality::Cleared,
        "failed" => Neutrality::Failed,
        "contested" => Neutrality::Contested,
        _ => {
            let place = &node.pointer;
            warnings.push(format!("{place}/neutrality: `{word}` is unknown, taken as pending"));
            Neutrality::Pending
        }
    }
}

/// An instant, or a period from now.
fn limit(walk: &mut Walk, node: &Node<'_>, now: Timestamp) -> Option<Timestamp> {
    if !node.value.as_str().is_some_and(|text| text.starts_with('P')) {
        return walk.parsed(node);
    }
    let period: Period = walk.parsed(node)?;
    match now.plus(&period) {
        Ok(instant) => Some(instant),
        Err(error) => {
            walk.report(&node.pointer, error.to_string(), "shorten the period");
            None
        }
    }
}

fn marks(walk: &mut Walk, node: &Node<'_>) -> Marks {
    let mut unresolved: Vec<String> =
        node.key("unresolved_markings").map(|list| walk.words_in_order(&list)).unwrap_or_default();
    let label = node.key("tlp").and_then(|tlp| walk.text(&tlp));
    let tlp = label.as_deref().and_then(Tlp::parse);
    if let Some(label) = label.filter(|_| tlp.is_none()) {
        unresolved.push(format!("tlp:{label}"));
    }
    Marks {
        class: node.key("class").and_then(|class| classification(walk, &class)),
        tlp,
        tlp_recipients: node
            .key("tlp_recipients")
            .map(|list| walk.parsed_list(&list))
            .unwrap_or_default(),
        noforn: flag(walk, node, "noforn"),
        rel_to: node.key("rel_to").map(|list| walk.parsed_list(&list)),
        unresolved,
    }
}

fn classification(walk: &mut Walk, node: &Node<'_>) -> Option<Classification> {
    let scheme = walk.required(node, "scheme").and_then(|scheme| walk.text(&scheme));
    let label = walk.required(node, "label").and_then(|label| walk.text(&label));
    Some(Classification { scheme: scheme?, label: label? })
}

fn field_marks(
    walk: &mut Walk,
    node: &Node<'_>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Marks> {
    let Some(table) = node.key("field_marks") else { return BTreeMap::new() };
    let read = |walk: &mut Walk, field: &Node<'_>| {
        let mut marks = marks(walk, field);
        let members = field.value.as_object();
        if members.is_none() {
            walk.report(&field.pointer, "is no object".to_owned(), "write an object of marks");
        }
        let unknown = members.into_iter().flat_map(|m| m.keys());
        for key in unknown.filter(|key| !MARK_KEYS.contains(&key.as_str())) {
            warnings.push(format!("{}: marking `{key}` is unknown", field.pointer));
            marks.unresolved.push(key.clone());
        }
        Some(marks)
    };
    walk.table(&table, read).unwrap_or_default()
}
