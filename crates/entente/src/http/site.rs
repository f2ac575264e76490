//! What all doors share: the one writer behind its lock, and readers that never wait for it.

use super::errors::Problem;
use super::limits::{Allowance, MESSAGES_AT_ONCE};
use crate::commands::Desk;
use crate::edge::{self, SystemEntropy};
use crate::failure::Failure;
use model::event::Event;
use model::ids::AgencyId;
use model::member::Member;
use model::time::Timestamp;
use node::access::Certificates;
use node::facts::Facts;
use node::{Compiled, Node, NodeError};
use std::sync::{Arc, Mutex, RwLock};
use store::{Reader, Snapshot};
use tokio::sync::Semaphore;

/// A running node as its doors see it.
pub struct Site {
    writer: Mutex<Node>,
    reader: Arc<dyn Reader>,
    compiled: RwLock<Compiled>,
    view: Arc<node::View>,
    /// The node's own member document.
    pub member: Member,
    /// The officer's token.
    pub token: String,
    /// What each address may send.
    pub allowance: Allowance,
    /// Partners' messages in work.
    pub messages: Semaphore,
    /// Partners by the fingerprints of their clients' certificates.
    pub certificates: Arc<Certificates>,
}

fn stopped() -> Failure {
    Failure::node(
        "node_stopped",
        "an earlier request broke the writer off; nothing more is written",
        "start the node again; everything committed is safe",
    )
}

impl Site {
    /// A site around a node.
    #[must_use]
    pub fn new(node: Node, token: String) -> Self {
        Self {
            reader: node.reader(),
            compiled: RwLock::new(node.compiled()),
            view: node.view(),
            member: node.identity().member.clone(),
            writer: Mutex::new(node),
            token,
            allowance: Allowance::default(),
            messages: Semaphore::new(MESSAGES_AT_ONCE),
            certificates: Arc::default(),
        }
    }

    /// The site with partners known by their clients' certificates.
    ///
    /// # Errors
    /// An earlier work broke off in the middle.
    pub fn knowing(self, certificates: Certificates) -> Result<Self, Failure> {
        let certificates = Arc::new(certificates);
        self.write(|node| node.pin_certificates(Arc::clone(&certificates)))?;
        Ok(Self { certificates, ..self })
    }

    /// The agency that runs the node.
    #[must_use]
    pub fn agency(&self) -> &AgencyId {
        &self.member.agency
    }

    /// Works on the node, alone. Waits for whoever is at it; call it only where waiting is allowed.
    ///
    /// # Errors
    /// An earlier work broke off in the middle.
    pub fn write<T>(&self, work: impl FnOnce(&mut Node) -> T) -> Result<T, Failure> {
        let mut node = self.writer.lock().map_err(|_| stopped())?;
        let done = work(&mut node);
        let compiled = node.compiled();
        let mut known = self.compiled.write().map_err(|_| stopped())?;
        *known = compiled;
        Ok(done)
    }

    /// Seats an officer at the node.
    ///
    /// # Errors
    /// What the work answers, or the clock is wrong.
    pub fn seat<T>(
        &self,
        officer: &str,
        work: impl FnOnce(&mut Desk<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let now = edge::now()?;
        self.write(|node| work(&mut Desk { node, officer: officer.to_owned(), now }))?
    }

    /// A frozen view of the present state.
    ///
    /// # Errors
    /// The store failed.
    pub fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Problem> {
        self.reader.snapshot().map_err(|e| Problem::from(NodeError::from(e)))
    }

    /// A snapshot seen as facts, with exactly its own rules.
    ///
    /// # Errors
    /// An earlier work broke off in the middle, or the store failed.
    pub fn facts<'a>(&'a self, snapshot: &'a dyn Snapshot) -> Result<Facts<'a>, Problem> {
        let compiled = self.compiled.read().map_err(|_| stopped())?.clone();
        let rules = compiled.at(snapshot)?;
        Ok(Facts::new(snapshot, self.agency(), rules).with_view(Arc::clone(&self.view)))
    }

    /// Hands an event of the node itself to the node.
    ///
    /// # Errors
    /// What the node answers.
    fn own(&self, event: Event<node::Body>, now: Timestamp) -> Result<(), Failure> {
        self.write(|node| node.own(event, now, &mut SystemEntropy).map(|_| ()))??;
        Ok(())
    }

    /// Logs that a partner read its collection; what was read may leave only after this.
    ///
    /// # Errors
    /// What the node answers.
    pub fn partner_read(
        &self,
        partner: &AgencyId,
        query: String,
        count: usize,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let (reader, partner) = (partner.to_string(), Some(partner.clone()));
        Ok(self.own(Event::Read { reader, partner, query, count }, now)?)
    }

    /// Builds the view, or brings it up to date, where a reader went without it.
    ///
    /// # Errors
    /// The store failed.
    pub fn keep_view(&self) -> Result<(), Problem> {
        if self.view.was_missed() {
            let snapshot = self.snapshot()?;
            self.view.warm(&self.facts(&*snapshot)?)?;
        }
        Ok(())
    }

    /// Lets the clock end what has reached its end.
    ///
    /// # Errors
    /// What the node answers.
    pub fn tick(&self) -> Result<(), Failure> {
        self.own(Event::Tick, edge::now()?)
    }
}
