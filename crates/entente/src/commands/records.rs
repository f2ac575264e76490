//! Records: import a portion, list, show, expire.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::custody::{Custody, Holding, Source};
use model::event::Event;
use model::ids::RecordId;
use model::marking::Tlp;
use node::{Body, Reply, Shared};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The format of what was made here of STIX 2.0, in custody and log.
const UPGRADED: &str = "stix 2.0, upgraded";

/// How a record came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// As it was read.
    Read,
    /// Made here of STIX 2.0.
    Upgraded,
}

/// Stores a portion of records given as texts.
pub fn import(
    desk: &mut Desk<'_>,
    (format, floor): (&str, Option<Tlp>),
    officer: &str,
    (records, upgraded): (&[String], &BTreeSet<usize>),
) -> Outcome {
    let mut bodies = Vec::with_capacity(records.len());
    let mut bad = Vec::new();
    for (at, text) in records.iter().enumerate() {
        match Body::parse(text.as_bytes()) {
            Ok(body) if upgraded.contains(&at) => bodies.push((body, Made::Upgraded)),
            Ok(body) => bodies.push((body, Made::Read)),
            Err(error) => bad.push(format!("record {at} of the portion: {error}")),
        }
    }
    officer.clone_into(&mut desk.officer);
    let mut answer = store(desk, format, floor, bodies)?;
    if let Value::Object(members) = &mut answer.json {
        members.insert("unreadable".to_owned(), json!(bad));
    }
    Ok(answer)
}

/// Stores a portion of records already read.
///
/// # Errors
/// What the node answers.
pub fn store(
    desk: &mut Desk<'_>,
    format: &str,
    floor: Option<Tlp>,
    bodies: Vec<(Body, Made)>,
) -> Outcome {
    let mut holdings = Vec::with_capacity(bodies.len());
    for (body, made) in bodies {
        let format = if made == Made::Upgraded { UPGRADED } else { format };
        holdings.push(Holding { custody: custody(desk, format, floor, &body), body });
    }
    let handled = desk.act(Event::Ingest(holdings))?;
    let Reply::Ingested { stored, unchanged, refused } = handled.reply else {
        return Err(Failure::node("no_answer", "the node gave another answer", "report this"));
    };
    let refused: Vec<Value> = refused
        .into_iter()
        .map(|(record, reason)| json!({"record": record, "reason": reason}))
        .collect();
    let text = format!("{} stored, {unchanged} unchanged", words::count(stored, "record"));
    let json = json!({"stored": stored, "unchanged": unchanged, "refused": refused,
        "shared": shared_json(&handled.shared)});
    Ok(Answer::new(text, json))
}

fn custody(desk: &Desk<'_>, format: &str, floor: Option<Tlp>, body: &Body) -> Custody {
    let content = node::content_digest(body);
    Custody {
        id: body.id().clone(),
        kind: body.record_type().to_owned(),
        version: body.version_text().map_or_else(|| content.to_string(), str::to_owned),
        originator: desk.node.agency().clone(),
        source: Source::Import { format: format.to_owned(), officer: desk.officer.clone() },
        stored_at: desk.now,
        content,
        caveats: std::collections::BTreeSet::new(),
        retention_until: None,
        floor,
        flagged: false,
    }
}

/// What was shared, for machines.
#[must_use]
pub fn shared_json(shared: &[Shared]) -> Value {
    let rows: Vec<Value> = shared
        .iter()
        .map(|s| {
            json!({"record": s.record, "recipient": s.recipient, "outcome": s.outcome,
                "reason": s.reason, "repeated": s.repeated, "hindrance": s.hindrance,
                "decision": s.decision})
        })
        .collect();
    Value::Array(rows)
}

/// Lists records held, a page at a time; a page ends after a whole record.
pub fn list(
    desk: &mut Desk<'_>,
    kind: Option<&str>,
    limit: usize,
    after: Option<&RecordId>,
) -> Outcome {
    let page = {
        let snapshot = desk.node.snapshot()?;
        page(&*snapshot, kind, limit, after)?
    };
    let from = after.map(|id| format!(" after {id}")).unwrap_or_default();
    desk.looked(format!("list {}{from}", kind.unwrap_or("all")), page.shown.len())?;
    let rows: Vec<Vec<String>> = page.shown.iter().map(row).collect();
    let head = ["RECORD", "TYPE", "ORIGINATOR", "CAME BY", "KEEP UNTIL"];
    let mut text = words::table(&head, &rows);
    if let Some(next) = &page.next {
        let of = page.total.map(|total| format!(" of {total}")).unwrap_or_default();
        text.push_str(&format!("\n{}{of} shown; go on with --after {next}", page.shown.len()));
    }
    Ok(Answer::new(text, json!({"records": page.shown, "total": page.total, "next": page.next})))
}

/// One page of a list.
struct Page {
    shown: Vec<Custody>,
    /// How many there are in all; counted for the first page only.
    total: Option<u64>,
    /// The last record shown, where more follow it.
    next: Option<RecordId>,
}

fn page(
    snapshot: &dyn store::Snapshot,
    kind: Option<&str>,
    limit: usize,
    after: Option<&RecordId>,
) -> Result<Page, Failure> {
    let (mut shown, mut total, mut more) = (Vec::<Custody>::new(), 0_u64, false);
    node::query::custodies_after(snapshot, after, &mut |custody| {
        if kind.is_some_and(|kind| kind != custody.kind) {
            return true;
        }
        total = total.saturating_add(1);
        // WHY: all versions of a record are on one page, so that its id is a place to go on from.
        let same = shown.last().is_some_and(|last| last.id == custody.id);
        if shown.len() < limit || same {
            shown.push(custody);
        } else {
            more = true;
        }
        after.is_none() || !more
    })?;
    let total = after.is_none().then_some(total);
    let next = shown.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Page { shown, total, next })
}

fn row(custody: &Custody) -> Vec<String> {
    vec![
        custody.id.to_string(),
        custody.kind.clone(),
        custody.originator.to_string(),
        way(&custody.source),
        words::instant(custody.retention_until),
    ]
}

fn way(source: &Source) -> String {
    match source {
        Source::Import { format, .. } => format!("import ({format})"),
        Source::Release { giver, .. } => format!("release by {giver}"),
        Source::Post { collection, .. } => format!("posted ({collection})"),
        Source::Feed { feed, .. } => format!("feed {feed}"),
    }
}

/// Shows one record through the officer's gate.
pub fn show(desk: &mut Desk<'_>, id: &RecordId) -> Outcome {
    let answer = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::officer_view(&facts, id, desk.now)?
    };
    let Some(seen) = answer else {
        desk.looked(format!("show {id}"), 0)?;
        return Err(Failure::input(
            "no_such_record",
            format!("no record `{id}` is held here"),
            "list the records held: entente list",
        ));
    };
    desk.looked(format!("show {id}"), 1)?;
    let text = words_of(&seen);
    Ok(Answer::new(
        text,
        json!({"custody": seen.custody, "content": seen.content,
        "articles": seen.articles, "recalled": seen.recalled}),
    ))
}

fn words_of(seen: &node::query::Seen) -> String {
    let custody = &seen.custody;
    let mut lines = vec![
        format!("{}  ({})", custody.id, custody.kind),
        format!("originator  {}", custody.originator),
        format!("came by     {}, {}", way(&custody.source), custody.stored_at),
    ];
    if let Source::Release { purpose, obligations, .. } = &custody.source {
        lines.push(format!("for         {purpose} only; another purpose is a new decision"));
        for (article, words) in &seen.articles {
            lines.push(format!("under       {article}: \"{words}\""));
        }
        if !obligations.is_empty() {
            lines.push(format!("obliges to  {}", words::list(obligations)));
        }
    }
    lines.push(format!("caveats     {}", words::list(&seen.caveats)));
    lines.push(format!("keep until  {}", words::instant(custody.retention_until)));
    if custody.originator != seen.reader {
        lines.push(format!("pass on     only with the consent of {}", custody.originator));
    }
    if seen.recalled {
        lines.push("recalled    its originator took it back; it goes to nobody".to_owned());
    }
    if custody.flagged {
        lines.push("flagged     it rests on a record that was recalled".to_owned());
    }
    lines.push(String::new());
    lines.push(seen.content.clone());
    lines.join("\n")
}

/// Deletes what has reached the end of its retention.
pub fn tick(desk: &mut Desk<'_>) -> Outcome {
    let handled = desk.act(Event::Tick)?;
    let gone = if let Reply::Expired(gone) = handled.reply { gone } else { Vec::new() };
    let number = u64::try_from(gone.len()).unwrap_or(u64::MAX);
    let text = format!("{} deleted at the end of retention", words::count(number, "record"));
    Ok(Answer::new(text, json!({"deleted": gone})))
}
