//! Sharing: orders, releases, explanations, recalls, consents, the outbox.

use super::Desk;
use super::records::shared_json;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::decision::Outcome as Given;
use model::event::Event;
use model::ids::RecordId;
use model::request::{Consent, StandingOrder};
use node::{Reply, Shared};
use serde_json::{Value, json};

/// Gives a standing order.
pub fn order_add(desk: &mut Desk<'_>, order: StandingOrder) -> Outcome {
    let words = describe(&order);
    let handled = desk.act(Event::Order(order.clone()))?;
    let text = if handled.reply == Reply::Unchanged {
        format!("the order stands already: {words}")
    } else {
        format!("ordered: {words}\n{}", tally(&handled.shared))
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

fn tally(shared: &[Shared]) -> String {
    let number = |wanted: Given| shared.iter().filter(|s| s.outcome == wanted).count();
    format!(
        "{} released, {} redacted, {} hit only, {} refused",
        number(Given::Release),
        number(Given::Redact),
        number(Given::HitOnly),
        number(Given::Refuse)
    )
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
        let reply = desk.act(Event::Share { records, order })?.reply;
        if let Reply::Shared(shared) = reply { shared } else { Vec::new() }
    };
    let rows: Vec<Vec<String>> = shared
        .iter()
        .map(|s| {
            let again = if s.repeated { " (as before)" } else { "" };
            let outcome = format!("{}{again}", words::outcome(s.outcome));
            vec![s.record.to_string(), s.recipient.to_string(), outcome, words::reason(s.reason)]
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
    let found = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::audience(&facts, order, desk.now)?
    };
    desk.looked(format!("audience {} for {}", order.recipient, order.purpose), found.len())?;
    let rows: Vec<Vec<String>> = found
        .iter()
        .filter(|s| s.outcome != Given::Refuse)
        .take(limit)
        .map(|s| vec![s.record.to_string(), words::outcome(s.outcome).to_owned()])
        .collect();
    let text = format!("{}\n{}", words::table(&["RECORD", "OUTCOME"], &rows), tally(&found));
    Ok(Answer::new(text, json!({"records": shared_json(&found)})))
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
        | Reply::Expired(_) => std::collections::BTreeSet::new(),
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

/// What waits, and what partners answered.
pub fn outbox(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let waiting = node::outbox::all_waiting(&*snapshot)?;
    let receipts = node::query::receipts(&*snapshot)?;
    let recalls = node::query::recall_receipts(&*snapshot)?;
    let rows: Vec<Vec<String>> = waiting
        .iter()
        .map(|w| {
            let about = match &w.subject {
                node::outbox::Subject::Shipment { entry } => format!("shipment, log entry {entry}"),
                node::outbox::Subject::Recall { record } => format!("recall of {record}"),
                node::outbox::Subject::Consent => "consent".to_owned(),
            };
            vec![w.recipient.to_string(), about, w.queued_at.to_string()]
        })
        .collect();
    let waiting: Vec<Value> = waiting
        .iter()
        .map(|w| {
            json!({"recipient": w.recipient, "digest": w.digest, "subject": w.subject,
            "queued_at": w.queued_at})
        })
        .collect();
    let number = u64::try_from(receipts.len()).unwrap_or(u64::MAX);
    let text = format!(
        "{}\n{} and {} from partners",
        words::table(&["RECIPIENT", "MESSAGE", "SINCE"], &rows),
        words::count(number, "receipt"),
        words::count(u64::try_from(recalls.len()).unwrap_or(u64::MAX), "recall receipt"),
    );
    Ok(Answer::new(
        text,
        json!({"waiting": waiting, "receipts": receipts, "recall_receipts": recalls}),
    ))
}
