//! The overview: who the node is, what it holds, its partners, orders, outbox and checkpoint.

use super::html::{Html, code, facts, html, instant, table, words};
use super::{Page, Section, Visit, read};
use crate::failure::Failure;
use model::ids::AgencyId;
use model::member::Member;
use model::request::StandingOrder;
use node::NodeError;
use node::outbox::{Outline, Subject, Undelivered};
use node::query::{Counts, Witnessed};
use store::Snapshot;

/// LIMIT: waiting messages listed.
const LISTED_MAX: usize = 50;

struct Seen {
    counts: Counts,
    members: Vec<Member>,
    orders: Vec<StandingOrder>,
    waiting: Vec<Outline>,
    undelivered: Vec<Undelivered>,
    witnessed: Vec<Witnessed>,
    checkpoint: Option<String>,
}

fn look(snapshot: &dyn Snapshot) -> Result<Seen, NodeError> {
    Ok(Seen {
        counts: node::query::counts(snapshot)?,
        members: node::query::members(snapshot)?,
        orders: node::query::orders(snapshot)?,
        waiting: node::outbox::outlines(snapshot)?,
        undelivered: node::outbox::undelivered(snapshot)?,
        witnessed: node::query::witnessed(snapshot)?,
        checkpoint: node::log::checkpoint(snapshot)?,
    })
}

/// The overview.
pub fn show(visit: &Visit<'_>) -> Result<Page, Failure> {
    let seen = read(visit.site, look)?;
    let member = &visit.site.member;
    let lead = html()
        .mark("<p class=\"lead\">The node of ")
        .text(&member.agency)
        .mark(". Partners reach it at ")
        .add(code(&member.endpoint))
        .mark("; its member document holds until ")
        .add(instant(member.valid_until))
        .mark(".</p>");
    let body = lead
        .add(figures(&seen.counts))
        .mark("<h2>Partners</h2>")
        .add(partners(visit.site.agency(), &seen))
        .mark("<h2>Standing orders</h2>")
        .add(orders(&seen.orders))
        .mark("<h2>Outbox</h2>")
        .add(outbox(&seen.waiting))
        .add(given_up(&seen.undelivered))
        .mark("<h2>Newest checkpoint</h2>")
        .add(checkpoint(seen.checkpoint.as_deref()));
    Ok(Page { section: Section::Overview, title: "Overview".to_owned(), body })
}

fn figures(counts: &Counts) -> Html {
    let figure = |(number, what): (u64, &'static str)| {
        html().mark("<li><b>").text(number).mark("</b><span>").mark(what).mark("</span></li>")
    };
    html()
        .mark("<ul class=\"figures\">")
        .each(
            [
                (counts.assertions, "records held"),
                (counts.records, "versions of them"),
                (counts.hits, "hits received"),
                (counts.agreements, "agreements adopted"),
                (counts.waiting, "messages to deliver"),
                (counts.undelivered, "messages given up"),
                (counts.notices, "notices of records passed on"),
                (counts.entries, "log entries"),
            ],
            figure,
        )
        .mark("</ul>")
}

fn partners(own: &AgencyId, seen: &Seen) -> Html {
    let mut rows = Vec::new();
    for member in seen.members.iter().filter(|member| member.agency != *own) {
        let waiting = seen.waiting.iter().filter(|w| w.recipient == member.agency).count();
        let witnessed = seen.witnessed.iter().find(|w| w.agency == member.agency);
        let size = witnessed
            .map_or_else(|| words("nothing yet"), |seen| words(format!("{} entries", seen.size)));
        rows.push(vec![
            words(&member.agency),
            words(&member.party),
            code(&member.endpoint),
            instant(member.valid_until),
            words(waiting),
            size,
        ]);
    }
    let columns =
        ["Agency", "Party", "Address", "Document holds until", "Waiting for it", "Its log as seen"];
    table("Pinned partners", &columns, rows)
}

fn orders(orders: &[StandingOrder]) -> Html {
    let rows = orders
        .iter()
        .map(|order| {
            let stated = |set: &std::collections::BTreeSet<String>| {
                words(crate::words::list(set.iter().map(|word| word.replace('_', " "))))
            };
            vec![
                words(&order.recipient),
                words(&order.purpose),
                words(order.grounds.offence.as_deref().unwrap_or("none stated")),
                stated(&order.grounds.facts),
                stated(&order.grounds.flags),
            ]
        })
        .collect();
    let columns = ["To", "For", "Act", "Facts stated", "Flags"];
    table("What is stored is offered to these partners", &columns, rows)
}

fn outbox(waiting: &[Outline]) -> Html {
    let rows: Vec<Vec<Html>> = waiting
        .iter()
        .take(LISTED_MAX)
        .map(|o| vec![words(&o.recipient), about(&o.subject), instant(o.queued_at)])
        .collect();
    let list = table("Waiting for a partner's answer", &["To", "Message", "Since"], rows);
    and_more(list, waiting.len())
}

/// What was given up; nothing is said where nothing was.
fn given_up(undelivered: &[Undelivered]) -> Html {
    if undelivered.is_empty() {
        return html();
    }
    let rows: Vec<Vec<Html>> = undelivered
        .iter()
        .take(LISTED_MAX)
        .map(|u| {
            let (outline, given_up) = (&u.outline, &u.given_up);
            let why = words(&given_up.reason);
            vec![words(&outline.recipient), about(&outline.subject), instant(given_up.at), why]
        })
        .collect();
    let columns = ["To", "Message", "Given up", "Why"];
    and_more(
        table("Given up: send again with entente deliver --again", &columns, rows),
        undelivered.len(),
    )
}

fn and_more(list: Html, all: usize) -> Html {
    let rest = all.saturating_sub(LISTED_MAX);
    if rest == 0 {
        return list;
    }
    list.mark("<p class=\"none\">and ").text(rest).mark(" more.</p>")
}

fn about(subject: &Subject) -> Html {
    match subject {
        Subject::Recall { record, .. } => {
            html().mark("recall of ").link("/records/", record.as_str(), record.as_str())
        }
        Subject::Shipment { .. } | Subject::Consent | Subject::Notice { .. } => {
            words(crate::commands::about(subject))
        }
    }
}

fn checkpoint(note: Option<&str>) -> Html {
    let Some(note) = note else {
        return html().mark("<p class=\"none\">Nothing is in the log yet.</p>");
    };
    let mut lines = note.lines();
    let rows = vec![
        ("Log", code(lines.next().unwrap_or_default())),
        ("Entries", words(lines.next().unwrap_or_default())),
        ("Root hash", code(lines.next().unwrap_or_default())),
        ("Signature", code(note.lines().last().unwrap_or_default())),
    ];
    facts(rows)
}
