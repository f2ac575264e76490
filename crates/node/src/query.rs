//! What can be read from a snapshot: counts, lists, a partner's collection. Reads pass the gate.

mod audience;

pub use audience::{Audience, Tally, audience};

use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::listing::Listing;
use crate::pages::{self, Page, Wanted};
use crate::tables::{self, Table, key, prefix};
use model::custody::Custody;
use model::ids::{AgencyId, Digest, RecordId};
use model::member::Member;
use model::release::{RecallReceipt, Receipt, ReleaseNotice, Terms};
use model::request::StandingOrder;
use model::time::Timestamp;
use serde::Serialize;
use store::Snapshot;

/// How much a node holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Versions of records held.
    pub records: u64,
    /// Distinct records, by originator.
    pub assertions: u64,
    /// Hits received.
    pub hits: u64,
    /// Members pinned, itself included.
    pub members: u64,
    /// Agreements adopted.
    pub agreements: u64,
    /// Messages waiting.
    pub waiting: u64,
    /// Messages given up because their partner refuses them.
    pub undelivered: u64,
    /// Notices received: records of this node that holders passed on.
    pub notices: u64,
    /// Notices owed to originators that are not pinned here.
    pub notices_owed: u64,
    /// Log entries.
    pub entries: u64,
}

fn count(snapshot: &dyn Snapshot, table: Table) -> Result<u64, NodeError> {
    let mut number = 0_u64;
    snapshot.scan(&key(table, &[]), &mut |_, _| {
        number = number.saturating_add(1);
        true
    })?;
    Ok(number)
}

/// Counts the tables. Cost: one pass over the keys of each.
///
/// # Errors
/// The store failed.
pub fn counts(snapshot: &dyn Snapshot) -> Result<Counts, NodeError> {
    Ok(Counts {
        records: count(snapshot, Table::Holding)?,
        assertions: count(snapshot, Table::Newest)?,
        hits: count(snapshot, Table::Hit)?,
        members: count(snapshot, Table::Member)?,
        agreements: count(snapshot, Table::Agreement)?,
        waiting: count(snapshot, Table::Outbox)?,
        undelivered: count(snapshot, Table::Undelivered)?,
        notices: count(snapshot, Table::NoticeTaken)?,
        notices_owed: count(snapshot, Table::NoticeOwed)?,
        entries: crate::log::frontier(snapshot)?.size(),
    })
}

/// Visits the custody of every version held, in id order, until `visit` says stop.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn custodies(
    snapshot: &dyn Snapshot,
    visit: &mut dyn FnMut(Custody) -> bool,
) -> Result<(), NodeError> {
    custodies_after(snapshot, None, visit)
}

/// Visits the custody of every version of every record after one, in id order.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn custodies_after(
    snapshot: &dyn Snapshot,
    after: Option<&RecordId>,
    visit: &mut dyn FnMut(Custody) -> bool,
) -> Result<(), NodeError> {
    let rows = key(Table::Holding, &[]);
    // WHY: all versions of a record begin with its id and a zero byte; the next byte is past them.
    let start = match after {
        Some(id) => [rows.as_slice(), id.as_str().as_bytes(), &[1]].concat(),
        None => rows.clone(),
    };
    let mut failure = None;
    snapshot.scan_from(&rows, &start, &mut |_, bytes| match tables::unpack(bytes) {
        Ok((custody, _)) => visit(custody),
        Err(error) => {
            failure = Some(error);
            false
        }
    })?;
    failure.map_or(Ok(()), Err)
}

/// Members pinned.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn members(snapshot: &dyn Snapshot) -> Result<Vec<Member>, NodeError> {
    tables::read_all(snapshot, &key(Table::Member, &[]), "member")
}

/// Documents of the adopted agreements.
///
/// # Errors
/// The store failed.
pub fn agreement_documents(snapshot: &dyn Snapshot) -> Result<Vec<Vec<u8>>, NodeError> {
    let mut out = Vec::new();
    snapshot.scan(&key(Table::Agreement, &[]), &mut |_, bytes| {
        out.push(bytes.to_vec());
        true
    })?;
    Ok(out)
}

/// The digest of a partner client's access token, if it was given one.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn access(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
) -> Result<Option<model::ids::Digest>, NodeError> {
    tables::read(snapshot, &key(Table::Access, &[partner.as_str().as_bytes()]), "access")
}

/// How a partner's postings are regarded, where an officer said so.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn appraisal(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
) -> Result<Option<model::posting::Appraisal>, NodeError> {
    tables::read(snapshot, &key(Table::Appraisal, &[partner.as_str().as_bytes()]), "appraisal")
}

/// One pinned member.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn member(snapshot: &dyn Snapshot, agency: &AgencyId) -> Result<Option<Member>, NodeError> {
    tables::read(snapshot, &key(Table::Member, &[agency.as_str().as_bytes()]), "member")
}

/// The standing orders.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn orders(snapshot: &dyn Snapshot) -> Result<Vec<StandingOrder>, NodeError> {
    tables::read_all(snapshot, &key(Table::Order, &[]), "order")
}

/// Hits received, with their givers.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn hits(snapshot: &dyn Snapshot) -> Result<Vec<Terms>, NodeError> {
    tables::read_all(snapshot, &key(Table::Hit, &[]), "hit")
}

/// Receipts partners gave.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn receipts(snapshot: &dyn Snapshot) -> Result<Vec<Receipt>, NodeError> {
    tables::read_all(snapshot, &key(Table::ReceiptTaken, &[]), "receipt")
}

/// Partners' words on recalls.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn recall_receipts(snapshot: &dyn Snapshot) -> Result<Vec<RecallReceipt>, NodeError> {
    tables::read_all(snapshot, &key(Table::RecallTaken, &[]), "recall receipt")
}

/// A notice that this node received as the originator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct NoticeTaken {
    /// When it came.
    pub taken_at: Timestamp,
    /// Digest of the signed document.
    pub document: Digest,
    /// What it says.
    pub notice: ReleaseNotice,
}

/// Notices received, newest first, at most `limit`.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn notices_taken(snapshot: &dyn Snapshot, limit: usize) -> Result<Vec<NoticeTaken>, NodeError> {
    let (mut out, mut failure) = (Vec::new(), None);
    snapshot.scan_back(&key(Table::NoticeTaken, &[]), None, &mut |_, bytes| {
        match tables::parse(bytes, "notice") {
            Ok(_) if out.len() >= limit => return false,
            Ok(notice) => out.push(notice),
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    failure.map_or(Ok(out), Err)
}

/// Notices this node gave, by originator, at most `limit`.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn notices_given(
    snapshot: &dyn Snapshot,
    limit: usize,
) -> Result<Vec<ReleaseNotice>, NodeError> {
    some(snapshot, &key(Table::NoticeGiven, &[]), limit)
}

/// Notices owed to originators that were not pinned, at most `limit`; of one where it is named.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn notices_owed(
    snapshot: &dyn Snapshot,
    originator: Option<&AgencyId>,
    limit: usize,
) -> Result<Vec<ReleaseNotice>, NodeError> {
    let rows = match originator {
        Some(agency) => prefix(Table::NoticeOwed, &[agency.as_str().as_bytes()]),
        None => key(Table::NoticeOwed, &[]),
    };
    some(snapshot, &rows, limit)
}

/// The first rows under a prefix.
fn some<T: serde::de::DeserializeOwned>(
    snapshot: &dyn Snapshot,
    rows: &[u8],
    limit: usize,
) -> Result<Vec<T>, NodeError> {
    let (mut out, mut failure) = (Vec::new(), None);
    if limit == 0 {
        return Ok(out);
    }
    snapshot.scan(rows, &mut |_, bytes| {
        match tables::parse(bytes, "notice") {
            Ok(row) => out.push(row),
            Err(error) => failure = Some(error),
        }
        out.len() < limit && failure.is_none()
    })?;
    failure.map_or(Ok(out), Err)
}

/// A page of what was released to a partner; see [`crate::pages`].
///
/// # Errors
/// The store failed, a row is damaged, or no vocabulary is adopted.
pub fn collection(
    facts: &Facts<'_>,
    partner: &AgencyId,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Page, NodeError> {
    pages::page(facts, partner, &Listing::of_partner(partner), wanted, now)
}

/// The newest assertion of a record with its custody, for the officer's gate.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn record(facts: &Facts<'_>, id: &RecordId) -> Result<Option<(Custody, Body)>, NodeError> {
    facts.assertion(id)
}

/// A record as an officer's screen shows it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What binds it.
    pub custody: Custody,
    /// The content the gate lets through.
    pub content: String,
    /// The articles it was received under, in their own words.
    pub articles: Vec<(String, String)>,
    /// Every caveat on it.
    pub caveats: Vec<String>,
    /// Whether its originator took it back.
    pub recalled: bool,
    /// The agency that reads.
    pub reader: AgencyId,
}

/// A record through the officer's gate; `None` when it is not held.
///
/// # Errors
/// The gate refuses, or the store failed.
pub fn officer_view(
    facts: &Facts<'_>,
    id: &RecordId,
    now: Timestamp,
) -> Result<Option<Seen>, NodeError> {
    let Some(seen) = protocol::officer_view(facts, id, now)? else { return Ok(None) };
    let content = seen.released.content().map(|body| body.raw().to_vec()).unwrap_or_default();
    let words =
        |(article, text): &(model::ids::ArticleRef, String)| (article.to_string(), text.clone());
    Ok(Some(Seen {
        articles: seen.articles.iter().map(words).collect(),
        caveats: seen.released.decision().caveats.iter().cloned().collect(),
        content: String::from_utf8_lossy(&content).into_owned(),
        custody: seen.custody,
        recalled: seen.recalled,
        reader: facts.own.clone(),
    }))
}

/// A decision with its explanation.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The decision.
    pub decision: model::decision::Decision,
    /// The explanation, line by line.
    pub lines: Vec<String>,
}

/// Explains the decision on one record; `None` when it is not held.
///
/// # Errors
/// The store failed.
pub fn explain(
    facts: &Facts<'_>,
    record: &RecordId,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Option<Explained>, NodeError> {
    let found = protocol::explain(facts, record, order, now)?;
    Ok(found.map(|(decision, lines)| Explained { decision, lines }))
}

/// What sharing these records would do.
///
/// # Errors
/// The store failed.
pub fn would_share(
    facts: &Facts<'_>,
    records: &[RecordId],
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Vec<protocol::Shared>, NodeError> {
    Ok(protocol::would_share(facts, records, order, now)?)
}

/// The parties whose signature on this very document is stored.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn signed_parties(
    snapshot: &dyn Snapshot,
    agreement: &model::agreement::Agreement,
) -> Result<std::collections::BTreeSet<model::ids::PartyId>, NodeError> {
    let rows = prefix(Table::Signature, &[agreement.id.as_str().as_bytes()]);
    let all: Vec<model::release::AgreementSignature> =
        tables::read_all(snapshot, &rows, "signature")?;
    Ok(all.into_iter().filter(|s| s.digest == agreement.digest).map(|s| s.party).collect())
}

/// The newest checkpoint seen of a partner's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    /// The partner.
    pub agency: AgencyId,
    /// The size it states.
    pub size: u64,
    /// The root it states.
    pub root: model::ids::Digest,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// The newest checkpoint seen of each partner's log.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn witnessed(snapshot: &dyn Snapshot) -> Result<Vec<Witnessed>, NodeError> {
    let mut rows = Vec::new();
    snapshot.scan(&key(Table::Witness, &[]), &mut |row, bytes| {
        rows.push((row.get(1..).unwrap_or_default().to_vec(), bytes.to_vec()));
        true
    })?;
    let damaged = |e: &dyn std::fmt::Display| NodeError::damaged("witness", e);
    let mut out = Vec::new();
    for (agency, bytes) in rows {
        let agency = String::from_utf8(agency).map_err(|e| damaged(&e))?;
        let checkpoint = String::from_utf8(bytes).map_err(|e| damaged(&e))?;
        let note = crypto::note::Note::parse(checkpoint.as_bytes()).map_err(|e| damaged(&e))?;
        let stated: crypto::checkpoint::Checkpoint =
            note.text().parse().map_err(|e: crypto::checkpoint::CheckpointError| damaged(&e))?;
        out.push(Witnessed {
            agency: agency.parse().map_err(|e: model::ids::IdError| damaged(&e))?,
            size: stated.size(),
            root: stated.root(),
            checkpoint,
        });
    }
    Ok(out)
}

/// Own records that would fare otherwise if one version of an agreement replaced another.
///
/// The newer version counts as signed by the parties that signed the adopted one.
///
/// # Errors
/// The store failed, or the agreements do not compile together.
pub fn examples(
    facts: &Facts<'_>,
    (before, mut after): (model::agreement::Agreement, model::agreement::Agreement),
    now: Timestamp,
) -> Result<Vec<protocol::Example>, NodeError> {
    let Some(rules) = &facts.rules else { return Ok(Vec::new()) };
    let Some(adopted) = rules.agreements().iter().find(|a| a.id == before.id) else {
        return Ok(Vec::new());
    };
    for party in &mut after.parties {
        party.signed &= adopted.parties.iter().any(|p| p.id == party.id && p.signed);
    }
    let with = |version: model::agreement::Agreement| {
        let mut all: Vec<_> =
            rules.agreements().iter().filter(|a| a.id != version.id).cloned().collect();
        all.push(version);
        protocol::Rules::new(rules.vocabulary(), all)
            .map_err(|e| NodeError::message(&e, "correct the new version"))
    };
    let mut older = before;
    for party in &mut older.parties {
        party.signed &= adopted.parties.iter().any(|p| p.id == party.id && p.signed);
    }
    Ok(protocol::examples(facts, &with(older)?, &with(after)?, now)?)
}

/// Records, each with the originators whose assertion of it is held.
pub type Held = Vec<(RecordId, Vec<AgencyId>)>;

/// The records that links make one subject, and whose assertions of each are held.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn same_subject(
    facts: &Facts<'_>,
    id: &RecordId,
) -> Result<(protocol::SameSubject, Held), NodeError> {
    let subject = protocol::same_subject(facts, id)?;
    let mut held = Vec::with_capacity(subject.records.len());
    for id in &subject.records {
        let all = facts.assertions(id)?;
        held.push((id.clone(), all.into_iter().map(|(custody, _)| custody.originator).collect()));
    }
    Ok((subject, held))
}
