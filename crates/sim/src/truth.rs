//! What really was agreed, signed, consented and authored: the omniscient side of the checkers.
//!
//! A decision here is made from the giver's own state, but by the true documents, signatures,
//! vocabulary and consents: whatever a node was made to believe otherwise does not count.

use crate::SimError;
use model::agreement::{Agreement, Onward};
use model::custody::Custody;
use model::decision::{Decision, Outcome};
use model::ids::{AgencyId, AgreementId, ArticleRef, Digest, PartyId, RecordId};
use model::record::Record;
use model::release::AgreementSignature;
use model::request::{Ask, Consent, StandingOrder};
use model::time::Timestamp;
use model::vocabulary::Vocabulary;
use node::Body;
use node::facts::Facts;
use node::tables::{self, Table, key};
use policy::engine::Engine;
use policy::terms::ORIGINATOR_CONSENT;
use protocol::Facts as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Snapshot;

/// What really happened outside the nodes.
#[derive(Default)]
pub struct Truth {
    documents: BTreeMap<Digest, Agreement>,
    meant: BTreeMap<(AgencyId, AgreementId), Digest>,
    signatures: BTreeSet<(Digest, PartyId)>,
    consents: BTreeSet<Consent>,
    vocabularies: BTreeMap<Digest, Vocabulary>,
    meant_vocabulary: BTreeMap<AgencyId, Digest>,
    authored: BTreeSet<(RecordId, AgencyId, String)>,
    engines: BTreeMap<String, Arc<Engine>>,
}

/// One omniscient decision.
pub struct Judgement {
    /// The decision by the true rules.
    pub decision: Decision,
    /// The record as its holder sees it.
    pub record: Record,
    /// What binds it there.
    pub custody: Custody,
    /// Values that must not be in what leaves.
    pub forbidden: BTreeSet<String>,
    /// Whether the originator let it go: its own, consent, standing consent or emergency.
    pub consented: bool,
}

impl Truth {
    /// A party agreed on this document at its node.
    pub fn adopted(&mut self, agency: &AgencyId, agreement: Agreement) {
        let place = (agency.clone(), agreement.id.clone());
        self.meant.insert(place, agreement.digest);
        self.documents.insert(agreement.digest, agreement);
    }

    /// A party really signed this document.
    pub fn signed(&mut self, digest: Digest, party: PartyId) {
        self.signatures.insert((digest, party));
    }

    /// An originator really consented.
    pub fn consented(&mut self, consent: Consent) {
        self.consents.insert(consent);
    }

    /// The officers of a node adopted this vocabulary.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn looked_up(&mut self, at: &AgencyId, words: &Vocabulary) -> Result<(), SimError> {
        let digest = digest_of(words)?;
        self.meant_vocabulary.insert(at.clone(), digest);
        self.vocabularies.insert(digest, words.clone());
        Ok(())
    }

    /// An officer really wrote this version of a record.
    pub fn authored(&mut self, id: &RecordId, by: &AgencyId, version: &str) {
        self.authored.insert((id.clone(), by.clone(), version.to_owned()));
    }

    /// Whether this originator wrote this version, or a differing copy of it (`VERSION~CONTENT`).
    #[must_use]
    pub fn wrote(&self, id: &RecordId, by: &AgencyId, version: &str) -> bool {
        let version = version.split_once('~').map_or(version, |(stem, _)| stem);
        self.authored.contains(&(id.clone(), by.clone(), version.to_owned()))
    }

    /// The true agreements as they stand at a node: its documents, the signatures it has and that
    /// were really given.
    fn agreements(&self, at: &AgencyId, facts: &dyn Snapshot) -> Result<Vec<Agreement>, String> {
        let mut out = Vec::new();
        for bytes in node::query::agreement_documents(facts).map_err(|e| e.to_string())? {
            let mut agreement = self.document(at, &bytes)?;
            let rows = tables::prefix(Table::Signature, &[agreement.id.as_str().as_bytes()]);
            let stored: Vec<AgreementSignature> =
                tables::read_all(facts, &rows, "signature").map_err(|e| e.to_string())?;
            let digest = agreement.digest;
            for party in &mut agreement.parties {
                let here = stored.iter().any(|s| s.party == party.id && s.digest == digest);
                party.signed &= here && self.signatures.contains(&(digest, party.id.clone()));
            }
            out.push(agreement);
        }
        Ok(out)
    }

    fn document(&self, at: &AgencyId, bytes: &[u8]) -> Result<Agreement, String> {
        let digest = crypto::hash::sha256(bytes);
        if let Some(known) = self.documents.get(&digest) {
            return Ok(known.clone());
        }
        let read = node::facts::agreement(bytes).map_err(|e| e.to_string())?;
        let meant = self.meant.get(&(at.clone(), read.id)).and_then(|d| self.documents.get(d));
        meant.cloned().ok_or_else(|| "an agreement nobody agreed on".to_owned())
    }

    fn vocabulary(&self, at: &AgencyId, snapshot: &dyn Snapshot) -> Result<&Vocabulary, String> {
        let row = snapshot.get(&key(Table::Vocabulary, &[])).map_err(|e| e.to_string())?;
        let stored = row.map(|bytes| crypto::hash::sha256(&bytes));
        let honest = stored.and_then(|digest| self.vocabularies.get(&digest));
        let meant = self.meant_vocabulary.get(at).and_then(|d| self.vocabularies.get(d));
        honest.or(meant).ok_or_else(|| "no vocabulary was adopted".to_owned())
    }

    fn engine(&mut self, at: &AgencyId, snapshot: &dyn Snapshot) -> Result<Arc<Engine>, String> {
        let agreements = self.agreements(at, snapshot)?;
        let words = self.vocabulary(at, snapshot)?.clone();
        let mut name = digest_of(&words).map_err(|e| e.to_string())?.hex();
        for agreement in &agreements {
            name.push_str(&agreement.digest.hex());
            name.extend(agreement.parties.iter().map(|p| if p.signed { '1' } else { '0' }));
        }
        if let Some(engine) = self.engines.get(&name) {
            return Ok(Arc::clone(engine));
        }
        let engine = Arc::new(Engine::new(&words, agreements).map_err(|e| e.to_string())?);
        self.engines.insert(name, Arc::clone(&engine));
        Ok(engine)
    }

    /// What the true rules say of one record at one node; nothing if the record is not there.
    ///
    /// # Errors
    /// The node's state cannot be read.
    pub fn judge(
        &mut self,
        (at, snapshot): (&AgencyId, &dyn Snapshot),
        record: &RecordId,
        order: &StandingOrder,
        now: Timestamp,
    ) -> Result<Option<Judgement>, String> {
        let engine = self.engine(at, snapshot)?;
        let facts = Facts::new(snapshot, at, None);
        let Some((custody, body)) = facts.assertion(record).map_err(|e| e.to_string())? else {
            return Ok(None);
        };
        let seen = facts.view(&custody, &body).map_err(|e| e.to_string())?;
        let ask = self.ask((at, &facts), &custody.originator, order, now)?;
        let decision = engine.decide(&seen, &ask);
        let mut forbidden = withheld(&decision, &seen, &body);
        for target in seen.refs.keys() {
            let Some((held, content)) = facts.assertion(target).map_err(|e| e.to_string())? else {
                continue;
            };
            let other = facts.view(&held, &content).map_err(|e| e.to_string())?;
            let ask = self.ask((at, &facts), &held.originator, order, now)?;
            if engine.decide(&other, &ask).outcome == Outcome::Refuse && *target != seen.id {
                forbidden.insert(target.as_str().to_owned());
            }
        }
        let consented = custody.originator == *at || lets_go(&engine, &seen, &ask, &decision.basis);
        Ok(Some(Judgement { decision, record: seen, custody, forbidden, consented }))
    }

    /// The question with the consents that were really given and have arrived, and no others: what
    /// an officer writes into an order is nobody's consent, even where it was given elsewhere.
    fn ask(
        &self,
        (at, facts): (&AgencyId, &Facts<'_>),
        originator: &AgencyId,
        order: &StandingOrder,
        now: Timestamp,
    ) -> Result<Ask, String> {
        let mut grounds = order.grounds.clone();
        grounds.consents =
            facts.consents(originator, &order.recipient).map_err(|e| e.to_string())?;
        grounds.consents.retain(|consent| self.consents.contains(consent));
        Ok(Ask {
            holder: at.clone(),
            recipient: order.recipient.clone(),
            purpose: order.purpose.clone(),
            grounds,
            now,
        })
    }
}

fn digest_of(words: &Vocabulary) -> Result<Digest, SimError> {
    let bytes = serde_json::to_vec(words).map_err(SimError::unusable)?;
    Ok(crypto::hash::sha256(&bytes))
}

/// Consent of the originator, told without the engine: specific, standing, or an emergency.
fn lets_go(engine: &Engine, record: &Record, ask: &Ask, basis: &BTreeSet<ArticleRef>) -> bool {
    let specific = ask.grounds.consents.iter().any(|consent| {
        consent.originator == record.originator
            && consent.recipient == ask.recipient
            && consent.object.as_ref().is_none_or(|object| *object == record.id)
            && consent.purpose.as_ref().is_none_or(|purpose| *purpose == ask.purpose)
            && consent.from.is_none_or(|from| from <= ask.now)
            && consent.until.is_none_or(|until| ask.now < until)
    });
    specific
        || basis.iter().all(|article| excuses(engine, record, ask, article)) && !basis.is_empty()
}

/// Whether an article goes without specific consent: standing consent, or the emergency door.
fn excuses(engine: &Engine, record: &Record, ask: &Ask, article: &ArticleRef) -> bool {
    let agreement = engine.agreements().iter().find(|a| a.id == article.agreement);
    let Some(agreement) = agreement.filter(|a| a.in_force(ask.now)) else { return false };
    let takes_part =
        |agency: &AgencyId| agreement.party_of(agency).is_some_and(|party| party.signed);
    let standing = agreement.defaults.onward == Onward::WithinAgreement
        && [&ask.holder, &ask.recipient, &record.originator].into_iter().all(takes_part)
        && agreement.operation == record.operation
        && !record.stops.orcon;
    let emergency = agreement.article(&article.article).is_some_and(|article| {
        article.overrides.contains(ORIGINATOR_CONSENT)
            && article.requires.is_subset(&ask.grounds.facts)
    });
    standing || emergency
}

/// The texts of withheld fields, from the content as its holder has it.
fn withheld(decision: &Decision, record: &Record, body: &Body) -> BTreeSet<String> {
    let fields = decision.redacted_fields.iter().filter_map(|field| record.fields.get(field));
    let values = fields.flatten().filter_map(|pointer| body.value().pointer(pointer));
    let mut out = BTreeSet::new();
    for value in values {
        texts(value, &mut out);
    }
    out
}

fn texts(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            out.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|element| texts(element, out)),
        Value::Object(map) => map.values().for_each(|element| texts(element, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
