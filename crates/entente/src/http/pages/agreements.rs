//! Agreements: which are adopted, who signed, and their articles in their own words.

use super::html::{Html, code, facts, html, instant, table, words};
use super::{Page, Section, Visit, read};
use crate::failure::Failure;
use model::agreement::{Agreement, Article, Effect, Level, Onward, Status};
use model::ids::PartyId;
use model::time::Timestamp;
use std::collections::BTreeSet;

type Signed = (Agreement, BTreeSet<PartyId>);

fn adopted(visit: &Visit<'_>) -> Result<Vec<Signed>, Failure> {
    read(visit.site, |snapshot| {
        let mut out = Vec::new();
        for document in node::query::agreement_documents(snapshot)? {
            let agreement = node::facts::agreement(&document)?;
            let signed = node::query::signed_parties(snapshot, &agreement)?;
            out.push((agreement, signed));
        }
        Ok(out)
    })
}

/// The list of agreements.
pub fn list(visit: &Visit<'_>) -> Result<Page, Failure> {
    let rows = adopted(visit)?
        .iter()
        .map(|(agreement, signed)| {
            let id = agreement.id.as_str();
            vec![
                html().link("/agreements/", id, &agreement.title),
                words(agreement.version),
                state(agreement, signed, visit.now),
                words(crate::words::list(agreement.parties.iter().map(|party| &party.id))),
                words(crate::words::list(signed)),
                words(agreement.articles.len()),
                ends(agreement.valid.until),
            ]
        })
        .collect();
    let columns =
        ["Agreement", "Version", "State", "Parties", "Signed here", "Articles", "Ends (UTC)"];
    let body = html()
        .mark("<p class=\"lead\">An agreement takes effect between parties whose signature on ")
        .mark("this very text is stored here.</p>")
        .add(table("Adopted agreements", &columns, rows));
    Ok(Page { section: Section::Agreements, title: "Agreements".to_owned(), body })
}

fn state(agreement: &Agreement, signed: &BTreeSet<PartyId>, now: Timestamp) -> Html {
    let bound = agreement.parties.iter().filter(|p| p.signed && signed.contains(&p.id)).count();
    if agreement.in_force(now) && bound < 2 {
        return html().mark("<span class=\"state warn\">waits for signatures</span>");
    }
    if agreement.in_force(now) {
        return html().mark("<span class=\"state good\">in force</span>");
    }
    let words = match agreement.status {
        Status::Draft => "draft",
        Status::InForce if now < agreement.valid.from => "not yet in force",
        Status::InForce => "ended",
        Status::Suspended => "suspended",
        Status::Terminated => "terminated",
    };
    html().mark("<span class=\"state warn\">").mark(words).mark("</span>")
}

fn ends(until: Option<Timestamp>) -> Html {
    until.map_or_else(|| words("without end"), instant)
}

/// One agreement.
pub fn show(visit: &Visit<'_>, id: &str) -> Result<Page, Failure> {
    let found = adopted(visit)?.into_iter().find(|(agreement, _)| agreement.id.as_str() == id);
    let (agreement, signed) = found.ok_or_else(|| {
        let text = format!("no agreement `{id}` is adopted here");
        Failure::input("agreement_unknown", text, "look it up in the list of agreements")
    })?;
    let body = facts(head(&agreement, &signed, visit.now))
        .mark("<h2>Parties</h2>")
        .add(parties(&agreement, &signed))
        .mark("<h2>Articles</h2>")
        .each(&agreement.articles, article);
    Ok(Page { section: Section::Agreements, title: agreement.title.clone(), body })
}

fn head(
    agreement: &Agreement,
    signed: &BTreeSet<PartyId>,
    now: Timestamp,
) -> Vec<(&'static str, Html)> {
    let mut rows = vec![
        ("Name", code(&agreement.id)),
        ("Version", words(agreement.version)),
        ("State", state(agreement, signed, now)),
        ("From", instant(agreement.valid.from)),
        ("Until", ends(agreement.valid.until)),
        ("Passing on", words(onward(agreement.defaults.onward))),
    ];
    if let Some(period) = &agreement.defaults.retention {
        rows.push(("Keep for", words(period)));
    }
    if let Some(operation) = &agreement.operation {
        rows.push(("Operation", words(operation)));
    }
    if !agreement.defaults.caveats.is_empty() {
        rows.push(("Caveats on everything", chips(&agreement.defaults.caveats)));
    }
    if !agreement.legal_basis.is_empty() {
        let list = html()
            .mark("<ul>")
            .each(&agreement.legal_basis, |basis| html().mark("<li>").text(basis).mark("</li>"));
        rows.push(("Legal basis", list.mark("</ul>")));
    }
    rows.push(("Digest of the text signed", code(agreement.digest)));
    rows
}

fn onward(rule: Onward) -> &'static str {
    match rule {
        Onward::Forbidden => "never",
        Onward::OriginatorConsent => "with the originator's consent, case by case",
        Onward::WithinAgreement => "standing consent among the signatories",
    }
}

fn parties(agreement: &Agreement, signed: &BTreeSet<PartyId>) -> Html {
    let rows = agreement
        .parties
        .iter()
        .map(|party| {
            let state = match (party.signed, signed.contains(&party.id)) {
                (true, true) => html().mark("<span class=\"state good\">stored here</span>"),
                (true, false) => html().mark("<span class=\"state warn\">not stored here</span>"),
                (false, _) => html().mark("<span class=\"state warn\">has not signed</span>"),
            };
            vec![words(&party.id), words(crate::words::list(&party.agencies)), state]
        })
        .collect();
    table("Parties, their agencies and signatures", &["Party", "Agencies", "Signature"], rows)
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow(Level::Full) => "allows the whole record",
        Effect::Allow(Level::Redacted) => "allows it in part",
        Effect::Allow(Level::HitOnly) => "allows a hit",
        Effect::Deny => "forbids",
        Effect::Oblige => "obliges",
    }
}

fn article(article: &Article) -> Html {
    let mut out = html()
        .mark("<section class=\"article\"><h3>Article ")
        .text(&article.id)
        .mark(" ")
        .text(effect(article.effect))
        .mark("</h3>");
    if !article.text.is_empty() {
        out = out.mark("<p>").text(&article.text).mark("</p>");
    }
    for (what, set) in [
        ("Requires", &article.requires),
        ("Withholds", &article.redact),
        ("Adds caveats", &article.caveats),
        ("Obliges to", &article.obligations),
    ] {
        if !set.is_empty() {
            out = out.mark("<p>").mark(what).mark("</p>").add(chips(set));
        }
    }
    out.mark("</section>")
}

fn chips(set: &BTreeSet<String>) -> Html {
    html()
        .mark("<ul class=\"chips\">")
        .each(set, |word| html().mark("<li>").text(word).mark("</li>"))
        .mark("</ul>")
}
