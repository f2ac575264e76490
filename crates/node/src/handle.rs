//! The node: loads facts, asks `protocol`, commits effects, drains follow-ups. One writer.

use crate::Body;
use crate::access::Certificates;
use crate::apply::Applier;
use crate::compiled::{self, Compiled};
use crate::error::NodeError;
use crate::facts::Facts;
use crate::identity::Identity;
use crate::outbox::{self, Sealed};
use crate::tables::{self, Table, key, numbered};
use crate::view::{self, View};
use crate::{log, peer};
use crypto::entropy::Entropy;
use crypto::frontier::Frontier;
use model::entry::Draft;
use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::member::Member;
use model::release::Terms;
use model::request::StandingOrder;
use model::time::Timestamp;
use model::verified::{Verified, Voucher};
use protocol::{Effects, Outgoing, Released, Reply, Rules, Shared};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Batch, Reader, Snapshot, Store};

/// LIMIT: follow-up events drained after one event.
const FOLLOW_UPS_MAX: usize = 1_000_000;

/// What an event did.
#[derive(Debug, Clone, Default)]
pub struct Handled {
    /// The answer to the event itself.
    pub reply: Reply,
    /// What its follow-ups shared.
    pub shared: Vec<Shared>,
    /// What the officer takes out in a file, logged and committed.
    pub handed: Vec<(Terms, Released<Body>)>,
}

/// A follow-up as it is queued.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Queued {
    records: Vec<RecordId>,
    order: StandingOrder,
}

/// What leaves in a file.
type Handed = Vec<(Terms, Released<Body>)>;

/// Row changes a caller wants in the same commit as an event.
pub(crate) type Beside = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A sovereign node over one store.
pub struct Node {
    store: Box<dyn Store>,
    identity: Identity,
    compiled: Compiled,
    frontier: Frontier,
    added_at: Timestamp,
    sequence: u64,
    generation: u64,
    view: Arc<View>,
    certificates: Arc<Certificates>,
}

impl Node {
    /// Opens a node over its store; a new store begins its log with the member document.
    ///
    /// # Errors
    /// The store failed, or what is stored is damaged or belongs to another node.
    pub fn open(
        store: Box<dyn Store>,
        identity: Identity,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NodeError> {
        let (compiled, frontier, added_at, sequence, generation, own) = {
            let snapshot = store.snapshot()?;
            let own: Option<Member> = tables::read(
                &*snapshot,
                &key(Table::Member, &[identity.member.agency.as_str().as_bytes()]),
                "member",
            )?;
            let zero = Timestamp::from_micros(0).map_err(|e| NodeError::damaged("counter", e))?;
            let added = tables::read(&*snapshot, &key(Table::Counter, &[b"added"]), "counter")?;
            let sequence = tables::read(&*snapshot, &key(Table::Counter, &[b"next"]), "counter")?;
            (
                Compiled::read(&*snapshot)?,
                log::frontier(&*snapshot)?,
                added.unwrap_or(zero),
                sequence.unwrap_or(0),
                view::generation(&*snapshot)?,
                own,
            )
        };
        if let Some(own) = &own
            && own.keys != identity.member.keys
        {
            return Err(NodeError::damaged("member", "the keys are not those of this store"));
        }
        let (view, certificates) = (Arc::default(), Arc::default());
        let mut node = Self {
            store,
            identity,
            compiled,
            frontier,
            added_at,
            sequence,
            generation,
            view,
            certificates,
        };
        if own.is_none() {
            let member = Box::new(node.identity.member.clone());
            let officer = Voucher::Officer { name: "ceremony".to_owned() };
            node.handle(Verified::vouch(Event::Begin(member), officer, now), now, entropy)?;
        }
        node.drain(now, entropy)?;
        Ok(node)
    }

    /// Pins the certificates that partners' clients are known by, all of them.
    pub fn pin_certificates(&mut self, certificates: Arc<Certificates>) {
        self.certificates = certificates;
    }

    /// Who this node is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The agency that runs this node.
    #[must_use]
    pub fn agency(&self) -> &AgencyId {
        &self.identity.member.agency
    }

    /// A handle for readers on other threads.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn Reader> {
        self.store.reader()
    }

    /// The compiled agreements.
    #[must_use]
    pub fn rules(&self) -> Option<Arc<Rules>> {
        self.compiled.rules()
    }

    /// The compiled agreements, with the generation they are of.
    #[must_use]
    pub fn compiled(&self) -> Compiled {
        self.compiled.clone()
    }

    /// A frozen view of the present state.
    ///
    /// # Errors
    /// The store failed.
    pub fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, NodeError> {
        Ok(self.store.snapshot()?)
    }

    /// Handles one event and its follow-ups.
    ///
    /// # Errors
    /// [`NodeError`]: nothing of the event was carried out. Follow-ups that fail stay queued.
    pub fn handle(
        &mut self,
        event: Verified<Event<Body>>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Handled, NodeError> {
        self.handle_beside(event, Vec::new(), now, entropy)
    }

    /// Handles an event in the name of an officer whose presence the caller has authenticated: who
    /// can open the node's directory, or who holds its token.
    ///
    /// # Errors
    /// See [`Node::handle`].
    pub fn act(
        &mut self,
        officer: &str,
        event: Event<Body>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Handled, NodeError> {
        let voucher = Voucher::Officer { name: officer.to_owned() };
        self.handle(Verified::vouch(event, voucher, now), now, entropy)
    }

    /// Handles one event of the node's own: what the clock or a reader's visit brings.
    ///
    /// # Errors
    /// See [`Node::handle`].
    pub fn own(
        &mut self,
        event: Event<Body>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Handled, NodeError> {
        self.handle(Verified::vouch(event, Voucher::Own, now), now, entropy)
    }

    /// Handles one event, with row changes of the node's own in the same commit.
    pub(crate) fn handle_beside(
        &mut self,
        event: Verified<Event<Body>>,
        beside: Beside,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Handled, NodeError> {
        let (reply, handed) = self.once(event, beside, now, entropy)?;
        let shared = self.drain(now, entropy)?;
        Ok(Handled { reply, shared, handed })
    }

    /// The only loop in the house: each follow-up is one commit that also removes its row.
    fn drain(
        &mut self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<Shared>, NodeError> {
        let mut shared = Vec::new();
        for _ in 0..FOLLOW_UPS_MAX {
            let Some((row, queued)) = self.next_queued()? else { return Ok(shared) };
            let event = Event::Share { records: queued.records, order: queued.order };
            let event = Verified::vouch(event, Voucher::Own, now);
            let done = self.once(event, vec![(row.clone(), None)], now, entropy);
            match done {
                Ok((Reply::Shared(more), _)) => keep(&mut shared, more),
                Ok(_) => {}
                // WHY: an order to a member not pinned yet is repeated when it is pinned.
                Err(NodeError::Denied(_)) => {
                    let mut batch = Batch::new();
                    batch.delete(row);
                    self.store.commit(batch)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(NodeError::TooManyFollowUps(FOLLOW_UPS_MAX))
    }

    fn next_queued(&self) -> Result<Option<(Vec<u8>, Queued)>, NodeError> {
        let snapshot = self.store.snapshot()?;
        let mut found = None;
        snapshot.scan(&key(Table::Queue, &[]), &mut |row, bytes| {
            found = Some((row.to_vec(), bytes.to_vec()));
            false
        })?;
        let Some((row, bytes)) = found else { return Ok(None) };
        Ok(Some((row, tables::parse(&bytes, "queue")?)))
    }

    fn once(
        &mut self,
        event: Verified<Event<Body>>,
        beside: Beside,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<(Reply, Handed), NodeError> {
        let mut batch = Batch::new();
        let next = {
            let snapshot = self.store.snapshot()?;
            let facts = Facts::new(&*snapshot, &self.identity.member.agency, self.rules())
                .with_certificates(Arc::clone(&self.certificates));
            let effects = protocol::step(&facts, event, now)?;
            let mut commit = Commit { node: self, snapshot: &*snapshot, batch: &mut batch, now };
            commit.build(effects, entropy)?
        };
        for (row, value) in beside {
            match value {
                Some(value) => batch.put(row, value),
                None => batch.delete(row),
            }
        }
        let mut generation = self.generation;
        if !next.touched.is_empty() {
            generation = generation.saturating_add(1);
            tables::put(&mut batch, view::generation_key(), "counter", &generation)?;
            self.view.touch(generation, next.touched);
        }
        if next.rules_changed {
            let next = self.compiled.next();
            tables::put(&mut batch, compiled::generation_key(), "counter", &next)?;
        }
        if !batch.is_empty() {
            self.store.commit(batch)?;
        }
        self.generation = generation;
        self.frontier = next.frontier;
        self.added_at = next.added_at;
        self.sequence = next.sequence;
        if next.rules_changed {
            let snapshot = self.store.snapshot()?;
            self.compiled = Compiled::read(&*snapshot)?;
        }
        Ok((next.reply, next.handed))
    }

    /// Writes rows that are the node's own bookkeeping of a partner (what it has seen of our log).
    pub(crate) fn note(&mut self, row: Vec<u8>, value: Vec<u8>) -> Result<(), NodeError> {
        let mut batch = Batch::new();
        batch.put(row, value);
        self.store.commit(batch)?;
        Ok(())
    }

    /// A snapshot seen as facts, with the rules as compiled now.
    #[must_use]
    pub fn facts<'a>(&'a self, snapshot: &'a dyn Snapshot) -> Facts<'a> {
        let own = &self.identity.member.agency;
        Facts::new(snapshot, own, self.rules()).with_view(self.view())
    }

    /// The view readers answer from.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// A partner's pinned member document.
    ///
    /// # Errors
    /// The store failed or the row is damaged.
    pub fn member(&self, agency: &AgencyId) -> Result<Option<Member>, NodeError> {
        let snapshot = self.store.snapshot()?;
        peer::member(&*snapshot, agency)
    }
}

/// LIMIT: shared records whose whole decision is handed back after one event.
const DETAILED_MAX: usize = 2_000;

fn keep(shared: &mut Vec<Shared>, more: Vec<Shared>) {
    let detailed = shared.len() < DETAILED_MAX;
    shared.extend(more.into_iter().map(|mut one| {
        one.decision = one.decision.filter(|_| detailed);
        one
    }));
}

/// What the node's memory becomes once the batch is committed.
struct Next {
    frontier: Frontier,
    added_at: Timestamp,
    sequence: u64,
    rules_changed: bool,
    touched: BTreeSet<RecordId>,
    reply: Reply,
    handed: Handed,
}

/// Builds the one batch of a step.
struct Commit<'a> {
    node: &'a Node,
    snapshot: &'a dyn Snapshot,
    batch: &'a mut Batch,
    now: Timestamp,
}

impl Commit<'_> {
    fn build(
        &mut self,
        effects: Effects<Body>,
        entropy: &mut dyn Entropy,
    ) -> Result<Next, NodeError> {
        let mut sequence = self.node.sequence;
        let (added_at, rules_changed, touched) = self.changes(effects.changes, &mut sequence)?;
        let mut drafts = effects.entries;
        let mut frontier = self.node.frontier.clone();
        let mut handed = Handed::new();
        for outgoing in effects.outgoing {
            if let Outgoing::File(releases) = outgoing {
                handed.extend(releases);
                continue;
            }
            let member = |agency: &AgencyId| peer::member(self.snapshot, agency);
            let sealed =
                outbox::seal_one(outgoing, &self.node.identity, member, self.now, entropy)?;
            self.queue_message(sealed, &mut drafts, frontier.size(), &mut sequence)?;
        }
        for event in effects.then {
            self.queue_event(event, &mut sequence)?;
        }
        let stream = (self.now, entropy);
        log::append(self.batch, &mut frontier, &drafts, &self.node.identity, stream)?;
        if sequence != self.node.sequence {
            tables::put(self.batch, key(Table::Counter, &[b"next"]), "counter", &sequence)?;
        }
        let reply = effects.reply;
        Ok(Next { frontier, added_at, sequence, rules_changed, touched, reply, handed })
    }

    fn changes(
        &mut self,
        changes: Vec<protocol::Change<Body>>,
        sequence: &mut u64,
    ) -> Result<(Timestamp, bool, BTreeSet<RecordId>), NodeError> {
        let mut applier = self.applier(*sequence);
        for change in changes {
            applier.apply(change)?;
        }
        let Applier { added_at, rules_changed, touched, sequence: next, .. } = applier;
        *sequence = next;
        Ok((added_at, rules_changed, touched))
    }

    fn applier(&mut self, sequence: u64) -> Applier<'_> {
        Applier {
            snapshot: self.snapshot,
            own: &self.node.identity.member.agency,
            batch: self.batch,
            now: self.now,
            added_at: self.node.added_at.max(self.now),
            sequence,
            rules_changed: false,
            touched: BTreeSet::new(),
        }
    }

    fn queue_message(
        &mut self,
        mut sealed: Sealed,
        drafts: &mut Vec<Draft>,
        size: u64,
        sequence: &mut u64,
    ) -> Result<(), NodeError> {
        let mut entry = 0;
        if let Some(draft) = sealed.entry.take() {
            let ahead = u64::try_from(drafts.len()).map_err(NodeError::seal)?;
            drafts.push(draft);
            entry = size.saturating_add(ahead);
        }
        let waiting = sealed.waiting(entry, self.now);
        let mut applier = self.applier(*sequence);
        applier.queue(&waiting)?;
        *sequence = applier.sequence;
        Ok(())
    }

    fn queue_event(&mut self, event: Event<Body>, sequence: &mut u64) -> Result<(), NodeError> {
        if let Event::Share { records, order } = event {
            let row = numbered(Table::Queue, *sequence);
            *sequence = sequence.saturating_add(1);
            return tables::put(self.batch, row, "queue", &Queued { records, order });
        }
        Err(NodeError::damaged("queue", "a follow-up of this kind is not known"))
    }
}

impl Node {
    /// Signs an agreement for this node's party; the document goes to the other parties.
    ///
    /// # Errors
    /// The document cannot be written.
    pub fn sign_agreement(
        &self,
        signature: &model::release::AgreementSignature,
    ) -> Result<String, NodeError> {
        let kind = wire::document::DocumentKind::AgreementSignature;
        let signed = wire::document::sign(kind, signature, &self.identity.secrets.release)
            .map_err(NodeError::seal)?;
        String::from_utf8(signed.bytes).map_err(NodeError::seal)
    }
}
