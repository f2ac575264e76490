//! Agreements: vocabulary, adopt, sign, list, show, compare.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::agreement::{Agreement, Effect, Level};
use model::event::Event;
use model::ids::AgreementId;
use model::release::AgreementSignature;
use node::Reply;
use serde_json::json;

/// What was wrong with a document, all at once.
///
/// # Errors
/// Always: it makes the failure.
pub fn problems<T: ToString>(what: &str, found: &[T]) -> Failure {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    let number = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    Failure::input(
        "document_wrong",
        format!("the {what} has {}:\n  {}", words::count(number, "problem"), lines.join("\n  ")),
        "correct every line named; nothing was changed",
    )
}

fn read(document: &str) -> Result<Agreement, Failure> {
    wire::agreement::parse(document.as_bytes()).map_err(|found| problems("agreement", &found))
}

/// Adopts a vocabulary.
pub fn vocabulary(desk: &mut Desk<'_>, document: &str) -> Outcome {
    let vocabulary = wire::vocabulary::parse(document.as_bytes())
        .map_err(|found| problems("vocabulary", &found))?;
    let (actors, states) = (vocabulary.actors.len(), vocabulary.states.len());
    desk.act(Event::Adopt(Box::new(vocabulary)))?;
    let text = format!("adopted: {actors} agencies, {states} states");
    Ok(Answer::new(text, json!({"actors": actors, "states": states})))
}

/// Adopts an agreement.
pub fn add(desk: &mut Desk<'_>, document: &str) -> Outcome {
    let agreement = read(document)?;
    let (id, version, digest) = (agreement.id.clone(), agreement.version, agreement.digest);
    let title = agreement.title.clone();
    let agencies: Vec<_> =
        agreement.parties.iter().flat_map(|p| p.agencies.iter().cloned()).collect();
    let document = document.as_bytes().to_vec();
    let handled = desk.act(Event::Agree { agreement: Box::new(agreement), document })?;
    let was = if handled.reply == Reply::Unchanged { "is adopted already" } else { "is adopted" };
    let text = format!(
        "{title}\n{id} version {version} {was}\ndigest {digest}\nit takes effect between parties \
         that have signed: entente agreement sign {id}"
    );
    Ok(Answer::new(
        text,
        json!({"id": id, "version": version, "digest": digest, "agencies": agencies}),
    ))
}

fn adopted(desk: &Desk<'_>, id: &AgreementId) -> Result<Agreement, Failure> {
    let documents = node::query::agreement_documents(&*desk.node.snapshot()?)?;
    for document in documents {
        let agreement = node::facts::agreement(&document)?;
        if agreement.id == *id {
            return Ok(agreement);
        }
    }
    Err(Failure::input(
        "agreement_unknown",
        format!("no agreement `{id}` is adopted here"),
        "list the agreements: entente agreement list",
    ))
}

/// Signs an adopted agreement for this node's party.
pub fn sign(desk: &mut Desk<'_>, id: &AgreementId) -> Outcome {
    let agreement = adopted(desk, id)?;
    let member = &desk.node.identity().member;
    let signature = AgreementSignature {
        agreement: agreement.id.clone(),
        version: agreement.version,
        digest: agreement.digest,
        party: member.party.clone(),
        agency: member.agency.clone(),
        at: desk.now,
    };
    let document = desk.node.sign_agreement(&signature)?;
    desk.act(Event::Sign(signature))?;
    let json = json!({"document": document, "digest": agreement.digest});
    Ok(Answer::new(document.trim_end().to_owned(), json))
}

/// Stores another party's signature.
pub fn signature(desk: &mut Desk<'_>, document: &str) -> Outcome {
    let message = node::peer::Message::Note(document.to_owned());
    desk.node.receive(&message, desk.now, &mut crate::edge::SystemEntropy)?;
    Ok(Answer::new("the signature holds and is stored", json!({"stored": true})))
}

/// Lists adopted agreements with the parties that signed.
pub fn list(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for document in node::query::agreement_documents(&*snapshot)? {
        let agreement = node::facts::agreement(&document)?;
        let signed = node::query::signed_parties(&*snapshot, &agreement)?;
        let force = if agreement.in_force(desk.now) { "in force" } else { "not in force" };
        rows.push(vec![
            agreement.id.to_string(),
            agreement.version.to_string(),
            force.to_owned(),
            words::list(agreement.parties.iter().map(|p| &p.id)),
            words::list(&signed),
            words::instant(agreement.valid.until),
        ]);
        items.push(json!({"id": agreement.id, "version": agreement.version, "title":
            agreement.title, "in_force": agreement.in_force(desk.now), "signed": signed,
            "digest": agreement.digest}));
    }
    let head = ["AGREEMENT", "VERSION", "STATUS", "PARTIES", "SIGNED", "UNTIL"];
    Ok(Answer::new(words::table(&head, &rows), json!({"agreements": items})))
}

/// Shows one agreement in words.
pub fn show(desk: &mut Desk<'_>, id: &AgreementId) -> Outcome {
    let agreement = adopted(desk, id)?;
    let signed = node::query::signed_parties(&*desk.node.snapshot()?, &agreement)?;
    let mut lines = vec![
        agreement.title.clone(),
        format!("{} version {}, {}", agreement.id, agreement.version, agreement.digest),
        format!("from {} until {}", agreement.valid.from, words::instant(agreement.valid.until)),
    ];
    for party in &agreement.parties {
        let state = if signed.contains(&party.id) { "signed" } else { "has not signed" };
        lines.push(format!("{} ({state}): {}", party.id, words::list(&party.agencies)));
    }
    for article in &agreement.articles {
        lines.push(format!("Article {} {}: {}", article.id, effect(article.effect), article.text));
    }
    let articles: Vec<_> = agreement
        .articles
        .iter()
        .map(|a| json!({"id": a.id, "effect": effect(a.effect), "text": a.text}))
        .collect();
    let json = json!({"id": agreement.id, "version": agreement.version, "title": agreement.title,
        "digest": agreement.digest, "signed": signed, "articles": articles});
    Ok(Answer::new(lines.join("\n"), json))
}

/// What a new version changes, in sentences, with stored records as examples.
pub fn diff(desk: &mut Desk<'_>, document: &str, against: Option<&str>) -> Outcome {
    let after = read(document)?;
    let before = match against {
        Some(document) => read(document)?,
        None => adopted(desk, &after.id)?,
    };
    let changes = policy::diff::diff(&before, &after);
    let mut lines: Vec<String> = changes.iter().map(|change| change.text.clone()).collect();
    if lines.is_empty() {
        lines.push("the two versions say the same".to_owned());
    }
    let examples = {
        let snapshot = desk.node.snapshot()?;
        let facts = desk.node.facts(&*snapshot);
        node::query::examples(&facts, (before, after), desk.now)?
    };
    if !examples.is_empty() {
        lines
            .push("stored records that would fare otherwise under the standing orders:".to_owned());
    }
    let mut items = Vec::new();
    for example in &examples {
        let (before, after) = (words::outcome(example.before), words::outcome(example.after));
        let (record, to) = (&example.record, &example.recipient);
        lines.push(format!("  {record} to {to} for {}: {before} → {after}", example.purpose));
        items.push(json!({"record": record, "recipient": to, "purpose": example.purpose,
            "before": example.before, "after": example.after}));
    }
    desk.looked("agreement diff".to_owned(), examples.len())?;
    Ok(Answer::new(lines.join("\n"), json!({"changes": lines, "examples": items})))
}

/// An article's effect in words.
#[must_use]
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow(Level::Full) => "allows all of it",
        Effect::Allow(Level::Redacted) => "allows it in part",
        Effect::Allow(Level::HitOnly) => "allows a hit",
        Effect::Deny => "forbids",
        Effect::Oblige => "obliges",
    }
}
