//! The world at rest: everything heals, everything ends, and the last checkers look.

use crate::SimError;
use crate::carry::PATIENCE_SECONDS;
use crate::checkers::{self, Checker, Violation};
use crate::disk::lock;
use crate::watch::Gone;
use crate::world::{World, failed};
use model::ids::{AgencyId, Digest, RecordId};
use node::NodeError;

/// LIMIT: rounds until the world must be quiet.
const ROUNDS_MAX: usize = 60;

/// Whether the view and the store gave the same page.
fn same(one: &node::pages::Page, other: &node::pages::Page) -> bool {
    let all = one.rows.iter().zip(&other.rows);
    one.more == other.more
        && one.visited == other.visited
        && one.rows.len() == other.rows.len()
        && all.fold(true, |same, (a, b)| {
            same && a.raw() == b.raw()
                && (a.added_at, &a.version, a.spec) == (b.added_at, &b.version, b.spec)
                && (a.record(), a.originator()) == (b.record(), b.originator())
        })
}

impl World {
    /// Everything heals; messages and couriers go until nothing waits any more.
    ///
    /// # Errors
    /// A node failed.
    pub fn settle(&mut self) -> Result<(), SimError> {
        self.network.heal();
        self.clock.correct();
        for site in 0..self.sites.len() {
            self.start(site)?;
            if let Some(place) = self.sites.get(site) {
                place.disk.steady();
            }
        }
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            for site in 0..self.sites.len() {
                while self.unpack(site)? {
                    busy = true;
                }
                busy |= self.send_again(site)?;
                if let Some(place) = self.sites.get_mut(site) {
                    place.sent.clear();
                }
                self.send(site, usize::MAX)?;
            }
            self.clock.pass(PATIENCE_SECONDS.saturating_add(1));
            while self.deliver()? {
                busy = true;
            }
            if !busy && self.network.next_due().is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The checkers for a world at rest: every message ended, every recall reached all.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn at_rest(&mut self) -> Result<(), SimError> {
        let recalled = lock(&self.watch).recalled().clone();
        let mut found = Vec::new();
        for (site, place) in self.sites.iter().enumerate() {
            let mut blame = |checker, text| {
                found.push(Violation { checker, agency: place.agency.clone(), text });
            };
            let wrong = |error: NodeError| failed(&place.agency, &error);
            let snapshot = place.disk.durable().map_err(SimError::unusable)?;
            for (digest, text) in checkers::waiting(&*snapshot).map_err(wrong)? {
                let why = self.refusals.get(&digest).map_or("never refused", String::as_str);
                blame(Checker::EveryMessageEnds, format!("{text} still waits: {why}"));
            }
            for aside in self.given_up(site)? {
                let text = format!("{:?} was given up in a sound world", aside.outline);
                blame(Checker::EveryMessageEnds, text);
            }
            if let Err(error) = node::log::audit(&*snapshot) {
                blame(Checker::LogOnlyGrows, error.to_string());
            }
            for ((record, originator), gone) in &recalled {
                if *originator != place.agency
                    && let Some(what) =
                        checkers::remains(&*snapshot, record, originator).map_err(wrong)?
                {
                    let how = match gone {
                        Gone::Recalled => "recalled",
                        Gone::Purged => "purged as a product",
                    };
                    let text = format!("{what}: `{record}`, {how} by `{originator}`");
                    blame(Checker::RecallReachesAll, text);
                }
            }
            for (partner, record, originator) in self.answers(site)? {
                if recalled.contains_key(&(record.clone(), originator)) {
                    let text = format!("answers `{partner}` with `{record}`");
                    blame(Checker::RecallReachesAll, text);
                }
            }
        }
        self.violations.append(&mut found);
        Ok(())
    }

    /// What a node would answer its partners with now: partner, record and originator.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn answers(&self, site: usize) -> Result<Vec<(AgencyId, RecordId, AgencyId)>, SimError> {
        let Some(place) = self.sites.get(site) else { return Ok(Vec::new()) };
        let Some(node) = &place.node else { return Ok(Vec::new()) };
        let wrong = |error: NodeError| failed(&place.agency, &error);
        let snapshot = node.snapshot().map_err(wrong)?;
        let facts = node.facts(&*snapshot);
        node.view().warm(&facts).map_err(wrong)?;
        let plain = node::facts::Facts::new(&*snapshot, node.agency(), node.rules());
        let mut out = Vec::new();
        for (partner, _) in self.agencies() {
            let wanted = node::pages::Wanted::first(10_000);
            let now = self.clock.at(site);
            let page = node::query::collection(&facts, &partner, &wanted, now).map_err(wrong)?;
            let slow = node::query::collection(&plain, &partner, &wanted, now).map_err(wrong)?;
            if !same(&page, &slow) {
                let message = format!("`{partner}` is answered otherwise than by the store");
                return Err(wrong(NodeError::Damaged { table: "view", message }));
            }
            let rows = page.rows.iter();
            out.extend(rows.map(|s| (partner.clone(), s.record().clone(), s.originator().clone())));
        }
        Ok(out)
    }

    /// SHA-256 over all stores.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn digest(&self) -> Result<Digest, SimError> {
        let mut all = Vec::new();
        for place in &self.sites {
            let snapshot = place.disk.durable().map_err(SimError::unusable)?;
            all.extend(checkers::bytes(&*snapshot).map_err(SimError::unusable)?.0);
        }
        Ok(crypto::hash::sha256(&all))
    }
}
