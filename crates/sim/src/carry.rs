//! The carrier: what the courier of the program is, over the simulated network.
//!
//! Like the courier it believes no partner about the size of this node's own log.

use crate::SimError;
use crate::clock::moved;
use crate::network::{Load, Packet};
use crate::world::{Ran, World, failed, gist, word};
use model::ids::Digest;
use node::NodeError;
use node::outbox::Waiting;
use node::peer::Message;
use wire::document::{DocumentKind, Unverified};

/// Seconds before a message is sent again.
pub(crate) const PATIENCE_SECONDS: i64 = 600;

impl World {
    /// Sends the messages that wait at a node.
    ///
    /// # Errors
    /// The outbox cannot be read.
    pub fn send(&mut self, site: usize, limit: usize) -> Result<(), SimError> {
        let now = self.clock.at(site);
        let due = {
            let Some(place) = self.sites.get(site).filter(|s| s.node.is_some()) else {
                return Ok(());
            };
            let snapshot = place.disk.durable().map_err(SimError::unusable)?;
            let all =
                node::outbox::all_waiting(&*snapshot).map_err(|e| failed(&place.agency, &e))?;
            let fresh = |message: &Waiting| {
                let last = place.sent.get(&message.digest);
                last.is_none_or(|at| moved(*at, PATIENCE_SECONDS) <= now)
            };
            let mut out = Vec::new();
            for waiting in all.into_iter().filter(fresh).take(limit) {
                // What cannot be proved now (a partner claimed to know more of the log than there
                // is) waits for the partner to say otherwise.
                if let Ok(message) = node::outbox::ready(&*snapshot, &waiting) {
                    let bytes = serde_json::to_vec(&message).map_err(SimError::unusable)?;
                    out.push((waiting.recipient, waiting.digest, bytes));
                }
            }
            out
        };
        for (recipient, digest, bytes) in due {
            if let Some(place) = self.sites.get_mut(site) {
                place.sent.insert(digest, now);
            }
            if let Some(to) = self.of(&recipient) {
                let load = Load::Message(bytes);
                self.network.post(Packet { from: site, to, load }, self.clock.now());
            }
        }
        Ok(())
    }

    /// Delivers the next packet that is due.
    ///
    /// # Errors
    /// A node failed.
    pub fn deliver(&mut self) -> Result<bool, SimError> {
        let Some(packet) = self.network.arrive(self.clock.now()) else { return Ok(false) };
        match packet.load {
            Load::Message(bytes) => self.take(packet.from, packet.to, &bytes)?,
            Load::Answer { text, size } => {
                let ran =
                    self.run(packet.to, |node, now, entropy| node.answered(&text, now, entropy))?;
                self.count_answer(&ran);
                self.tell(packet.to, || format!("{} -> {}", gist(&text), word(&ran)));
                if let (Ran::Did(()), Some(size)) = (ran, size) {
                    self.seen(packet.to, packet.from, size)?;
                }
            }
            Load::Conflict(size) => self.conflict(packet.to, packet.from, size)?,
            Load::Refused { message, status, code } => {
                let Some(partner) = self.agency(packet.from) else { return Ok(true) };
                let ran = self.run(packet.to, |node, now, entropy| {
                    node.refused((&partner, &message), (status, Some(code)), now, entropy)
                })?;
                self.tell(packet.to, || format!("{partner} refuses {message} -> {}", word(&ran)));
            }
        }
        Ok(true)
    }

    fn count_answer<T>(&mut self, ran: &Ran<T>) {
        let slot = match ran {
            Ran::Did(_) => &mut self.figures.answered,
            Ran::Denied(_) | Ran::Crashed | Ran::Down => &mut self.figures.refused,
        };
        *slot = slot.saturating_add(1);
    }

    fn conflict(&mut self, site: usize, by: usize, size: u64) -> Result<(), SimError> {
        let Some(place) = self.sites.get_mut(site) else { return Ok(()) };
        place.sent.clear();
        let known = {
            let snapshot = place.disk.durable().map_err(SimError::unusable)?;
            node::log::frontier(&*snapshot).map_err(|e| failed(&place.agency, &e))?.size()
        };
        if size <= known { self.seen(site, by, size) } else { Ok(()) }
    }

    fn seen(&mut self, site: usize, by: usize, size: u64) -> Result<(), SimError> {
        let Some(partner) = self.agency(by) else { return Ok(()) };
        self.run(site, |node, _, _| node.seen_by(&partner, size)).map(|_| ())
    }

    fn take(&mut self, from: usize, to: usize, bytes: &[u8]) -> Result<(), SimError> {
        let Ok(message) = serde_json::from_slice::<Message>(bytes) else {
            self.figures.refused = self.figures.refused.saturating_add(1);
            return Ok(());
        };
        if let Some(answer) = self.forged(to, &message)? {
            let load = Load::Answer { text: answer, size: None };
            self.network.post(Packet { from: to, to: from, load }, self.clock.now());
            return Ok(());
        }
        let ran = self.run(to, |node, now, entropy| node.receive(&message, now, entropy))?;
        self.tell(to, || {
            let text = match &message {
                Message::Shipment(envelope) => gist(&envelope.manifest),
                Message::Note(text) => gist(text),
            };
            format!("{text} -> {}", word(&ran))
        });
        let load = match ran {
            Ran::Did(text) => {
                self.figures.received = self.figures.received.saturating_add(1);
                Load::Answer { text, size: proved(&message) }
            }
            Ran::Denied(NodeError::Conflict { size }) => Load::Conflict(size),
            Ran::Denied(error) => match self.refused(&message, &error) {
                Some(load) => load,
                None => return Ok(()),
            },
            Ran::Crashed | Ran::Down => {
                self.figures.refused = self.figures.refused.saturating_add(1);
                return Ok(());
            }
        };
        self.network.post(Packet { from: to, to: from, load }, self.clock.now());
        Ok(())
    }

    /// Remembers why a message was refused, and what the door says of it.
    fn refused(&mut self, message: &Message, error: &NodeError) -> Option<Load> {
        self.figures.refused = self.figures.refused.saturating_add(1);
        let digest = digest(message)?;
        self.refusals.insert(digest, error.to_string());
        let (status, code) = match error {
            NodeError::Denied(denial) => (400, denial.code),
            NodeError::SplitView { .. } => (409, "split_view"),
            NodeError::Message { .. }
            | NodeError::Store(_)
            | NodeError::Conflict { .. }
            | NodeError::Damaged { .. }
            | NodeError::Seal(_)
            | NodeError::TooManyFollowUps(_) => (400, "message_refused"),
        };
        Some(Load::Refused { message: digest, status, code: code.to_owned() })
    }

    /// The answer of a link that drops recalls and pretends otherwise.
    fn forged(&self, site: usize, message: &Message) -> Result<Option<String>, SimError> {
        let forges = self.sites.get(site).is_some_and(|s| s.forges_recall_receipts);
        let Message::Note(text) = message else { return Ok(None) };
        let Ok(document) = Unverified::parse(text.as_bytes()) else { return Ok(None) };
        if !forges || document.kind() != DocumentKind::Recall {
            return Ok(None);
        }
        crate::liar::recall_receipt(&self.identity(site)?, text, self.clock.at(site)).map(Some)
    }
}

/// The digest a message goes by in its sender's outbox.
pub(crate) fn digest(message: &Message) -> Option<Digest> {
    let text = match message {
        Message::Shipment(envelope) => &envelope.manifest,
        Message::Note(text) => text,
    };
    Some(Unverified::parse(text.as_bytes()).ok()?.digest())
}

/// The size of the sender's log that a shipment proves itself by.
fn proved(message: &Message) -> Option<u64> {
    match message {
        Message::Shipment(envelope) => {
            envelope.proof.as_ref()?.checkpoint.lines().nth(1)?.parse().ok()
        }
        Message::Note(_) => None,
    }
}
