//! The frozen facts of one step, read on demand from one snapshot.

use crate::Body;
use crate::access::Certificates;
use crate::error::NodeError;
use crate::outbox::{self, Outline};
use crate::tables::{self, Table, key, pair, prefix};
use model::agreement::Agreement;
use model::custody::{Custody, Deletion, Source, Tombstone};
use model::ids::{AgencyId, AgreementId, Digest, RecordId, StatusId};
use model::member::Member;
use model::posting::{Appraisal, Collection, Placed};
use model::record::Record;
use model::release::{AgreementSignature, Receipt, ReleaseNotice};
use model::request::{Consent, StandingOrder};
use model::time::Timestamp;
use model::vocabulary::Vocabulary;
use protocol::{Fault, Held, Offered, Refusals, Rules, Subject};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Snapshot;
use wire::stix::{Marking, Markings, StixObject, view};

/// What marking definitions mean, by their identifier and the originator whose records bear them.
pub(crate) type Meanings = BTreeMap<String, BTreeMap<AgencyId, Marking>>;

/// A snapshot seen as facts.
pub struct Facts<'a> {
    /// The frozen state.
    pub snapshot: &'a dyn Snapshot,
    /// The agency that runs the node.
    pub own: &'a AgencyId,
    /// The compiled agreements, absent before a vocabulary is adopted.
    pub rules: Option<Arc<Rules>>,
    pub(crate) view: Option<Arc<crate::View>>,
    certificates: Arc<Certificates>,
    definitions: RefCell<BTreeMap<AgencyId, BTreeMap<String, Option<Marking>>>>,
    any_stone: Cell<Option<bool>>,
}

impl<'a> Facts<'a> {
    /// Facts over a snapshot.
    #[must_use]
    pub fn new(snapshot: &'a dyn Snapshot, own: &'a AgencyId, rules: Option<Arc<Rules>>) -> Self {
        Self {
            snapshot,
            own,
            rules,
            view: None,
            certificates: Arc::default(),
            definitions: RefCell::new(BTreeMap::new()),
            any_stone: Cell::new(None),
        }
    }

    /// The same facts, with the node's view to answer from in memory.
    #[must_use]
    pub fn with_view(mut self, view: Arc<crate::View>) -> Self {
        self.view = Some(view);
        self
    }

    /// The same facts, with the certificates partners' clients are known by.
    #[must_use]
    pub fn with_certificates(mut self, certificates: Arc<Certificates>) -> Self {
        self.certificates = certificates;
        self
    }

    /// What the marking definitions met so far mean.
    pub(crate) fn definitions_met(&self) -> Meanings {
        let mut met = Meanings::new();
        for (reader, known) in self.definitions.borrow().iter() {
            for (id, meaning) in known {
                if let Some(meaning) = meaning {
                    let of = met.entry(id.clone()).or_default();
                    of.insert(reader.clone(), meaning.clone());
                }
            }
        }
        met
    }

    /// The view of a held record with custody's limits merged in.
    ///
    /// # Errors
    /// The content cannot be viewed.
    pub fn view(&self, custody: &Custody, body: &Body) -> Result<Record, NodeError> {
        let mut record =
            view(body, &custody.originator, &Scoped { facts: self, reader: &custody.originator })
                .map_err(|e| NodeError::damaged("holding", e))?;
        record.caveats.extend(custody.caveats.iter().cloned());
        record.marks.tlp = record.marks.tlp.or(custody.floor);
        if let Source::Post { grade: Some(grade), .. } | Source::Feed { grade: Some(grade), .. } =
            &custody.source
        {
            record.grade = Some(record.grade.map_or(*grade, |own| own.worse(*grade)));
        }
        record.provider_limit = match (record.provider_limit, custody.retention_until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        let stone = self.stone(&custody.id, &custody.originator)?;
        record.stops.recalled |= stone.is_some_and(|t| t.cause == Deletion::Recalled);
        Ok(record)
    }

    /// The newest version of each originator's assertion of this id.
    ///
    /// # Errors
    /// The store failed or a row is damaged.
    pub fn assertions(&self, id: &RecordId) -> Result<Vec<(Custody, Body)>, NodeError> {
        let mut rows = Vec::new();
        let index = prefix(Table::Newest, &[id.as_str().as_bytes()]);
        self.snapshot.scan(&index, &mut |row, version| {
            rows.push([row.get(1..).unwrap_or_default(), version].join(&0));
            true
        })?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            let missing = || NodeError::damaged("holding", format!("the newest `{id}` is missing"));
            let bytes = self.snapshot.get(&key(Table::Holding, &[&row]))?.ok_or_else(missing)?;
            out.push(opened(&bytes)?);
        }
        Ok(out)
    }

    /// One assertion: the own one first, else what came signed, else the first by originator.
    ///
    /// # Errors
    /// The store failed or a row is damaged.
    pub fn assertion(&self, id: &RecordId) -> Result<Option<(Custody, Body)>, NodeError> {
        let mut all = self.assertions(id)?;
        let own = all.iter().position(|(custody, _)| custody.originator == *self.own);
        // WHY: a client's unsigned word does not stand before a signed one.
        let signed = || all.iter().position(|(custody, _)| !is_posted(custody));
        let own = own.or_else(signed);
        Ok(match (own, all.is_empty()) {
            (Some(at), _) => Some(all.swap_remove(at)),
            (None, false) => Some(all.remove(0)),
            (None, true) => None,
        })
    }

    /// Exactly this version of this originator's assertion.
    ///
    /// # Errors
    /// The store failed or the row is damaged.
    pub fn exactly(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        version: &str,
    ) -> Result<Option<(Custody, Body)>, NodeError> {
        let parts = [id.as_str().as_bytes(), originator.as_str().as_bytes(), version.as_bytes()];
        let row = self.snapshot.get(&key(Table::Holding, &parts))?;
        row.map(|bytes| opened(&bytes)).transpose()
    }

    /// The newest custody of one originator's assertion.
    ///
    /// # Errors
    /// The store failed or a row is damaged.
    pub fn newest(
        &self,
        id: &RecordId,
        originator: &AgencyId,
    ) -> Result<Option<Custody>, NodeError> {
        // WHY: a miss, the usual case of an import, costs one look at a filter and no scan.
        let Some(version) = self.snapshot.get(&pair(Table::Newest, id, originator))? else {
            return Ok(None);
        };
        let parts = [id.as_str().as_bytes(), originator.as_str().as_bytes(), &version];
        match self.snapshot.get(&key(Table::Holding, &parts))? {
            Some(bytes) => Ok(Some(tables::unpack(&bytes)?.0)),
            None => Err(NodeError::damaged("holding", format!("the newest `{id}` is missing"))),
        }
    }

    fn stone(&self, id: &RecordId, by: &AgencyId) -> Result<Option<Tombstone>, NodeError> {
        if !self.any_stone()? {
            return Ok(None);
        }
        tables::read(self.snapshot, &pair(Table::Tombstone, id, by), "tombstone")
    }
}

impl Facts<'_> {
    /// The third parts of the keys of an assertion, each once.
    fn to(
        &self,
        table: Table,
        id: &RecordId,
        originator: &AgencyId,
    ) -> Result<Vec<AgencyId>, NodeError> {
        let parts = [id.as_str(), originator.as_str()].map(str::as_bytes);
        let mut out: Vec<AgencyId> = Vec::new();
        for row in keys(self.snapshot, &prefix(table, &parts))? {
            let agency = row.split(|byte| *byte == 0).nth(2).unwrap_or_default();
            out.push(id_of(agency, "offer")?);
        }
        out.dedup();
        Ok(out)
    }

    /// Whether any tombstone stands; asked once a snapshot.
    fn any_stone(&self) -> Result<bool, NodeError> {
        if let Some(known) = self.any_stone.get() {
            return Ok(known);
        }
        let mut any = false;
        self.snapshot.scan(&key(Table::Tombstone, &[]), &mut |_, _| {
            any = true;
            false
        })?;
        self.any_stone.set(Some(any));
        Ok(any)
    }
}

pub(crate) fn opened(bytes: &[u8]) -> Result<(Custody, Body), NodeError> {
    let (custody, content) = tables::unpack(bytes)?;
    let body = StixObject::parse(content).map_err(|e| NodeError::damaged("holding", e))?;
    Ok((custody, body))
}

fn id_of<T: std::str::FromStr>(part: &[u8], table: &'static str) -> Result<T, NodeError> {
    let text = std::str::from_utf8(part).map_err(|e| NodeError::damaged(table, e))?;
    text.parse().map_err(|_| NodeError::damaged(table, format!("`{text}` is not an identifier")))
}

fn keys(snapshot: &dyn Snapshot, rows: &[u8]) -> Result<Vec<Vec<u8>>, NodeError> {
    let mut out = Vec::new();
    snapshot.scan(rows, &mut |key, _| {
        out.push(key.to_vec());
        true
    })?;
    Ok(out)
}

/// Marking definitions as they count for the records of one originator.
///
/// INVARIANT: a definition that a partner's client posted counts for that partner's records only,
/// and one that contradicts another means nothing: nobody changes what others' markings mean.
pub(crate) struct Scoped<'f, 'a> {
    pub(crate) facts: &'f Facts<'a>,
    pub(crate) reader: &'f AgencyId,
}

impl Markings for Scoped<'_, '_> {
    fn definition(&self, id: &str) -> Option<Marking> {
        let known = self.facts.definitions.borrow();
        if let Some(known) = known.get(self.reader).and_then(|of| of.get(id)) {
            return known.clone();
        }
        drop(known);
        let found = self.resolve(id);
        let mut known = self.facts.definitions.borrow_mut();
        let of = known.entry(self.reader.clone()).or_default();
        of.insert(id.to_owned(), found.clone());
        found
    }
}

impl Scoped<'_, '_> {
    fn resolve(&self, id: &str) -> Option<Marking> {
        let all = self.facts.assertions(&id.parse().ok()?).ok()?;
        let (posted, mut signed): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(custody, _)| is_posted(custody));
        signed.sort_by_key(|(custody, _)| custody.originator != *self.facts.own);
        let posted = posted.into_iter().find(|(custody, _)| custody.originator == *self.reader);
        let meaning = |held: &(Custody, Body)| Marking::from_object(&held.1);
        match (signed.first().map(meaning), posted.as_ref().map(meaning)) {
            (Some(one), Some(other)) => one.filter(|one| other.as_ref() == Some(one)),
            (one, other) => one.or(other).flatten(),
        }
    }
}

pub(crate) fn is_posted(custody: &Custody) -> bool {
    matches!(custody.source, Source::Post { .. } | Source::Feed { .. })
}

fn fault(error: NodeError) -> Fault {
    Fault(error.to_string())
}

impl protocol::Facts for Facts<'_> {
    type Body = Body;

    fn own_agency(&self) -> &AgencyId {
        self.own
    }

    fn rules(&self) -> Result<&Rules, Fault> {
        let none = || Fault("no vocabulary is adopted yet".to_owned());
        self.rules.as_deref().ok_or_else(none)
    }

    fn held(&self, id: &RecordId) -> Result<Option<Held<Body>>, Fault> {
        let Some((custody, body)) = self.assertion(id).map_err(fault)? else { return Ok(None) };
        let record = self.view(&custody, &body).map_err(fault)?;
        Ok(Some(Held { record, custody, body }))
    }

    fn custody(&self, id: &RecordId, originator: &AgencyId) -> Result<Option<Custody>, Fault> {
        self.newest(id, originator).map_err(fault)
    }

    fn version(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        version: &str,
    ) -> Result<Option<Digest>, Fault> {
        let parts = [id.as_str().as_bytes(), originator.as_str().as_bytes(), version.as_bytes()];
        let row = self.snapshot.get(&key(Table::Holding, &parts)).map_err(|e| fault(e.into()))?;
        let custody = row.map(|bytes| tables::unpack(&bytes).map(|(c, _)| c.content));
        custody.transpose().map_err(fault)
    }

    fn own_records(&self) -> Result<Vec<RecordId>, Fault> {
        let mut out = Vec::new();
        for row in keys(self.snapshot, &key(Table::Newest, &[])).map_err(fault)? {
            let mut parts = row.get(1..).unwrap_or_default().split(|byte| *byte == 0);
            let (Some(id), Some(by)) = (parts.next(), parts.next()) else { continue };
            if by == self.own.as_str().as_bytes() {
                out.push(id_of(id, "newest").map_err(fault)?);
            }
        }
        Ok(out)
    }

    fn referrers(&self, id: &RecordId) -> Result<Vec<Custody>, Fault> {
        let rows = keys(self.snapshot, &prefix(Table::Referrer, &[id.as_str().as_bytes()]));
        let mut out = Vec::new();
        for row in rows.map_err(fault)? {
            let mut parts = row.split(|byte| *byte == 0).skip(1);
            let (Some(id), Some(by)) = (parts.next(), parts.next()) else { continue };
            let id = id_of(id, "referrer").map_err(fault)?;
            let by = id_of(by, "referrer").map_err(fault)?;
            out.extend(self.newest(&id, &by).map_err(fault)?);
        }
        Ok(out)
    }

    fn tombstone(&self, id: &RecordId, by: &AgencyId) -> Result<Option<Tombstone>, Fault> {
        self.stone(id, by).map_err(fault)
    }

    fn withdrawn(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        giver: &AgencyId,
    ) -> Result<Option<Tombstone>, Fault> {
        let parts = [id.as_str(), originator.as_str(), giver.as_str()].map(str::as_bytes);
        tables::read(self.snapshot, &key(Table::Tombstone, &parts), "tombstone").map_err(fault)
    }

    fn due(&self, now: Timestamp) -> Result<Vec<Custody>, Fault> {
        let mut rows: Vec<(RecordId, AgencyId)> = Vec::new();
        let mut failure = None;
        let end = tables::instant(now);
        let scan = self.snapshot.scan(&key(Table::Due, &[]), &mut |key, bytes| {
            if key.get(1..9).is_none_or(|at| *at > end[..]) {
                return false;
            }
            match tables::parse(bytes, "due") {
                Ok(row) => rows.push(row),
                Err(error) => failure = Some(error),
            }
            failure.is_none()
        });
        scan.map_err(|e| fault(e.into()))?;
        if let Some(error) = failure {
            return Err(fault(error));
        }
        let mut out = Vec::new();
        for (id, by) in rows {
            let custody = self.newest(&id, &by).map_err(fault)?;
            out.extend(custody.filter(|c| c.retention_until.is_some_and(|until| until <= now)));
        }
        Ok(out)
    }

    fn member(&self, agency: &AgencyId) -> Result<Option<Member>, Fault> {
        let row = key(Table::Member, &[agency.as_str().as_bytes()]);
        tables::read(self.snapshot, &row, "member").map_err(fault)
    }

    fn agreement(&self, id: &AgreementId) -> Result<Option<Agreement>, Fault> {
        let row = key(Table::Agreement, &[id.as_str().as_bytes()]);
        let found = self.snapshot.get(&row).map_err(|e| fault(e.into()))?;
        found.map(|bytes| agreement(&bytes).map_err(fault)).transpose()
    }

    fn signatures(&self, id: &AgreementId) -> Result<Vec<AgreementSignature>, Fault> {
        let rows = prefix(Table::Signature, &[id.as_str().as_bytes()]);
        tables::read_all(self.snapshot, &rows, "signature").map_err(fault)
    }

    fn orders(&self) -> Result<Vec<StandingOrder>, Fault> {
        let rows = key(Table::Order, &[]);
        tables::read_all(self.snapshot, &rows, "order").map_err(fault)
    }

    fn same_as(&self, id: &RecordId) -> Result<Vec<model::same_as::SameAs>, Fault> {
        let rows = prefix(Table::SameAs, &[id.as_str().as_bytes()]);
        tables::read_all(self.snapshot, &rows, "link").map_err(fault)
    }

    fn consents(&self, from: &AgencyId, to: &AgencyId) -> Result<Vec<Consent>, Fault> {
        let parts = [from.as_str().as_bytes(), to.as_str().as_bytes()];
        tables::read_all(self.snapshot, &prefix(Table::Consent, &parts), "consent").map_err(fault)
    }

    fn offered(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        recipient: &AgencyId,
    ) -> Result<Vec<Offered>, Fault> {
        let parts = [id.as_str(), originator.as_str(), recipient.as_str()].map(str::as_bytes);
        tables::read_all(self.snapshot, &prefix(Table::Offered, &parts), "offer").map_err(fault)
    }

    fn recipients(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<AgencyId>, Fault> {
        self.to(Table::Offered, id, originator).map_err(fault)
    }

    fn ever(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<AgencyId>, Fault> {
        let went = self.to(Table::Went, id, originator).map_err(fault)?;
        let mut all: BTreeSet<AgencyId> = went.into_iter().collect();
        all.extend(self.recipients(id, originator)?);
        Ok(all.into_iter().collect())
    }

    fn receipt_given(&self, manifest: &Digest) -> Result<Option<Receipt>, Fault> {
        let row = tables::digest_key(Table::ReceiptGiven, manifest);
        tables::read(self.snapshot, &row, "receipt").map_err(fault)
    }

    fn awaits(&self, message: &Digest, partner: &AgencyId) -> Result<bool, Fault> {
        let given_up = outbox::message_key(Table::Undelivered, partner, message);
        Ok(outbox::waits(self.snapshot, partner, message).map_err(fault)?
            || self.snapshot.get(&given_up).map_err(|e| fault(e.into()))?.is_some())
    }

    fn waits(
        &self,
        message: &Digest,
        partner: &AgencyId,
    ) -> Result<Option<(Subject, Option<Refusals>)>, Fault> {
        let row = outbox::row_of(self.snapshot, partner, message).map_err(fault)?;
        let Some(row) = row else { return Ok(None) };
        let found: Option<Outline> = tables::read(self.snapshot, &row, "outbox").map_err(fault)?;
        let refusals = outbox::refusals(self.snapshot, partner, message).map_err(fault)?;
        Ok(found.map(|outline| (outline.subject, refusals)))
    }

    fn undelivered(&self, message: &Digest, partner: &AgencyId) -> Result<Option<Subject>, Fault> {
        let row = outbox::message_key(Table::Undelivered, partner, message);
        let found: Option<Outline> =
            tables::read(self.snapshot, &row, "undelivered").map_err(fault)?;
        Ok(found.map(|outline| outline.subject))
    }

    fn given_up_in_a_row(&self, partner: &AgencyId) -> Result<u64, Fault> {
        let found = tables::read(self.snapshot, &outbox::row_key(partner), "counter");
        Ok(found.map_err(fault)?.unwrap_or(0))
    }

    fn creditors(&self) -> Result<BTreeSet<AgencyId>, Fault> {
        outbox::agencies(self.snapshot, Table::NoticeOwed).map_err(fault)
    }

    fn owed(&self, originator: &AgencyId, limit: usize) -> Result<Vec<ReleaseNotice>, Fault> {
        crate::query::notices_owed(self.snapshot, Some(originator), limit).map_err(fault)
    }

    fn assertion(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        version: &str,
    ) -> Result<Option<Held<Body>>, Fault> {
        let parts = [id.as_str(), originator.as_str(), version].map(str::as_bytes);
        let row = self.snapshot.get(&key(Table::Holding, &parts)).map_err(|e| fault(e.into()))?;
        let Some(bytes) = row else { return Ok(None) };
        let (custody, body) = opened(&bytes).map_err(fault)?;
        let record = self.view(&custody, &body).map_err(fault)?;
        Ok(Some(Held { record, custody, body }))
    }

    fn versions(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<Custody>, Fault> {
        let parts = [id.as_str(), originator.as_str()].map(str::as_bytes);
        crate::place::custodies(self.snapshot, &prefix(Table::Holding, &parts)).map_err(fault)
    }

    fn placements(
        &self,
        id: &RecordId,
        originator: &AgencyId,
    ) -> Result<Vec<(Collection, Placed)>, Fault> {
        crate::place::placements(self.snapshot, id, originator).map_err(fault)
    }

    fn appraisal(&self, partner: &AgencyId) -> Result<Option<Appraisal>, Fault> {
        crate::query::appraisal(self.snapshot, partner).map_err(fault)
    }

    fn admits(&self, partner: &AgencyId, credential: &Digest) -> Result<bool, Fault> {
        if self.certificates.get(credential) == Some(partner) {
            return Ok(true);
        }
        let known = crate::query::access(self.snapshot, partner).map_err(fault)?;
        Ok(known.is_some_and(|known| crypto::hash::same_bytes(&known.0, &credential.0)))
    }

    fn feed(&self, name: &model::feed::FeedName) -> Result<Option<model::feed::Feed>, Fault> {
        crate::feed::feed(self.snapshot, name).map_err(fault)
    }

    fn feeds_count(&self) -> Result<usize, Fault> {
        Ok(keys(self.snapshot, &key(Table::Feed, &[])).map_err(fault)?.len())
    }

    fn statuses_due(&self, now: Timestamp) -> Result<Vec<(AgencyId, StatusId)>, Fault> {
        crate::place::statuses_due(self.snapshot, now).map_err(fault)
    }
}

/// Reads a stored agreement document.
///
/// # Errors
/// The stored bytes are not an agreement.
pub fn agreement(bytes: &[u8]) -> Result<Agreement, NodeError> {
    wire::agreement::parse(bytes).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        NodeError::damaged("agreement", first)
    })
}

/// Compiles the rules: a party counts as signed only if the document says so and its signature on
/// this very document is stored.
///
/// # Errors
/// The store failed, a row is damaged, or the agreements do not compile.
pub fn compile(snapshot: &dyn Snapshot) -> Result<Option<Arc<Rules>>, NodeError> {
    let row = key(Table::Vocabulary, &[]);
    let Some(vocabulary) = tables::read::<Vocabulary>(snapshot, &row, "vocabulary")? else {
        return Ok(None);
    };
    let mut documents = Vec::new();
    snapshot.scan(&key(Table::Agreement, &[]), &mut |_, bytes| {
        documents.push(bytes.to_vec());
        true
    })?;
    let mut agreements = Vec::new();
    for bytes in documents {
        let mut read = agreement(&bytes)?;
        let rows = prefix(Table::Signature, &[read.id.as_str().as_bytes()]);
        let stored: Vec<AgreementSignature> = tables::read_all(snapshot, &rows, "signature")?;
        for party in &mut read.parties {
            party.signed &= stored.iter().any(|s| s.party == party.id && s.digest == read.digest);
        }
        agreements.push(read);
    }
    let rules = Rules::new(&vocabulary, agreements).map_err(|e| NodeError::damaged("rules", e))?;
    Ok(Some(Arc::new(rules)))
}
