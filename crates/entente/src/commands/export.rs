//! Taking records out as a file: a portion of what goes to a partner, or of the own copy.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::decision::Outcome as Given;
use model::event::Event;
use model::ids::RecordId;
use model::release::Terms;
use model::request::StandingOrder;
use node::export::{Copies, PORTION_MAX, Portion};
use node::{Body, Reply, Shared};
use serde::{Deserialize, Serialize};

/// Which records are asked for.
pub struct Chosen {
    /// These; absent for all that are held.
    pub records: Option<Vec<RecordId>>,
    /// Only this type.
    pub kind: Option<String>,
    /// Only those after this one.
    pub after: Option<RecordId>,
    /// Of an own copy: every version held.
    pub every_version: bool,
}

/// A portion of what is taken out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Exported {
    /// The objects, each in its own bytes.
    pub objects: Vec<String>,
    /// The terms of each release, hits included.
    pub terms: Vec<Terms>,
    /// What became of each record that was decided on for a partner.
    pub fates: Vec<Fate>,
    /// Of an own copy: the records that only this agency asserts.
    #[serde(default)]
    pub ours: Vec<RecordId>,
    /// Where the next portion goes on; absent at the end.
    pub next: Option<RecordId>,
}

/// What became of one record.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fate {
    /// The record.
    pub record: RecordId,
    /// What goes.
    pub outcome: Given,
    /// Why it does not go whole, in words; empty where it does.
    pub reason: String,
}

/// Answers a command with one portion.
pub fn answer(
    desk: &mut Desk<'_>,
    (format, order, dry_run): (&str, Option<StandingOrder>, bool),
    chosen: &Chosen,
) -> Outcome {
    let exported = export(desk, (format, order, dry_run), chosen)?;
    let number = u64::try_from(exported.objects.len()).unwrap_or(u64::MAX);
    let text = words::count(number, "object");
    let json = serde_json::to_value(exported)
        .map_err(|e| Failure::node("no_answer", e, "report this as a fault"))?;
    Ok(Answer::new(text, json))
}

/// Takes one portion out.
///
/// # Errors
/// What the node answers; nothing of the portion has left then.
pub fn export(
    desk: &mut Desk<'_>,
    (format, order, dry_run): (&str, Option<StandingOrder>, bool),
    chosen: &Chosen,
) -> Result<Exported, Failure> {
    let portion = portion(desk, chosen)?;
    let (mut exported, looked_at) = match order {
        Some(order) if dry_run => would_go(desk, &portion.records, &order)?,
        Some(order) => hand_over(desk, &portion.records, order)?,
        None => {
            let copies = if chosen.every_version { Copies::Every } else { Copies::Newest };
            own_copies(desk, format, (&portion.records, copies), dry_run)?
        }
    };
    let last = looked_at.checked_sub(1).and_then(|at| portion.records.get(at));
    let whole = looked_at == portion.records.len();
    exported.next = last.filter(|_| portion.more || !whole).cloned();
    Ok(exported)
}

fn portion(desk: &Desk<'_>, chosen: &Chosen) -> Result<Portion, Failure> {
    let after = chosen.after.as_ref();
    let Some(named) = &chosen.records else {
        let snapshot = desk.node.snapshot()?;
        return Ok(node::export::portion(&*snapshot, chosen.kind.as_deref(), after)?);
    };
    let mut named: Vec<&RecordId> =
        named.iter().filter(|id| after.is_none_or(|after| *id > after)).collect();
    named.sort_unstable();
    named.dedup();
    let more = named.len() > PORTION_MAX;
    Ok(Portion { records: named.into_iter().take(PORTION_MAX).cloned().collect(), more })
}

fn would_go(
    desk: &mut Desk<'_>,
    records: &[RecordId],
    order: &StandingOrder,
) -> Result<(Exported, usize), Failure> {
    let shared = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::would_share(&facts, records, order, desk.now)?
    };
    let query = format!("export, dry run, to {} for {}", order.recipient, order.purpose);
    desk.looked(query, records.len())?;
    let fates = shared.iter().map(fate).collect();
    Ok((Exported { fates, ..Exported::default() }, records.len()))
}

fn hand_over(
    desk: &mut Desk<'_>,
    records: &[RecordId],
    order: StandingOrder,
) -> Result<(Exported, usize), Failure> {
    let handled = desk.act(Event::HandOver { records: records.to_vec(), order })?;
    let Reply::Shared(shared) = handled.reply else {
        return Err(Failure::node("no_answer", "the node gave another answer", "report this"));
    };
    let mut exported = Exported { fates: shared.iter().map(fate).collect(), ..Exported::default() };
    for (terms, released) in handled.handed {
        exported.terms.push(terms);
        exported.objects.extend(released.content().map(text));
    }
    Ok((exported, shared.len()))
}

fn own_copies(
    desk: &mut Desk<'_>,
    format: &str,
    wanted: (&[RecordId], Copies),
    dry_run: bool,
) -> Result<(Exported, usize), Failure> {
    let copies = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::export::own_copies(&facts, wanted, desk.now)?
    };
    let way = if dry_run { ", dry run" } else { "" };
    desk.looked(format!("export {format}, own copy{way}"), copies.copies.len())?;
    let mut exported = Exported::default();
    for released in &copies.copies {
        let outcome = released.decision().outcome;
        let reason = match outcome {
            Given::Release => String::new(),
            Given::Redact | Given::HitOnly | Given::Refuse => {
                words::reason(released.decision().reason)
            }
        };
        exported.fates.push(Fate { record: released.record().clone(), outcome, reason });
        if !dry_run {
            exported.objects.extend(released.content().map(text));
        }
    }
    let refused = |(record, reason)| Fate { record, outcome: Given::Refuse, reason };
    exported.ours = copies.ours;
    exported.fates.extend(copies.withheld.into_iter().map(refused));
    Ok((exported, copies.looked_at))
}

fn fate(shared: &Shared) -> Fate {
    let reason = match (&shared.hindrance, shared.outcome) {
        (Some(hindrance), _) => hindrance.clone(),
        (None, Given::Release) => String::new(),
        (None, Given::Redact | Given::HitOnly | Given::Refuse) => words::reason(shared.reason),
    };
    Fate { record: shared.record.clone(), outcome: shared.outcome, reason }
}

fn text(body: &Body) -> String {
    String::from_utf8_lossy(body.raw()).into_owned()
}
