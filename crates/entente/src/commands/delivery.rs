//! Delivery: what waits, what was given up and goes again, and notices between originators and
//! holders.

use super::{Desk, sharing};
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::event::Event;
use model::ids::{AgencyId, Digest};
use model::release::ReleaseNotice;
use node::outbox::{Outline, Subject, Undelivered};
use node::query::NoticeTaken;
use serde_json::{Value, json};
use store::Snapshot;

/// LIMIT: notices of each kind in one answer.
const NOTICES_MAX: usize = 10_000;

/// A subject in words.
#[must_use]
pub fn about(subject: &Subject) -> String {
    match subject {
        Subject::Shipment { entry, records, .. } => {
            let number = u64::try_from(records.len()).unwrap_or(u64::MAX);
            format!("shipment of {}, log entry {entry}", words::count(number, "record"))
        }
        Subject::Recall { record, .. } => format!("recall of {record}"),
        Subject::Consent => "consent".to_owned(),
        Subject::Notice { records } => {
            let number = u64::try_from(records.len()).unwrap_or(u64::MAX);
            format!("notice of {} passed on", words::count(number, "record"))
        }
    }
}

/// A subject for machines. WHY: a shipment's order holds what officers stated, which stays inside.
fn subject_json(subject: &Subject) -> Value {
    match subject {
        Subject::Shipment { entry, records, .. } => {
            json!({"about": "shipment", "entry": entry, "records": records})
        }
        Subject::Recall { record, cause, .. } => {
            json!({"about": "recall", "record": record, "cause": cause})
        }
        Subject::Consent => json!({"about": "consent"}),
        Subject::Notice { records } => json!({"about": "notice", "records": records}),
    }
}

/// What waits, what was given up, and what partners answered.
pub fn outbox(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let waiting = node::outbox::outlines(&*snapshot)?;
    let undelivered = node::outbox::undelivered(&*snapshot)?;
    let receipts = node::query::receipts(&*snapshot)?;
    let recalls = node::query::recall_receipts(&*snapshot)?;
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for outline in &waiting {
        let (row, item) = waits(&*snapshot, outline)?;
        rows.push(row);
        items.push(item);
    }
    let number = u64::try_from(receipts.len()).unwrap_or(u64::MAX);
    let text = format!(
        "{}\n{}{} and {} from partners",
        words::table(&["RECIPIENT", "MESSAGE", "SINCE", "REFUSED"], &rows),
        given_up(&undelivered),
        words::count(number, "receipt"),
        words::count(u64::try_from(recalls.len()).unwrap_or(u64::MAX), "recall receipt"),
    );
    let aside: Vec<Value> = undelivered.iter().map(aside_json).collect();
    Ok(Answer::new(
        text,
        json!({"waiting": items, "undelivered": aside, "receipts": receipts,
            "recall_receipts": recalls}),
    ))
}

fn waits(snapshot: &dyn Snapshot, outline: &Outline) -> Result<(Vec<String>, Value), Failure> {
    let Outline { recipient, digest, subject, queued_at } = outline;
    let refusals = node::outbox::refusals(snapshot, recipient, digest)?;
    let refused = refusals
        .as_ref()
        .map_or_else(|| "-".to_owned(), |r| format!("{} times, last {}", r.count, r.last));
    let row = vec![recipient.to_string(), about(subject), queued_at.to_string(), refused];
    let item = json!({"recipient": recipient, "digest": digest, "subject": subject_json(subject),
        "queued_at": queued_at, "refusals": refusals});
    Ok((row, item))
}

fn aside_json(aside: &Undelivered) -> Value {
    let Outline { recipient, digest, subject, queued_at } = &aside.outline;
    json!({"recipient": recipient, "digest": digest, "subject": subject_json(subject),
        "queued_at": queued_at, "given_up": aside.given_up})
}

fn given_up(undelivered: &[Undelivered]) -> String {
    if undelivered.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = undelivered
        .iter()
        .map(|aside| {
            let outline = &aside.outline;
            vec![
                outline.recipient.to_string(),
                about(&outline.subject),
                aside.given_up.reason.clone(),
                outline.digest.to_string(),
            ]
        })
        .collect();
    let table = words::table(&["GIVEN UP FOR", "MESSAGE", "WHY", "DIGEST"], &rows);
    format!("{table}\nsend again with: entente deliver --again DIGEST (or `all`)\n")
}

/// Sends what was given up again, one message or all.
pub fn again(desk: &mut Desk<'_>, message: Option<&Digest>) -> Outcome {
    let chosen: Vec<Outline> = {
        let all = node::outbox::undelivered(&*desk.node.snapshot()?)?;
        let fits = |outline: &Outline| message.is_none_or(|digest| *digest == outline.digest);
        all.into_iter().map(|aside| aside.outline).filter(fits).collect()
    };
    if let (Some(digest), true) = (message, chosen.is_empty()) {
        return Err(no_such(digest, "was given up"));
    }
    let (mut lines, mut items, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for outline in chosen {
        let place = (outline.recipient.clone(), outline.digest);
        let handled = desk.act(Event::Again { partner: place.0, message: place.1 })?;
        lines.push(format!("{} again for {}", about(&outline.subject), outline.recipient));
        items.push(json!({"recipient": outline.recipient, "digest": outline.digest}));
        shared.extend(handled.shared);
    }
    if lines.is_empty() {
        lines.push("nothing was given up".to_owned());
    }
    if !shared.is_empty() {
        lines.push(format!("offered anew: {}", sharing::tally(&sharing::counted(&shared))));
    }
    let shared = super::records::shared_json(&shared);
    Ok(Answer::new(lines.join("\n"), json!({"again": items, "shared": shared})))
}

/// Gives a waiting message up.
pub fn give_up(desk: &mut Desk<'_>, message: &Digest) -> Outcome {
    let partners: Vec<AgencyId> = {
        let all = node::outbox::outlines(&*desk.node.snapshot()?)?;
        let fits = |outline: &Outline| outline.digest == *message;
        all.into_iter().filter(fits).map(|outline| outline.recipient).collect()
    };
    if partners.is_empty() {
        return Err(no_such(message, "waits"));
    }
    for partner in &partners {
        desk.act(Event::GiveUp { partner: partner.clone(), message: *message })?;
    }
    let text = format!("{message} is given up for {}", words::list(&partners));
    Ok(Answer::new(text, json!({"digest": message, "recipients": partners})))
}

fn no_such(message: &Digest, what: &str) -> Failure {
    Failure::input(
        "no_such_message",
        format!("no message `{message}` {what}"),
        "list the messages with their digests: entente --json outbox",
    )
}

/// Notices taken, given and owed.
pub fn notices(desk: &mut Desk<'_>, limit: usize) -> Outcome {
    let limit = limit.min(NOTICES_MAX);
    let (taken, given, owed) = {
        let snapshot = desk.node.snapshot()?;
        (
            node::query::notices_taken(&*snapshot, limit)?,
            node::query::notices_given(&*snapshot, limit)?,
            node::query::notices_owed(&*snapshot, None, limit)?,
        )
    };
    desk.looked("notices".to_owned(), taken.len())?;
    let mut text = taken.iter().map(taken_words).collect::<Vec<_>>();
    text.extend(given.iter().map(|notice| given_words(notice, "told")));
    text.extend(
        owed.iter().map(|notice| given_words(notice, "NOT TOLD, as it is not pinned here:")),
    );
    if text.is_empty() {
        text.push("no notices".to_owned());
    }
    let json = json!({"taken": taken, "given": given, "owed": owed});
    Ok(Answer::new(text.join("\n"), json))
}

fn taken_words(taken: &NoticeTaken) -> String {
    let notice = &taken.notice;
    let head = format!(
        "{} {} passed on to {} for {}",
        notice.at, notice.giver, notice.recipient, notice.purpose
    );
    format!("{head}{}", listed(notice))
}

fn given_words(notice: &ReleaseNotice, how: &str) -> String {
    let head = format!(
        "{} {how} {} of what went to {} for {}",
        notice.at, notice.originator, notice.recipient, notice.purpose
    );
    format!("{head}{}", listed(notice))
}

fn listed(notice: &ReleaseNotice) -> String {
    let mut lines = String::new();
    for (record, passed) in &notice.records {
        lines.push_str(&format!(
            "\n  {record} ({}) under {}, as stated: {}",
            words::outcome(passed.outcome),
            words::list(&passed.articles),
            words::list(&passed.facts)
        ));
    }
    lines
}
