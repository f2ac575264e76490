//! The log: entries, newest first, with what stands behind their commitments where it is held.

use super::html::{Html, code, html, table, words};
use super::{OFFICER, Page, Section, Visit, read};
use crate::command::Command;
use crate::commands::execute;
use crate::failure::Failure;
use model::entry::Entry;
use serde_json::Value;

/// Entries on a page.
const PAGE: u64 = 50;

/// A page of the log; `?before=INDEX` shows what stands before that entry.
pub fn show(visit: &Visit<'_>) -> Result<Page, Failure> {
    let size = read(visit.site, |snapshot| Ok(node::log::frontier(snapshot)?.size()))?;
    let before = visit.number("before").unwrap_or(size).min(size);
    let from = before.saturating_sub(PAGE);
    let command = Command::LogShow { from, limit: before.saturating_sub(from) };
    let answer = visit.site.seat(OFFICER, |desk| execute(desk, command))?;
    let entries = answer.json.get("entries").and_then(Value::as_array);
    let rows = entries.into_iter().flatten().rev().map(row).collect();
    let caption = if before == 0 {
        "Entries of the log".to_owned()
    } else {
        format!("Entries {from} to {} of {size}", before.saturating_sub(1))
    };
    let columns =
        ["Entry", "Time (UTC)", "What happened", "Partner", "Purpose", "Records", "Sealed in it"];
    let body = html()
        .mark("<p class=\"lead\">Each entry commits to its details without showing them: partners ")
        .mark("see the commitments, you see what is behind them.</p>")
        .add(table(&caption, &columns, rows))
        .add(leaf(from, before, size));
    Ok(Page { section: Section::Log, title: "Log".to_owned(), body })
}

fn leaf(from: u64, before: u64, size: u64) -> Html {
    let to = |place: u64, name: &'static str| {
        html().mark("<a href=\"/log?before=").text(place).mark("\">").mark(name).mark("</a>")
    };
    let mut out = html().mark("<nav class=\"pages\" aria-label=\"Pages of the log\">");
    if before < size {
        out = out.add(to(before.saturating_add(PAGE).min(size), "Newer"));
    }
    if from > 0 {
        out = out.add(to(from, "Older"));
    }
    out.mark("</nav>")
}

fn row(item: &Value) -> Vec<Html> {
    let index = item.get("index").and_then(Value::as_u64);
    let entry = item.get("entry").cloned().unwrap_or_default();
    let Ok(entry) = serde_json::from_value::<Entry>(entry) else {
        return vec![words("an entry that cannot be read")];
    };
    let kind = serde_json::to_value(entry.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or("?").replace('_', " ");
    vec![
        words(index.unwrap_or_default()),
        super::html::instant(entry.at),
        words(kind),
        words(entry.partner.map_or_else(|| "–".to_owned(), |partner| partner.to_string())),
        words(entry.purpose.unwrap_or_else(|| "–".to_owned())),
        words(entry.count),
        sealed(item, entry.commitments.keys()),
    ]
}

/// Fields that say most, in the order a reader wants them; the others follow.
const FIRST: [&str; 4] = ["record", "outcome", "reason", "originator"];

/// What each commitment of an entry hides.
fn sealed<'a>(item: &Value, fields: impl Iterator<Item = &'a String>) -> Html {
    let mut out = html().mark("<ul class=\"sealed\">");
    let mut fields: Vec<&String> = fields.collect();
    fields
        .sort_by_key(|field| FIRST.iter().position(|first| first == field).unwrap_or(FIRST.len()));
    for field in fields {
        let opening = item.get("openings").and_then(|all| all.get(field));
        let value = opening.and_then(|one| one.get("value")).and_then(Value::as_str);
        let shown = match value {
            Some("") => words("none"),
            Some(value) if field == "record" => html().link("/records/", value, value),
            Some(value) => code(value),
            None => words("no longer held"),
        };
        out = out.mark("<li>").text(field.replace('_', " ")).mark(": ").add(shown).mark("</li>");
    }
    out.mark("</ul>")
}
