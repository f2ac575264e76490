//! Records: what is held, and one record with everything that binds it.

use super::html::{Html, code, facts, html, instant, table, words};
use super::{OFFICER, Page, Section, Visit, read};
use crate::command::Command;
use crate::commands::execute;
use crate::failure::Failure;
use model::custody::{Custody, Source};
use model::decision::Outcome;
use model::ids::RecordId;
use node::query::Seen;
use serde_json::Value;
use std::collections::BTreeSet;

/// Records on a page.
const PAGE: u64 = 100;
/// LIMIT: pages that can be leafed through; beyond them a filter helps.
const PAGES_MAX: u64 = 100;
/// Properties that are shown elsewhere on the page.
const ELSEWHERE: [&str; 5] = ["type", "id", "spec_version", "object_marking_refs", "extensions"];

/// What a reader looks for first.
const FIRST: [&str; 4] = ["name", "description", "what", "pattern"];
/// Parts of Entente's extension that are shown elsewhere or say nothing to a reader.
const UNSAID: [&str; 3] = ["extension_type", "fields", "record_type"];

/// The list of records held.
pub fn list(visit: &Visit<'_>) -> Result<Page, Failure> {
    let kind = visit.asked("type").map(str::trim).filter(|kind| !kind.is_empty());
    let number = visit.number("page").unwrap_or(1).clamp(1, PAGES_MAX);
    let limit = usize::try_from(number.saturating_mul(PAGE)).unwrap_or(usize::MAX);
    let command = Command::List { kind: kind.map(str::to_owned), limit, after: None };
    let answer = visit.site.seat(OFFICER, |desk| execute(desk, command))?;
    let total = answer.json.get("total").and_then(Value::as_u64).unwrap_or(0);
    let listed = answer.json.get("records").and_then(Value::as_array);
    let before = usize::try_from(number.saturating_sub(1).saturating_mul(PAGE)).unwrap_or(0);
    let custodies: Vec<Custody> = listed
        .into_iter()
        .flatten()
        .skip(before)
        .filter_map(|value| serde_json::from_value(value.clone()).ok())
        .collect();
    let names = names(visit, &custodies)?;
    let rows = custodies.iter().zip(names).map(|(custody, name)| row(custody, name)).collect();
    let caption = match kind {
        Some(kind) => format!("{} of type {kind}", crate::words::count(total, "record")),
        None => crate::words::count(total, "record"),
    };
    let columns = ["Record", "Type", "Originator", "Came by", "Stored (UTC)", "Keep until (UTC)"];
    let mut body = filter(kind).add(table(&caption, &columns, rows)).add(leaf(kind, number, total));
    if kind.is_none() && number == 1 {
        body = body.add(hits(visit)?);
    }
    Ok(Page { section: Section::Records, title: "Records".to_owned(), body })
}

fn filter(kind: Option<&str>) -> Html {
    html()
        .mark("<form method=\"get\" action=\"/records\"><div><label for=\"type\">Type, such as ")
        .mark("indicator or report</label><input id=\"type\" name=\"type\" maxlength=\"100\" value=\"")
        .text(kind.unwrap_or_default())
        .mark("\"></div><button type=\"submit\">Show</button></form>")
        .add(match kind {
            Some(_) => html().mark("<p><a href=\"/records\">Show all types</a></p>"),
            None => html(),
        })
}

/// What to call each record: its name as far as the officer's gate shows it.
fn names(visit: &Visit<'_>, custodies: &[Custody]) -> Result<Vec<Option<String>>, Failure> {
    let site = visit.site;
    let told = |problem: crate::http::errors::Problem| {
        Failure::node(problem.code, problem.public, problem.help)
    };
    let snapshot = site.snapshot().map_err(told)?;
    let facts = site.facts(&*snapshot).map_err(told)?;
    let name = |custody: &Custody| {
        // WHY: what the gate does not show has no name here; the list itself goes on.
        let seen = node::query::officer_view(&facts, &custody.id, visit.now).ok().flatten()?;
        let content: Value = serde_json::from_str(&seen.content).ok()?;
        named(&content)
    };
    Ok(custodies.iter().map(name).collect())
}

/// What a content calls itself: its name, or what it holds.
fn named(content: &Value) -> Option<String> {
    let text = |key: &str| content.get(key).and_then(Value::as_str);
    let found =
        ["name", "display_name", "value", "account_login", "relationship_type", "definition"]
            .into_iter()
            .find_map(text)
            .filter(|name| !name.trim().is_empty())?;
    Some(found.chars().take(160).collect())
}

/// Hits: a partner holds something and says no more than that.
fn hits(visit: &Visit<'_>) -> Result<Html, Failure> {
    let rows: Vec<Vec<Html>> = read(visit.site, node::query::hits)?
        .iter()
        .map(|terms| {
            vec![
                code(&terms.record),
                words(&terms.kind),
                words(&terms.originator),
                words(&terms.purpose),
                words(crate::words::list(&terms.basis)),
                terms.retention_until.map_or_else(|| words("without end"), instant),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(html());
    }
    let columns = ["Record", "Type", "Ask", "For", "Under", "Keep until (UTC)"];
    let lead = html()
        .mark("<h2>Hits</h2><p class=\"lead\">A partner holds a record on this and may give more ")
        .mark("on request; no content was given.</p>");
    Ok(lead.add(table("Hits received", &columns, rows)))
}

fn row(custody: &Custody, name: Option<String>) -> Vec<Html> {
    let id = custody.id.as_str();
    let kind = html()
        .mark("<a href=\"/records?type=")
        .text(query(&custody.kind))
        .mark("\">")
        .text(&custody.kind)
        .mark("</a>");
    let flag = if custody.flagged { " (rests on a recalled record)" } else { "" };
    vec![
        html()
            .mark("<span class=\"titled\">")
            .link("/records/", id, name.as_deref().unwrap_or("without a name"))
            .mark("</span><span class=\"id\">")
            .text(id)
            .mark("</span>")
            .text(flag),
        kind,
        words(&custody.originator),
        came(&custody.source),
        instant(custody.stored_at),
        until(custody),
    ]
}

/// A value of a query, escaped.
fn query(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn leaf(kind: Option<&str>, number: u64, total: u64) -> Html {
    let last = total.div_ceil(PAGE).clamp(1, PAGES_MAX);
    if last == 1 {
        return html();
    }
    let to = |page: u64, name: &'static str| {
        html()
            .mark("<a href=\"/records?page=")
            .text(page)
            .mark("&amp;type=")
            .text(query(kind.unwrap_or_default()))
            .mark("\">")
            .mark(name)
            .mark("</a>")
    };
    let mut out = html().mark("<nav class=\"pages\" aria-label=\"Pages of records\"><span>Page ");
    out = out.text(number).mark(" of ").text(last).mark("</span>");
    if number > 1 {
        out = out.add(to(number.saturating_sub(1), "Back"));
    }
    if number < last {
        out = out.add(to(number.saturating_add(1), "Further"));
    }
    out.mark("</nav>")
}

fn came(source: &Source) -> Html {
    match source {
        Source::Import { format, .. } => words(format!("import ({format})")),
        Source::Release { giver, .. } => words(format!("release by {giver}")),
        Source::Post { collection, .. } => words(format!("posted ({collection})")),
        Source::Feed { feed, .. } => words(format!("feed {feed}")),
    }
}

fn until(custody: &Custody) -> Html {
    custody.retention_until.map_or_else(|| words("without end"), instant)
}

/// One record through the officer's gate.
pub fn show(visit: &Visit<'_>, id: &str) -> Result<Page, Failure> {
    let unknown = || {
        let text = format!("no record `{id}` is held here");
        Failure::input("no_such_record", text, "look it up in the list of records")
    };
    let record: RecordId = id.parse().map_err(|_| unknown())?;
    let seen = visit.site.seat(OFFICER, |desk| {
        let seen = {
            let snapshot = desk.node.snapshot()?;
            let facts = desk.node.facts(&*snapshot);
            node::query::officer_view(&facts, &record, desk.now)?
        };
        // WHY: the look is in the log before the page leaves.
        desk.looked(format!("show {record}"), usize::from(seen.is_some()))?;
        Ok(seen)
    })?;
    let seen = seen.ok_or_else(unknown)?;
    let content: Value = serde_json::from_str(&seen.content).unwrap_or(Value::Null);
    let body = warnings(&seen)
        .add(lead(&seen))
        .mark("<h2>What it says</h2>")
        .add(content_of(&content))
        .add(marked(&seen, &content))
        .mark("<h2>What may be done with it</h2>")
        .add(facts(permitted(&seen)))
        .mark("<h2>Caveats</h2>")
        .add(caveats(&seen.caveats))
        .mark("<h2>How it came here</h2>")
        .add(facts(binding(&seen)))
        .mark("<h2>As its originator wrote it</h2>")
        .mark("<details><summary>Show the object</summary><pre>")
        .text(serde_json::to_string_pretty(&content).unwrap_or_default())
        .mark("</pre></details>");
    Ok(Page { section: Section::Records, title: title(&seen, &content), body })
}

fn title(seen: &Seen, content: &Value) -> String {
    named(content).unwrap_or_else(|| format!("{}, without a name", seen.custody.kind))
}

fn lead(seen: &Seen) -> Html {
    let custody = &seen.custody;
    let start = html()
        .mark("<p class=\"lead\">Type ")
        .text(&custody.kind)
        .mark(", stated by ")
        .text(&custody.originator);
    let whence = match &custody.source {
        Source::Import { .. } => start,
        Source::Release { giver, purpose, .. } => {
            start.mark(", given by ").text(giver).mark(" for ").text(purpose)
        }
        Source::Post { .. } => start.mark(", posted by its client, unsigned"),
        Source::Feed { .. } => start.mark(", read from a feed, unsigned"),
    };
    whence.mark(".</p>")
}

fn warnings(seen: &Seen) -> Html {
    let mut out = html();
    if seen.recalled {
        out = out.mark("<p class=\"note bad\"><span class=\"state bad\">Recalled.</span> ");
        out = out.mark("Its originator took it back; it goes to nobody and may not be used.</p>");
    }
    if seen.custody.flagged {
        out = out.mark("<p class=\"note\"><span class=\"state warn\">Flagged.</span> ");
        out = out.mark("It rests on a record that was recalled; review it before any use.</p>");
    }
    out
}

fn binding(seen: &Seen) -> Vec<(&'static str, Html)> {
    let custody = &seen.custody;
    let mut rows = vec![
        ("Record", code(&custody.id)),
        ("Type", words(&custody.kind)),
        ("Version", words(&custody.version)),
        ("Originator", words(&custody.originator)),
    ];
    match &custody.source {
        Source::Import { format, officer } => {
            rows.push(("Came by", words(format!("import ({format}) by {officer}"))));
        }
        Source::Release { giver, purpose, outcome, manifest, .. } => {
            rows.push(("Given by", words(giver)));
            rows.push(("Given for", words(purpose)));
            rows.push(("Given", words(given(*outcome))));
            rows.push(("Under", articles(seen)));
            rows.push(("Signed manifest", code(manifest)));
        }
        Source::Post { collection, credential, grade } => {
            rows.push(("Came by", words(format!("posting, unsigned ({collection})"))));
            rows.push(("Credential shown", code(credential)));
            let grade = grade.map_or_else(|| "none".to_owned(), |grade| grade.to_string());
            rows.push(("Grade of the poster", words(grade)));
        }
        Source::Feed { feed, grade, upgraded } => {
            let made = if *upgraded { ", made here of STIX 2.0" } else { "" };
            rows.push(("Came by", words(format!("feed {feed}, unsigned{made}"))));
            let grade = grade.map_or_else(|| "none".to_owned(), |grade| grade.to_string());
            rows.push(("Grade of the source", words(grade)));
        }
    }
    rows.push(("Stored", instant(custody.stored_at)));
    rows.push(("Digest of its bytes", code(custody.content)));
    rows
}

fn given(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Release => "whole",
        Outcome::Redact => "in part: its giver withheld some fields",
        Outcome::HitOnly => "as a hit, without content",
        Outcome::Refuse => "not at all",
    }
}

fn articles(seen: &Seen) -> Html {
    html().each(&seen.articles, |(article, text)| {
        let (agreement, _) = article.rsplit_once('#').unwrap_or((article, ""));
        let name = html().mark("<p>").link("/agreements/", agreement, article).mark("</p>");
        if text.is_empty() {
            return name.mark("<p class=\"none\">The adopted version has no such article.</p>");
        }
        name.mark("<blockquote>").text(text).mark("</blockquote>")
    })
}

fn permitted(seen: &Seen) -> Vec<(&'static str, Html)> {
    let custody = &seen.custody;
    let mut rows = Vec::new();
    let foreign = custody.originator != seen.reader;
    let has = |name: &str| seen.caveats.iter().any(|caveat| caveat == name);
    if let Source::Release { purpose, obligations, .. } = &custody.source {
        rows.push((
            "Use",
            words(format!("for {purpose} only; another purpose needs a new decision")),
        ));
        if !obligations.is_empty() {
            let duties: BTreeSet<String> =
                obligations.iter().map(|o| o.replace('_', " ")).collect();
            rows.push(("Duties", words(crate::words::list(&duties))));
        }
    }
    let onward = if !foreign {
        "as this node's agreements allow; it is this node's own record".to_owned()
    } else if has(policy::terms::CAVEAT_NO_ONWARD) {
        "to nobody".to_owned()
    } else {
        format!("only with the consent of {} or under a standing one", custody.originator)
    };
    rows.push(("Pass on", words(onward)));
    rows.push((
        "Keep",
        match custody.retention_until {
            Some(at) => html().mark("until ").add(instant(at)).mark(" at the latest"),
            None => words("no end was set"),
        },
    ));
    rows
}

fn caveats(names: &[String]) -> Html {
    let rows = names.iter().map(|name| vec![code(name), words(policy::explain::caveat(name))]);
    table("Caveats on this record", &["Caveat", "What it asks"], rows.collect())
}

fn extension(content: &Value) -> Option<&Value> {
    content.get("extensions").and_then(|all| all.get(wire::stix::EXTENSION_ID))
}

/// The content, field by field: STIX properties, then the fields of Entente's extension.
fn content_of(content: &Value) -> Html {
    let mut rows = Vec::new();
    let fields = extension(content).and_then(|own| own.get("fields"));
    for (name, value) in
        [Some(content), fields].into_iter().flatten().filter_map(Value::as_object).flatten()
    {
        if !ELSEWHERE.contains(&name.as_str()) {
            rows.push((name, value));
        }
    }
    // WHY: a reader looks for the name and the description first; the sort keeps the rest in order.
    rows.sort_by_key(|(name, _)| FIRST.iter().position(|f| f == name).unwrap_or(FIRST.len()));
    if rows.is_empty() {
        return html().mark("<p class=\"none\">A hit: no content was given.</p>");
    }
    described(rows)
}

/// What the originator states about the record itself: category of person, grade, operation …
fn marked(seen: &Seen, content: &Value) -> Html {
    let Some(own) = extension(content).and_then(Value::as_object) else { return html() };
    let rows: Vec<(&String, &Value)> =
        own.iter().filter(|(name, _)| !UNSAID.contains(&name.as_str())).collect();
    if rows.is_empty() {
        return html();
    }
    html()
        .mark("<h2>How ")
        .text(&seen.custody.originator)
        .mark(" marks it</h2>")
        .add(described(rows))
}

fn described(rows: Vec<(&String, &Value)>) -> Html {
    html()
        .mark("<dl>")
        .each(rows, |(name, value)| {
            html()
                .mark("<dt>")
                .text(name.replace('_', " "))
                .mark("</dt><dd>")
                .add(shown(value))
                .mark("</dd>")
        })
        .mark("</dl>")
}

fn shown(value: &Value) -> Html {
    match value {
        Value::String(text) if text.parse::<RecordId>().is_ok() && text.contains("--") => {
            html().link("/records/", text, text)
        }
        Value::String(text) => words(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => words(value),
        Value::Array(items) => html()
            .mark("<ul>")
            .each(items, |item| html().mark("<li>").add(shown(item)).mark("</li>"))
            .mark("</ul>"),
        Value::Object(members) => html()
            .mark("<ul>")
            .each(members, |(name, value)| {
                let item = html().mark("<li>").text(name.replace('_', " ")).mark(": ");
                item.add(shown(value)).mark("</li>")
            })
            .mark("</ul>"),
    }
}
