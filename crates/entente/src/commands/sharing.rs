//! Sharing: orders, releases, explanations, recalls, consents.

use super::Desk;
use super::records::shared_json;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::decision::Outcome as Given;
use model::event::Event;
use model::ids::RecordId;
use model::request::{Consent, StandingOrder};
use node::query::Tally;
use node::{Reply, Shared};
use serde_json::json;

/// Gives a standing order.
pub fn order_add(desk: &mut Desk<'_>, order: StandingOrder) -> Outcome {
    let words = describe(&order);
    let handled = desk.act(Event::Order(order.clone()))?;
    let text = if handled.reply == Reply::Unchanged {
        format!("the order stands already: {words}")
    } else {
        format!("ordered: {words}\n{}", tally(&counted(&handled.shared)))
    };
    Ok(Answer::new(text, json!({"order": order, "shared": shared_json(&handled.shared)})))
}

/// Withdraws a standing order.
pub fn order_remove(desk: &mut Desk<'_>, order: StandingOrder) -> Outcome {
    desk.act(Event::Withdraw(order.clone()))?;
    Ok(Answer::new(format!("withdrawn: {}", describe(&order)), json!({"order": order})))
}

/// Lists standing orders.
pub fn order_list(desk: &mut Desk<'_>) -> Outcome {
    let orders = node::query::orders(&*desk.node.snapshot()?)?;
    let lines: Vec<String> = orders.iter().map(describe).collect();
    let text = if lines.is_empty() { "no standing orders".to_owned() } else { lines.join("\n") };
    Ok(Answer::new(text, json!({"orders": orders})))
}

fn describe(order: &StandingOrder) -> String {
    let offence = order.grounds.offence.as_deref().unwrap_or("no stated act");
    let mut text = format!("to {} for {}, {offence}", order.recipient, order.purpose);
    if !order.grounds.facts.is_empty() {
        text.push_str(&format!(", facts {}", words::list(&order.grounds.facts)));
    }
    text
}

pub fn tally(tally: &Tally) -> String {
    format!(
        "{} released, {} redacted, {} hit only, {} refused",
        tally.released, tally.redacted, tally.hit_only, tally.refused
    )
}

/// What became of many records, counted.
pub(super) fn counted(shared: &[Shared]) -> Tally {
    let mut out = Tally::default();
    shared.iter().for_each(|s| out.count(s.outcome));
    out
}

/// Explains a decision like a good clerk.
pub fn explain(desk: &mut Desk<'_>, record: &RecordId, order: &StandingOrder) -> Outcome {
    let explained = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::explain(&facts, record, order, desk.now)?
    };
    desk.looked(format!("explain {record} to {} for {}", order.recipient, order.purpose), 1)?;
    let Some(explained) = explained else {
        return Err(Failure::input(
            "no_such_record",
            format!("no record `{record}` is held here"),
            "list the records held: entente list",
        ));
    };
    let mut answer = Answer::new(
        explained.lines.join("\n"),
        json!({"decision": explained.decision, "lines": explained.lines}),
    );
    answer.refused = explained.decision.outcome == Given::Refuse;
    Ok(answer)
}

/// Releases records, or only says what would happen.
pub fn share(
    desk: &mut Desk<'_>,
    records: Vec<RecordId>,
    order: StandingOrder,
    dry_run: bool,
) -> Outcome {
    let shared = if dry_run {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::would_share(&facts, &records, &order, desk.now)?
    } else {
        let handled = desk.act(Event::Share { records, order })?;
        let mut shared = if let Reply::Shared(first) = handled.reply { first } else { Vec::new() };
        // WHY: what did not fit into one shipment went in the next.
        shared.extend(handled.shared);
        shared
    };
    let rows: Vec<Vec<String>> = shared
        .iter()
        .map(|s| {
            let again = if s.repeated { " (as before)" } else { "" };
            let outcome = format!("{}{again}", words::outcome(s.outcome));
            let reason = s.hindrance.clone().unwrap_or_else(|| words::reason(s.reason));
            vec![s.record.to_string(), s.recipient.to_string(), outcome, reason]
        })
        .collect();
    let mut text = words::table(&["RECORD", "RECIPIENT", "OUTCOME", "REASON"], &rows);
    if dry_run {
        text.push_str("\nnothing was sent (dry run)");
    }
    let mut answer = Answer::new(text, json!({"shared": shared_json(&shared), "dry_run": dry_run}));
    answer.refused = !shared.is_empty() && shared.iter().all(|s| s.outcome == Given::Refuse);
    Ok(answer)
}

/// Which stored records a recipient may have.
pub fn audience(desk: &mut Desk<'_>, order: &StandingOrder, limit: usize) -> Outcome {
    let (found, strange) = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        let found = node::query::audience(&facts, order, (limit, desk.now))?;
        (found, unknown(desk, &*snapshot, order)?)
    };
    let asked = usize::try_from(found.tally.total()).unwrap_or(usize::MAX);
    desk.looked(format!("audience {} for {}", order.recipient, order.purpose), asked)?;
    let row = |s: &Shared| vec![s.record.to_string(), words::outcome(s.outcome).to_owned()];
    let rows: Vec<Vec<String>> = found.named.iter().map(row).collect();
    let allowed = found.tally.total().saturating_sub(found.tally.refused);
    let named = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let more = if allowed > named {
        format!("\nthe first {named} of {allowed} are named: --limit names more")
    } else {
        String::new()
    };
    let table = words::table(&["RECORD", "OUTCOME"], &rows);
    let records = shared_json(&found.named);
    let told = json!({"tally": found.tally, "records": records, "unknown": strange});
    let strange: String = strange.iter().map(|line| format!("\n{line}")).collect();
    let text = format!("{table}\n{}{more}{strange}", tally(&found.tally));
    Ok(Answer::new(text, told))
}

/// What an order names that is not known here: nothing is ever released to it, or for it.
fn unknown(
    desk: &Desk<'_>,
    snapshot: &dyn store::Snapshot,
    order: &StandingOrder,
) -> Result<Vec<String>, Failure> {
    let (recipient, purpose) = (&order.recipient, &order.purpose);
    let mut out = Vec::new();
    if node::query::member(snapshot, recipient)?.is_none() {
        out.push(format!("`{recipient}` is not a member pinned here: entente member list"));
    }
    let rules = desk.node.rules();
    if let Some(rules) = rules.filter(|rules| !rules.vocabulary().purposes.contains(purpose)) {
        let known = words::list(&rules.vocabulary().purposes);
        out.push(format!("`{purpose}` is not a purpose of the vocabulary: {known}"));
    }
    Ok(out)
}

/// Takes a record back.
pub fn recall(desk: &mut Desk<'_>, record: RecordId, reason: String) -> Outcome {
    let handled = desk.act(Event::Recall { record: record.clone(), reason })?;
    let told = match handled.reply {
        Reply::Unchanged => {
            let text = format!("{record} was recalled before");
            return Ok(Answer::new(text, json!({"record": record, "told": []})));
        }
        Reply::Recalling(told) => told,
        Reply::Done
        | Reply::Ingested { .. }
        | Reply::Shared(_)
        | Reply::Receipt(_)
        | Reply::RecallReceipt(_)
        | Reply::Posted(_)
        | Reply::TakenDown(_)
        | Reply::Expired(_)
        | Reply::Refused { .. } => std::collections::BTreeSet::new(),
    };
    let text = format!("{record} is recalled; notice goes to {}", words::list(&told));
    Ok(Answer::new(text, json!({"record": record, "told": told})))
}

/// Gives a consent; holders of the record are sent it.
pub fn consent(desk: &mut Desk<'_>, mut consent: Consent) -> Outcome {
    consent.originator = desk.node.agency().clone();
    desk.act(Event::Permit(consent.clone()))?;
    let what = consent.object.as_ref().map_or("any record", |id| id.as_str());
    let text = format!("{} may receive {what}", consent.recipient);
    Ok(Answer::new(text, json!({"consent": consent})))
}
