//! Links between records about one subject: make, take back, show.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::event::{Event, Linking};
use model::ids::RecordId;
use node::Reply;
use serde_json::{Value, json};

/// Makes a link or takes it back.
pub fn link(
    desk: &mut Desk<'_>,
    (one, other): (RecordId, RecordId),
    linking: Linking,
    reason: String,
) -> Outcome {
    let event =
        Event::SameAs { one: one.clone(), other: other.clone(), linking, reason: reason.clone() };
    let handled = desk.act(event)?;
    let changed = handled.reply != Reply::Unchanged;
    let text = match (linking, changed) {
        (Linking::Link, true) => format!("linked: {one} and {other}"),
        (Linking::Link, false) => format!("{one} and {other} are linked already"),
        (Linking::Unlink, true) => format!("unlinked: {one} and {other}"),
        (Linking::Unlink, false) => format!("{one} and {other} are not linked"),
    };
    let json = json!({"one": one, "other": other, "linked": linking == Linking::Link,
        "changed": changed, "reason": reason});
    Ok(Answer::new(text, json))
}

/// Shows the records that links make one subject, with every link between them.
pub fn show(desk: &mut Desk<'_>, record: &RecordId) -> Outcome {
    let (subject, held) = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::same_subject(&facts, record)?
    };
    let known = held.iter().any(|(id, by)| id == record && !by.is_empty());
    desk.looked(format!("same-as {record}"), if known { subject.records.len() } else { 0 })?;
    if !known {
        return Err(Failure::input(
            "no_such_record",
            format!("no record `{record}` is held here"),
            "list the records held: entente list",
        ));
    }
    let rows: Vec<Vec<String>> = subject
        .links
        .iter()
        .map(|link| {
            let ends = [link.one.to_string(), link.other.to_string()];
            [ends.to_vec(), vec![link.officer.clone(), link.at.to_string(), link.reason.clone()]]
                .concat()
        })
        .collect();
    let number = u64::try_from(subject.records.len()).unwrap_or(u64::MAX);
    let mut text = format!("{} of one subject\n", words::count(number, "record"));
    for (id, originators) in &held {
        text.push_str(&format!("  {id}  by {}\n", words::list(originators)));
    }
    text.push_str(&words::table(&["RECORD", "SAME AS", "OFFICER", "AT", "REASON"], &rows));
    if subject.more {
        text.push_str("\nmore records belong to it than are named");
    }
    let records: Vec<Value> =
        held.iter().map(|(id, by)| json!({"record": id, "originators": by})).collect();
    let json = json!({"records": records, "links": subject.links, "more": subject.more});
    Ok(Answer::new(text, json))
}
