//! Files of decision cases: questions in, answers out, in the form of the published cases. Pure.
//!
//! One case that does not read is reported and skipped; the others go on.
//!
//! SOURCE: decision cases, schema `entente/decision-cases/1`.

mod object;

use crate::vocabulary::walk::{Node, Walk};
use crate::vocabulary::{Problem, open};
use model::agreement::Agreement;
use model::decision::{Decision, Outcome, RefusalMode};
use model::ids::{AgencyId, AgreementId};
use model::record::Record;
use model::request::{Ask, Consent, Grounds};
use model::time::Timestamp;
use model::vocabulary::Vocabulary;
use policy::engine::Engine;
use policy::reasons;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// LIMIT: most cases in one file.
pub const CASES_MAX: usize = 100_000;

/// One question with the agreements to consider.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id in the file.
    pub id: String,
    /// The agreements to consider.
    pub agreements: Vec<AgreementId>,
    /// The record asked for.
    pub record: Record,
    /// The question.
    pub ask: Ask,
    /// Keys and values that were set aside, in plain words.
    pub warnings: Vec<String>,
}

/// A file, as far as it reads.
#[derive(Debug, Clone)]
pub struct Cases {
    /// The cases that read.
    pub cases: Vec<Case>,
    /// What is wrong with the others, by pointer.
    pub problems: Vec<Problem>,
}

/// Reads a file of cases.
///
/// # Errors
/// The file is not strict JSON, has no list `cases`, or has more than [`CASES_MAX`].
pub fn parse(bytes: &[u8]) -> Result<Cases, Problem> {
    let value = open(bytes)?;
    let root = Node::root(&value);
    let mut walk = Walk::default();
    let Some(list) = walk.required(&root, "cases") else {
        return Err(Problem::new("/cases", "is missing".to_owned(), "add a list of cases"));
    };
    let now: Option<Timestamp> = root.key("now").and_then(|now| walk.parsed(&now));
    let list = walk.list(&list);
    if list.len() > CASES_MAX {
        let message = format!("more than {CASES_MAX} cases");
        return Err(Problem::new("/cases", message, "split the file"));
    }
    let mut problems = walk.problems;
    let mut cases: Vec<Case> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for node in &list {
        let mut walk = Walk::default();
        let read = case(&mut walk, node, now);
        if let Some(read) = &read
            && !ids.insert(read.id.clone())
        {
            let message = format!("case `{}` occurs twice", read.id);
            walk.report(&node.pointer, message, "give each case its own id");
        }
        match read {
            Some(case) if walk.problems.is_empty() => cases.push(case),
            Some(_) | None => problems.append(&mut walk.problems),
        }
    }
    Ok(Cases { cases, problems })
}

fn case(walk: &mut Walk, node: &Node<'_>, now: Option<Timestamp>) -> Option<Case> {
    let mut warnings = Vec::new();
    let id = walk.required(node, "id").and_then(|id| walk.text(&id));
    let agreements = walk.required(node, "agreements").map(|list| walk.list(&list));
    let agreements: Option<Vec<AgreementId>> =
        agreements.map(|list| list.iter().filter_map(|a| walk.parsed(a)).collect());
    let holder: Option<AgencyId> = walk.required(node, "holder").and_then(|h| walk.parsed(&h));
    let recipient: Option<AgencyId> =
        walk.required(node, "recipient").and_then(|r| walk.parsed(&r));
    let purpose = walk.required(node, "purpose").and_then(|p| walk.text(&p));
    let request = node.key("request");
    let own_now = request.as_ref().and_then(|r| r.key("now")).map(|now| walk.parsed(&now));
    let now = own_now.unwrap_or(now);
    if now.is_none() {
        walk.report(&node.pointer, "has no `now`".to_owned(), "add `now` to the file");
    }
    let grounds = request.map(|request| grounds(walk, &request, &mut warnings));
    let object = walk.required(node, "object");
    let record = object.and_then(|o| object::record(walk, &o, now?, &mut warnings));
    let ask = Ask {
        holder: holder?,
        recipient: recipient?,
        purpose: purpose?,
        grounds: grounds.unwrap_or_default(),
        now: now?,
    };
    Some(Case { id: id?, agreements: agreements?, record: record?, ask, warnings })
}

fn grounds(walk: &mut Walk, request: &Node<'_>, warnings: &mut Vec<String>) -> Grounds {
    let consents = request.key("consents").map(|list| walk.list(&list)).unwrap_or_default();
    Grounds {
        offence: request.key("offence").and_then(|offence| walk.text(&offence)),
        facts: request.key("facts").map(|facts| walk.words(&facts)).unwrap_or_default(),
        consents: consents.iter().filter_map(|c| consent(walk, c, warnings)).collect(),
        flags: request.key("flags").map(|flags| walk.words(&flags)).unwrap_or_default(),
    }
}

/// Keys of a consent that narrow nothing.
const CONSENT_NOTES: [&str; 4] = ["id", "note", "signature", "title"];

/// A consent with a condition that is not understood is set aside: it may be narrower than it
/// looks.
fn consent(walk: &mut Walk, node: &Node<'_>, warnings: &mut Vec<String>) -> Option<Consent> {
    const KEYS: [&str; 7] =
        ["originator", "recipient", "object", "purpose", "from", "until", "agreement"];
    let known = |key: &str| KEYS.contains(&key) || CONSENT_NOTES.contains(&key);
    let unknown = node.value.as_object().and_then(|o| o.keys().find(|key| !known(key)));
    if let Some(key) = unknown {
        warnings.push(format!("{}: consent with unknown `{key}` is set aside", node.pointer));
        return None;
    }
    let originator = walk.required(node, "originator").and_then(|o| walk.parsed(&o));
    let recipient = walk.required(node, "recipient").and_then(|r| walk.parsed(&r));
    Some(Consent {
        object: node.key("object").and_then(|object| walk.parsed(&object)),
        purpose: node.key("purpose").and_then(|purpose| walk.text(&purpose)),
        from: node.key("from").and_then(|from| walk.parsed(&from)),
        until: node.key("until").and_then(|until| walk.parsed(&until)),
        agreement: node.key("agreement").and_then(|agreement| walk.parsed(&agreement)),
        originator: originator?,
        recipient: recipient?,
    })
}

/// Decides every case, with one engine for each distinct list of agreements.
///
/// # Errors
/// Per case: an agreement it names is not loaded, or the agreements do not compile together.
pub fn decide(
    cases: &[Case],
    vocabulary: &Vocabulary,
    agreements: &[Agreement],
) -> BTreeMap<String, Result<Decision, Problem>> {
    let mut engines: BTreeMap<Vec<AgreementId>, Result<Engine, Problem>> = BTreeMap::new();
    let mut out = BTreeMap::new();
    for case in cases {
        let mut list = case.agreements.clone();
        list.sort();
        list.dedup();
        let engine =
            engines.entry(list.clone()).or_insert_with(|| engine(&list, vocabulary, agreements));
        let decision = match engine {
            Ok(engine) => Ok(engine.decide(&case.record, &case.ask)),
            Err(problem) => Err(problem.clone()),
        };
        out.insert(case.id.clone(), decision);
    }
    out
}

fn engine(
    list: &[AgreementId],
    vocabulary: &Vocabulary,
    agreements: &[Agreement],
) -> Result<Engine, Problem> {
    let absent = list.iter().find(|id| !agreements.iter().any(|a| a.id == **id));
    if let Some(id) = absent {
        let message = format!("agreement `{id}` is not loaded");
        return Err(Problem::new("/agreements", message, "load the agreement's document"));
    }
    let wanted = agreements.iter().filter(|a| list.contains(&a.id)).cloned().collect();
    Engine::new(vocabulary, wanted)
        .map_err(|error| Problem::new("/agreements", error.to_string(), error.help()))
}

/// One answer in the form of the published cases.
#[must_use]
pub fn answer(decision: &Decision) -> Value {
    let outcome = match decision.outcome {
        Outcome::Release => "release",
        Outcome::Redact => "redact",
        Outcome::HitOnly => "hit_only",
        Outcome::Refuse => "refuse",
    };
    let references = |list: &std::collections::BTreeSet<model::ids::ArticleRef>| -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    };
    let failed: Vec<&str> = decision.failed.iter().map(|r| reasons::of(*r).code).collect();
    let mut out = Map::new();
    out.insert("decision".to_owned(), json!(outcome));
    out.insert("redacted_fields".to_owned(), json!(decision.redacted_fields));
    out.insert("caveats".to_owned(), json!(decision.caveats));
    out.insert("reason".to_owned(), json!(reasons::of(decision.reason).code));
    out.insert("basis".to_owned(), json!(references(&decision.basis)));
    let until = decision.retention_until.map(|until| until.to_string());
    out.insert("retention_until".to_owned(), json!(until));
    out.insert("obligations".to_owned(), json!(decision.obligations));
    let deadline = decision.deadline.as_ref().map(|deadline| deadline.as_str());
    out.insert("deadline".to_owned(), json!(deadline));
    out.insert("unmet".to_owned(), json!(decision.unmet));
    out.insert("denied_by".to_owned(), json!(references(&decision.denied_by)));
    if decision.refusal_mode == RefusalMode::AsNoMatch {
        out.insert("refusal_mode".to_owned(), json!("as_no_match"));
    }
    out.insert("failed".to_owned(), json!(failed));
    Value::Object(out)
}

/// All answers as one JSON object, case id → answer.
#[must_use]
pub fn answers<'a>(decisions: impl IntoIterator<Item = (&'a str, &'a Decision)>) -> Value {
    let answers = decisions.into_iter().map(|(id, decision)| (id.to_owned(), answer(decision)));
    Value::Object(answers.collect())
}
