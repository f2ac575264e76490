//! What a dishonest carrier or member can do with the keys it has: nothing that gains it anything.

use crate::SimError;
use crate::chance::Chance;
use crate::network::{Load, Packet};
use crate::world::World;
use model::agreement::Derived;
use model::custody::Deletion;
use model::ids::{AgencyId, RecordId};
use model::release::{RecallNotice, RecallReceipt};
use model::request::Consent;
use model::time::Timestamp;
use node::identity::Identity;
use node::peer::Message;
use serde::Serialize;
use std::collections::BTreeSet;
use wire::document::{DocumentKind, sign};

/// A lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Carries an earlier packet again.
    Replay,
    /// Carries an earlier packet to somebody else.
    Misdeliver,
    /// Cuts an earlier message short.
    Truncate,
    /// Flips a bit of an earlier message.
    Flip,
    /// Answers a message with an answer to another.
    ForeignAnswer,
    /// Recalls another's record as if it were its own.
    FalseOriginator,
    /// Recalls another's record in that originator's name, but signs for itself.
    FalseGiver,
    /// Consents in another's name.
    FalseConsent,
    /// Asks for proofs from a size the log never had.
    FalseConflict,
    /// Refuses messages that are sound, its own or another's.
    FalseRefusal,
}

/// All lies.
pub const LIES: [Lie; 10] = [
    Lie::Replay,
    Lie::Misdeliver,
    Lie::Truncate,
    Lie::Flip,
    Lie::ForeignAnswer,
    Lie::FalseOriginator,
    Lie::FalseGiver,
    Lie::FalseConsent,
    Lie::FalseConflict,
    Lie::FalseRefusal,
];

/// Who lies, to whom, about what.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The site that lies.
    pub liar: usize,
    /// The site that is lied to.
    pub victim: usize,
    /// The record it is about, with its true originator.
    pub record: Option<(RecordId, AgencyId)>,
}

impl World {
    /// Tells a lie.
    ///
    /// # Errors
    /// The lie cannot be written.
    pub fn lie(&mut self, lie: Lie, scene: &Scene, chance: &mut Chance) -> Result<(), SimError> {
        self.figures.lies = self.figures.lies.saturating_add(1);
        let packet = match lie {
            Lie::Replay => self.network.earlier(),
            Lie::Misdeliver => self.network.earlier().map(|p| Packet { to: scene.victim, ..p }),
            Lie::Truncate | Lie::Flip => self.spoiled(lie, chance),
            Lie::ForeignAnswer => self.foreign_answer(scene),
            Lie::FalseOriginator | Lie::FalseGiver => self.false_recall(lie, scene)?,
            Lie::FalseConsent => self.false_consent(scene)?,
            Lie::FalseConflict => {
                let load = Load::Conflict(u64::MAX);
                Some(Packet { from: scene.liar, to: scene.victim, load })
            }
            Lie::FalseRefusal => self.false_refusal(scene, chance),
        };
        let times = if lie == Lie::FalseRefusal { protocol::FINAL_REFUSALS_MAX } else { 1 };
        if let Some(packet) = packet {
            for _ in 0..times {
                self.network.post(packet.clone(), self.clock.now());
            }
        }
        Ok(())
    }

    fn spoiled(&mut self, lie: Lie, chance: &mut Chance) -> Option<Packet> {
        let Packet { from, to, load } = self.network.earlier()?;
        let Load::Message(mut bytes) = load else { return None };
        let at = chance.below(bytes.len());
        if lie == Lie::Truncate {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        Some(Packet { from, to, load: Load::Message(bytes) })
    }

    /// What somebody refuses who has the message, or only says so.
    fn false_refusal(&self, scene: &Scene, chance: &mut Chance) -> Option<Packet> {
        let own = chance.often(80);
        let fits = |packet: &&Packet| !own || packet.to == scene.liar;
        let messages: Vec<&Packet> = self.network.tape().filter(fits).collect();
        let packet = chance.pick(&messages)?;
        let Load::Message(bytes) = &packet.load else { return None };
        let message = crate::carry::digest(&serde_json::from_slice(bytes).ok()?)?;
        let code = chance.pick(&["not_for_us", "message_refused"])?;
        let load = Load::Refused { message, status: 400, code: (*code).to_owned() };
        Some(Packet { from: scene.liar, to: packet.from, load })
    }

    fn foreign_answer(&self, scene: &Scene) -> Option<Packet> {
        let mut answers = self.network.tape().filter_map(|packet| match &packet.load {
            Load::Answer { text, .. } if packet.to != scene.victim => Some(text.clone()),
            Load::Answer { .. } | Load::Message(_) | Load::Conflict(_) | Load::Refused { .. } => {
                None
            }
        });
        let load = Load::Answer { text: answers.next()?, size: None };
        Some(Packet { from: scene.liar, to: scene.victim, load })
    }

    fn false_recall(&self, lie: Lie, scene: &Scene) -> Result<Option<Packet>, SimError> {
        let Some((record, originator)) = &scene.record else { return Ok(None) };
        let identity = self.identity(scene.liar)?;
        let Some(recipient) = self.agency(scene.victim) else { return Ok(None) };
        let giver = identity.member.agency.clone();
        if *originator == giver {
            return Ok(None);
        }
        let originator =
            if lie == Lie::FalseOriginator { giver.clone() } else { originator.clone() };
        let notice = RecallNotice {
            cause: model::custody::Deletion::Recalled,
            record: record.clone(),
            originator,
            giver,
            recipient,
            reason: "a lie".to_owned(),
            at: self.clock.at(scene.liar),
            complete_by: None,
            derived: Derived::Purge,
        };
        self.note(DocumentKind::Recall, &notice, scene).map(Some)
    }

    fn false_consent(&self, scene: &Scene) -> Result<Option<Packet>, SimError> {
        let (Some((record, originator)), Some(recipient)) =
            (&scene.record, self.agency(scene.liar))
        else {
            return Ok(None);
        };
        if *originator == recipient {
            return Ok(None);
        }
        let consent = Consent {
            originator: originator.clone(),
            recipient,
            object: Some(record.clone()),
            purpose: None,
            from: None,
            until: None,
            agreement: None,
        };
        self.note(DocumentKind::Consent, &consent, scene).map(Some)
    }

    fn note<T: Serialize>(
        &self,
        kind: DocumentKind,
        body: &T,
        scene: &Scene,
    ) -> Result<Packet, SimError> {
        let identity = self.identity(scene.liar)?;
        let text = signed(&identity, kind, body)?;
        let bytes = serde_json::to_vec(&Message::Note(text)).map_err(SimError::unusable)?;
        Ok(Packet { from: scene.liar, to: scene.victim, load: Load::Message(bytes) })
    }
}

/// A document signed with a site's release key.
///
/// # Errors
/// The body cannot be written.
pub fn signed<T: Serialize>(
    identity: &Identity,
    kind: DocumentKind,
    body: &T,
) -> Result<String, SimError> {
    let document = sign(kind, body, &identity.secrets.release).map_err(SimError::unusable)?;
    String::from_utf8(document.bytes).map_err(SimError::unusable)
}

/// A recall receipt for a recall that was never honoured.
///
/// # Errors
/// The recall cannot be read.
pub fn recall_receipt(
    identity: &Identity,
    recall: &str,
    now: Timestamp,
) -> Result<String, SimError> {
    let line = recall.lines().nth(1).unwrap_or_default();
    let notice: RecallNotice = serde_json::from_str(line).map_err(SimError::unusable)?;
    let document =
        wire::document::Unverified::parse(recall.as_bytes()).map_err(SimError::unusable)?;
    let receipt = RecallReceipt {
        notice: document.digest(),
        record: notice.record,
        originator: notice.originator,
        holder: identity.member.agency.clone(),
        giver: notice.giver,
        at: now,
        deleted: Some(Deletion::Recalled),
        derived: BTreeSet::new(),
        passed_to: BTreeSet::new(),
    };
    signed(identity, DocumentKind::RecallReceipt, &receipt)
}
