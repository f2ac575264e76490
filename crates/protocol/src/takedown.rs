//! A partner's client takes back what it posted: the versions leave the collection, and where that
//! was their last place they are withdrawn, here and at everybody they went on to. Pure.
//!
//! SOURCE: OASIS TAXII 2.1 section 5.7; LED Art 7(3) for those further on.

use crate::change::{Change, CollectionChange, PostingChange, RecordChange};
use crate::denial::Denial;
use crate::effects::{Effects, Outgoing, Reply};
use crate::facts::Facts;
use crate::{post, recall, shelf};
use model::agreement::Derived;
use model::custody::{Custody, Deletion, Source, Tombstone, version_order};
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::AgencyId;
use model::posting::{Collection, Pick, Placed, Takedown};
use model::release::RecallNotice;
use model::request::StandingOrder;
use model::time::Timestamp;
use std::collections::BTreeSet;

/// Why it is taken back, as those further on are told.
const REASON: &str = "its originator took it back";

pub(crate) fn take_down<F: Facts>(
    facts: &F,
    takedown: &Takedown,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    post::writable(facts, &takedown.partner, &takedown.collection, now)?;
    let all = facts.placements(&takedown.record, &takedown.partner)?;
    let here = all.iter().filter(|(at, _)| *at == takedown.collection).map(|(_, placed)| placed);
    let going = picked(here.collect(), takedown);
    if going.is_empty() {
        // INVARIANT: what another posted, what is hidden and what never was are answered alike.
        return Err(Denial::partner(
            "object_unknown",
            "nothing of yours here has this identifier and version".to_owned(),
            "list what you posted; only the poster takes an object back",
        ));
    }
    let gone: BTreeSet<&str> = going.iter().map(|placed| placed.version.as_str()).collect();
    let elsewhere = |version: &str| {
        all.iter().any(|(at, placed)| *at != takedown.collection && placed.version == version)
    };
    let mut leaving = Vec::new();
    let mut staying: Vec<Custody> = Vec::new();
    for custody in facts.versions(&takedown.record, &takedown.partner)? {
        let posted = matches!(custody.source, Source::Post { .. });
        let version = custody.version.as_str();
        if posted && gone.contains(version) && !elsewhere(version) {
            leaving.push(custody);
        } else {
            staying.push(custody);
        }
    }
    let mut effects = Effects::default();
    let displaced = going
        .iter()
        .map(|placed| PostingChange::Displace(takedown.collection.clone(), (*placed).clone()));
    effects.changes.extend(displaced.map(Change::from));
    let leave = Leave { facts, takedown, now };
    leave.withdraw(&mut effects, leaving, &staying)?;
    effects.entries.push(leave.entry(&going));
    effects.then.extend(leave.decide_again(&staying)?);
    effects.reply = Reply::TakenDown(going.len());
    Ok(effects)
}

/// The versions meant, of those in the collection.
fn picked<'a>(mut here: Vec<&'a Placed>, takedown: &Takedown) -> Vec<&'a Placed> {
    here.sort_by(|a, b| a.order(b));
    here.retain(|p| takedown.specs.as_ref().is_none_or(|specs| specs.contains(&p.spec)));
    let last = here.len().saturating_sub(1);
    let meant = |at: usize, placed: &Placed| {
        takedown.versions.iter().any(|pick| match pick {
            Pick::All => true,
            Pick::First => at == 0,
            Pick::Last => at == last,
            Pick::At(version) => placed.is_version(version),
        })
    };
    let numbered = here.into_iter().enumerate();
    numbered.filter(|(at, placed)| meant(*at, placed)).map(|(_, placed)| placed).collect()
}

struct Leave<'a, F> {
    facts: &'a F,
    takedown: &'a Takedown,
    now: Timestamp,
}

impl<F: Facts> Leave<'_, F> {
    fn withdraw(
        &self,
        effects: &mut Effects<F::Body>,
        leaving: Vec<Custody>,
        staying: &[Custody],
    ) -> Result<(), Denial> {
        let newest = staying.iter().max_by(|a, b| version_order(&a.version, &b.version));
        match newest {
            Some(newest) => {
                for custody in leaving {
                    self.tell_holders(effects, &custody)?;
                    let (custody, newest) = (Box::new(custody), newest.version.clone());
                    effects.change(PostingChange::DropVersion { custody, newest });
                }
                Ok(())
            }
            None => self.wholly(effects, leaving),
        }
    }

    /// Nothing of the assertion stays: everybody it went to is told, products are flagged.
    fn wholly(&self, effects: &mut Effects<F::Body>, leaving: Vec<Custody>) -> Result<(), Denial> {
        let Some(custody) = leaving.into_iter().next() else { return Ok(()) };
        let (record, partner) = (&self.takedown.record, &self.takedown.partner);
        let cause = (REASON, Deletion::Withdrawn);
        let told = recall::notices(self.facts, (record, partner), cause, self.now, Some(partner))?;
        effects.changes.extend(told.changes);
        effects.outgoing.extend(told.outgoing);
        let notice = self.notice();
        recall::derive(self.facts, &notice, effects, &mut BTreeSet::new(), self.now)?;
        let tombstone = Tombstone {
            id: record.clone(),
            originator: partner.clone(),
            cause: Deletion::Withdrawn,
            at: self.now,
            giver: Some(partner.clone()),
        };
        effects.change(RecordChange::Delete { custody: Box::new(custody), tombstone });
        Ok(())
    }

    /// The poster's word in the form of a notice to this node.
    fn notice(&self) -> RecallNotice {
        let Takedown { collection, partner, record, .. } = self.takedown;
        let derived = match collection {
            Collection::Community(id) => shelf::community(self.facts, partner, id, self.now)
                .and_then(|agreement| agreement.recall.as_ref())
                .map_or(Derived::Flag, |terms| terms.derived),
            Collection::Inbox(_) | Collection::Outbox(_) => Derived::Flag,
        };
        RecallNotice {
            record: record.clone(),
            originator: partner.clone(),
            giver: partner.clone(),
            recipient: self.facts.own_agency().clone(),
            cause: Deletion::Withdrawn,
            reason: REASON.to_owned(),
            at: self.now,
            complete_by: None,
            derived,
        }
    }

    /// Whoever was released this very version is told that it was withdrawn.
    fn tell_holders(
        &self,
        effects: &mut Effects<F::Body>,
        custody: &Custody,
    ) -> Result<(), Denial> {
        let pair = (&custody.id, &custody.originator);
        for recipient in self.facts.recipients(pair.0, pair.1)? {
            let offers = self.facts.offered(pair.0, pair.1, &recipient)?;
            if !offers.iter().any(|offered| offered.terms.version == custody.version) {
                continue;
            }
            let (complete_by, derived) = recall::terms(self.facts, pair, &recipient, self.now)?;
            effects.change(CollectionChange::Retract {
                record: custody.id.clone(),
                originator: custody.originator.clone(),
                recipient: recipient.clone(),
                purpose: None,
            });
            let giver = self.facts.own_agency().clone();
            effects.outgoing.push(Outgoing::Recall(RecallNotice {
                giver,
                recipient,
                complete_by,
                derived,
                ..self.notice()
            }));
        }
        Ok(())
    }

    fn entry(&self, going: &[&Placed]) -> Draft {
        let versions: Vec<&str> = going.iter().map(|placed| placed.version.as_str()).collect();
        let count = u64::try_from(going.len()).unwrap_or(u64::MAX);
        let mut entry = Draft::new(EntryKind::Takedown, count)
            .with(&self.takedown.partner)
            .seal("collection", &self.takedown.collection)
            .seal("record", &self.takedown.record)
            .seal("versions", versions.join(" "));
        if let Collection::Community(id) = &self.takedown.collection {
            entry = entry.under([id]);
        }
        entry
    }

    /// What stays may have gone on by a consent that ended: it is decided on again for everybody
    /// it was offered to, and taken back where it is no longer covered.
    fn decide_again(&self, staying: &[Custody]) -> Result<Vec<Event<F::Body>>, Denial> {
        let mut out = Vec::new();
        let community = matches!(self.takedown.collection, Collection::Community(_));
        if staying.is_empty() || !community {
            return Ok(out);
        }
        let (record, partner) = (&self.takedown.record, &self.takedown.partner);
        let recipients: Vec<AgencyId> = self.facts.recipients(record, partner)?;
        for recipient in recipients {
            for offered in self.facts.offered(record, partner, &recipient)? {
                let (purpose, grounds) = (offered.terms.purpose, offered.grounds);
                let order = StandingOrder { recipient: recipient.clone(), purpose, grounds };
                out.push(Event::Share { records: vec![record.clone()], order });
            }
        }
        Ok(out)
    }
}
