//! Agreement documents, version 1, from TOML. Decides nothing; accepts nothing it does not know.
//! Pure.
//!
//! All problems of a document are reported at once, each with its line, key and cure. The digest
//! of the bytes is the agreement's identity.
//!
//! SOURCE: docs/reference/agreement.md; TOML 1.0.

mod article;
mod reader;

use crate::limits::{ARTICLES_MAX, DOCUMENT_BYTES_MAX};
use model::agreement::{
    Agreement, AgreementType, Defaults, Derived, Onward, Party, RecallTerms, Status, Validity,
};
use model::ids::{AgencyId, AgreementId};
pub(crate) use reader::suggestion;
use reader::{Reader, Section};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// The one document format understood.
const FORMAT: &str = "agreement/1";

const TYPES: [(&str, AgreementType); 6] = [
    ("bilateral", AgreementType::Bilateral),
    ("regional", AgreementType::Regional),
    ("coalition", AgreementType::Coalition),
    ("task_force", AgreementType::TaskForce),
    ("public_private", AgreementType::PublicPrivate),
    ("mla_treaty", AgreementType::MlaTreaty),
];
const STATUSES: [(&str, Status); 4] = [
    ("draft", Status::Draft),
    ("in_force", Status::InForce),
    ("suspended", Status::Suspended),
    ("terminated", Status::Terminated),
];
const ONWARD: [(&str, Onward); 3] = [
    ("forbidden", Onward::Forbidden),
    ("originator_consent", Onward::OriginatorConsent),
    ("within_agreement", Onward::WithinAgreement),
];
const DERIVED: [(&str, Derived); 2] = [("purge", Derived::Purge), ("flag", Derived::Flag)];

/// One thing wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{key}`: {message}")]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// The key concerned, as a path such as `article[2].when.purposes`.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What cures it.
    pub cure: String,
}

impl Problem {
    pub(crate) fn new(line: usize, key: &str, message: String, cure: &str) -> Self {
        Self { line, key: key.to_owned(), message, cure: cure.to_owned() }
    }
}

/// Reads an agreement. Cost: linear in the document.
///
/// # Errors
/// Every problem found, in the order of lines; never empty.
pub fn parse(bytes: &[u8]) -> Result<Agreement, Vec<Problem>> {
    let whole = |message: String, cure| vec![Problem::new(1, "", message, cure)];
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let message = format!("{} bytes is longer than {DOCUMENT_BYTES_MAX}", bytes.len());
        return Err(whole(message, "split the agreement into several"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to());
        whole(message, "save the document as UTF-8")
    })?;
    let mut reader = Reader::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.report(at, "", error.message().to_owned(), "correct the TOML syntax");
    }
    if !errors.is_empty() {
        return Err(reader.into_problems());
    }
    let read = document(&mut reader, root.get_ref(), bytes);
    let problems = reader.into_problems();
    match read {
        Some(agreement) if problems.is_empty() => Ok(agreement),
        Some(_) | None if !problems.is_empty() => Err(problems),
        Some(_) | None => Err(whole("the document is incomplete".to_owned(), "see the reference")),
    }
}

fn document(reader: &mut Reader, root: &DeTable<'_>, bytes: &[u8]) -> Option<Agreement> {
    let mut top = Section::new(root, String::new(), 0);
    let format = reader.required(&mut top, "entente");
    if let Some((at, word)) = format.filter(|(_, word)| *word != FORMAT) {
        let message = format!("`{word}` is not a document format known here");
        reader.report(at, "entente", message, "write `agreement/1`");
    }
    let id: Option<AgreementId> = reader.required_parsed(&mut top, "id");
    let version = reader.number(&mut top, "version", 1..=u32::MAX);
    if version.is_none() && !top.has("version") {
        reader.missing(&top, "version");
    }
    let kind = reader.required_choice(&mut top, "type", &TYPES);
    let title = reader.required(&mut top, "title").map(|(_, t)| t.to_owned());
    let status = reader.required_choice(&mut top, "status", &STATUSES);
    let text_hash = reader.required(&mut top, "text_hash").map(|(_, t)| t.to_owned());
    let valid = reader.section(&mut top, "valid", true).and_then(|s| validity(reader, s));
    let parties = parties(reader, &mut top);
    let legal_basis = legal_basis(reader, &mut top);
    let operation = reader.section(&mut top, "scope", false).and_then(|mut scope| {
        let operation = reader.required(&mut scope, "operation").map(|(_, o)| o.to_owned());
        reader.finish(&scope, &["operation"]);
        operation
    });
    let mut lex = reader.parsed_list(&mut top, "lex_specialis_over").unwrap_or_default();
    let defaults =
        reader.section(&mut top, "defaults", true).and_then(|s| defaults(reader, s, &mut lex));
    let articles = reader.sections(&mut top, "article", ARTICLES_MAX);
    let articles = article::articles(reader, articles);
    let recall = reader.section(&mut top, "recall", false).and_then(|s| recall(reader, s));
    let supersedes = reader.words(&mut top, "supersedes").unwrap_or_default();
    reader.finish(&top, &TOP_KEYS);
    Some(Agreement {
        id: id?,
        version: version?,
        digest: crypto::hash::sha256(bytes),
        kind: kind?,
        title: title?,
        status: status?,
        text_hash: text_hash?,
        valid: valid?,
        parties,
        legal_basis,
        operation,
        defaults: defaults?,
        lex_specialis_over: lex,
        articles,
        recall,
        supersedes: supersedes.into_iter().collect(),
    })
}

const TOP_KEYS: [&str; 16] = [
    "entente",
    "id",
    "version",
    "type",
    "title",
    "status",
    "text_hash",
    "valid",
    "party",
    "legal_basis",
    "scope",
    "defaults",
    "lex_specialis_over",
    "article",
    "recall",
    "supersedes",
];

fn validity(reader: &mut Reader, mut section: Section<'_>) -> Option<Validity> {
    let from = reader.required_parsed(&mut section, "from");
    let until = reader.parsed(&mut section, "until");
    let notice = reader.parsed(&mut section, "notice");
    let survival = reader.parsed(&mut section, "survival");
    reader.finish(&section, &["from", "until", "notice", "survival"]);
    Some(Validity { from: from?, until, notice, survival })
}

fn defaults(
    reader: &mut Reader,
    mut section: Section<'_>,
    lex: &mut BTreeSet<AgreementId>,
) -> Option<Defaults> {
    let onward = reader.required_choice(&mut section, "onward", &ONWARD);
    let retention = reader.parsed(&mut section, "retention");
    let caveats = reader.words(&mut section, "caveats").unwrap_or_default();
    lex.extend(
        reader.parsed_list::<AgreementId>(&mut section, "lex_specialis_over").unwrap_or_default(),
    );
    reader.finish(&section, &["onward", "retention", "caveats", "lex_specialis_over"]);
    Some(Defaults { onward: onward?, retention, caveats })
}

fn recall(reader: &mut Reader, mut section: Section<'_>) -> Option<RecallTerms> {
    let ack = reader.required_parsed(&mut section, "ack");
    let complete = reader.required_parsed(&mut section, "complete");
    let derived = reader.required_choice(&mut section, "derived", &DERIVED);
    reader.finish(&section, &["ack", "complete", "derived"]);
    Some(RecallTerms { ack: ack?, complete: complete?, derived: derived? })
}

fn legal_basis(reader: &mut Reader, top: &mut Section<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for mut section in reader.sections(top, "legal_basis", ARTICLES_MAX) {
        if let Some((_, text)) = reader.required(&mut section, "ref") {
            out.push(text.to_owned());
        }
        reader.finish(&section, &["ref"]);
    }
    out
}

fn parties(reader: &mut Reader, top: &mut Section<'_>) -> Vec<Party> {
    let mut out: Vec<Party> = Vec::new();
    let mut listed: BTreeMap<AgencyId, usize> = BTreeMap::new();
    if !top.has("party") {
        reader.missing(top, "party");
    }
    for mut section in reader.sections(top, "party", ARTICLES_MAX) {
        let id: Option<model::ids::PartyId> = reader.required_parsed(&mut section, "id");
        if !section.has("agencies") {
            reader.missing(&section, "agencies");
        }
        let agencies: BTreeSet<AgencyId> =
            reader.parsed_list(&mut section, "agencies").unwrap_or_default();
        let signed = reader.flag(&mut section, "signed").unwrap_or(false);
        for agency in &agencies {
            if listed.insert(agency.clone(), out.len()).is_some() {
                let message = format!("agency `{agency}` is listed under two parties");
                let cure = "list it under the one party it acts for";
                reader.report(section.at, &section.path_of("agencies"), message, cure);
            }
        }
        reader.finish(&section, &["id", "agencies", "signed"]);
        let Some(id) = id else { continue };
        if out.iter().any(|party| party.id == id) {
            let message = format!("party `{id}` is listed twice");
            let cure = "put its agencies into one party";
            reader.report(section.at, &section.path_of("id"), message, cure);
        }
        out.push(Party { id, agencies, signed });
    }
    out
}
