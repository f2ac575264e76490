//! A random life: agreements, records, orders, recalls, crashes, partitions and lies, by seed.

use crate::SimError;
use crate::agreements::{PURPOSES, Pact};
use crate::chance::Chance;
use crate::checkers::{Checker, Violation};
use crate::disk::Crash;
use crate::liar::{LIES, Lie, Scene};
use crate::network::Weather;
use crate::records::{Sheet, any, revised};
use crate::world::{Figures, SITES_MAX, World};
use model::event::Event;
use model::ids::{AgencyId, Digest, RecordId};
use model::request::{Consent, Grounds, StandingOrder};
use std::collections::{BTreeMap, BTreeSet};

/// What a life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Rules found broken; the first ends the life.
    pub violations: Vec<Violation>,
    /// At which event the first was found; nothing where it was found at rest.
    pub at_event: Option<usize>,
    /// What happened, in numbers.
    pub figures: Figures,
    /// SHA-256 over all stores at the end.
    pub digest: Digest,
    /// How many nodes there were.
    pub nodes: usize,
    /// What happened, line by line, where that was asked for.
    pub journal: Vec<String>,
}

/// What may happen, with its weight.
const ACTS: [(Act, usize); 24] = [
    (Act::Import, 16),
    (Act::Revise, 6),
    (Act::Namesake, 1),
    (Act::Order, 5),
    (Act::Withdraw, 1),
    (Act::ShareOwn, 4),
    (Act::ShareOnward, 8),
    (Act::Claim, 2),
    (Act::Recall, 4),
    (Act::Permit, 5),
    (Act::Amend, 2),
    (Act::Adopt, 3),
    (Act::Courier, 6),
    (Act::Tick, 5),
    (Act::Pass, 6),
    (Act::Send, 18),
    (Act::Deliver, 24),
    (Act::Crash, 2),
    (Act::CrashAtCommit, 4),
    (Act::Part, 2),
    (Act::Rejoin, 2),
    (Act::Lie, 6),
    (Act::GiveUp, 1),
    (Act::Again, 2),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Import,
    Revise,
    Namesake,
    Order,
    Withdraw,
    ShareOwn,
    ShareOnward,
    Claim,
    Recall,
    Permit,
    Amend,
    Adopt,
    Courier,
    Tick,
    Pass,
    Send,
    Deliver,
    Crash,
    CrashAtCommit,
    Part,
    Rejoin,
    Lie,
    GiveUp,
    Again,
}

/// How a life is to be lived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many steps.
    pub steps: usize,
    /// Acts and lies left out, by name (`claim`, `lie`, `falsegiver` …), to narrow a fault down.
    pub without: BTreeSet<String>,
    /// Whether to keep a journal.
    pub told: bool,
}

impl Plan {
    /// A life of this many steps with everything in it.
    #[must_use]
    pub fn of(steps: usize) -> Self {
        Self { steps, without: BTreeSet::new(), told: false }
    }

    fn has(&self, what: &impl std::fmt::Debug) -> bool {
        !self.without.contains(&format!("{what:?}").to_lowercase())
    }
}

/// A life in the middle of it.
struct Life {
    plan: Plan,
    world: World,
    chance: Chance,
    pacts: Vec<Pact>,
    sheets: BTreeMap<RecordId, (usize, Sheet)>,
    orders: Vec<(usize, StandingOrder)>,
}

/// Lives one seed for this many steps, then heals and looks at the world at rest.
///
/// # Errors
/// The simulation itself failed.
pub fn live(seed: u64, plan: &Plan) -> Result<Outcome, SimError> {
    let mut chance = Chance::named(seed, "life");
    let span = SITES_MAX.saturating_sub(1);
    let nodes = chance.below(span).saturating_add(2);
    let mut world = World::new(seed, nodes, Weather::FOUL)?;
    world.journal = plan.told.then(Vec::new);
    let (pacts, orders, sheets) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut life = Life { plan: plan.clone(), world, chance, pacts, sheets, orders };
    life.begin()?;
    for event in 0..plan.steps {
        life.act()?;
        if !life.world.violations.is_empty() {
            return life.end(Some(event));
        }
    }
    life.world.settle()?;
    for site in 0..life.world.count() {
        life.world.officer(site, Event::Tick)?;
    }
    life.world.settle()?;
    life.world.at_rest()?;
    life.end(None)
}

/// Lives a seed twice and compares the bytes.
///
/// # Errors
/// The simulation itself failed.
pub fn live_twice(seed: u64, plan: &Plan) -> Result<Outcome, SimError> {
    let (mut first, second) = (live(seed, plan)?, live(seed, plan)?);
    if first != second {
        let agency = "xa.police.ct".parse().map_err(SimError::unusable)?;
        let text = format!("seed {seed} lived twice gives {} and {}", first.digest, second.digest);
        let checker = Checker::SameSeedSameBytes;
        first.violations.push(Violation { checker, agency, text });
    }
    Ok(first)
}

impl Life {
    fn end(mut self, at_event: Option<usize>) -> Result<Outcome, SimError> {
        let digest = self.world.digest()?;
        let violations = std::mem::take(&mut self.world.violations);
        let (figures, nodes) = (self.world.figures, self.world.count());
        let journal = self.world.journal.take().unwrap_or_default();
        Ok(Outcome { violations, at_event, figures, digest, nodes, journal })
    }

    /// One to four agreements; some are signed by all, some are not; some orders.
    fn begin(&mut self) -> Result<(), SimError> {
        let all = self.world.agencies();
        let from = self.world.clock.now();
        for number in 0..self.chance.below(4).saturating_add(1) {
            let mut parties = self.chance.some(&all, 75);
            if parties.len() < 2 {
                parties.clone_from(&all);
            }
            let pact = Pact::any(&mut self.chance, number, from, &parties);
            for site in self.world.parties(&pact) {
                self.world.adopt(site, &pact)?;
                if self.chance.often(90) {
                    self.world.sign(site, &pact)?;
                }
            }
            self.pacts.push(pact);
        }
        for site in 0..self.world.count() {
            while self.world.unpack(site)? {}
            self.order(site)?;
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), SimError> {
        let total = ACTS.iter().fold(0_usize, |n, (_, weight)| n.saturating_add(*weight));
        let mut left = self.chance.below(total);
        let mut chosen = Act::Deliver;
        for (act, weight) in ACTS {
            chosen = act;
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        let site = self.chance.below(self.world.count());
        self.wake(site)?;
        if self.plan.has(&chosen) { self.carry_out(chosen, site) } else { Ok(()) }
    }

    /// A node that is down is found and started, sooner or later.
    fn wake(&mut self, site: usize) -> Result<(), SimError> {
        if self.chance.often(50) { self.world.start(site) } else { Ok(()) }
    }

    fn carry_out(&mut self, act: Act, site: usize) -> Result<(), SimError> {
        match act {
            Act::Import => self.import(site),
            Act::Revise => self.revise(),
            Act::Namesake => self.namesake(site),
            Act::Order => self.order(site),
            Act::Withdraw => self.withdraw(),
            Act::ShareOwn | Act::ShareOnward | Act::Claim => self.share(act, site),
            Act::Recall => self.recall(),
            Act::Permit => self.permit(),
            Act::Amend => self.amend(site),
            Act::Adopt => self.adopt(site),
            Act::Courier => self.world.unpack(site).map(|_| ()),
            Act::Tick => self.world.officer(site, Event::Tick).map(|_| ()),
            Act::Pass => {
                let long = self.chance.often(10);
                let most = if long { 3 * 86_400 } else { 3_600 };
                self.world.clock.pass(self.chance.between(1, most));
                self.skew(site);
                Ok(())
            }
            Act::Send => self.world.send(site, 6),
            Act::Deliver => self.deliver(),
            Act::Crash => {
                self.world.stop(site);
                Ok(())
            }
            Act::CrashAtCommit => {
                let crash = if self.chance.often(50) { Crash::Before } else { Crash::After };
                let ahead = u32::try_from(self.chance.below(4)).unwrap_or(0);
                self.world.crash_at(site, ahead, crash);
                Ok(())
            }
            Act::Part => {
                let other = self.chance.below(self.world.count());
                self.world.network.part(site, other);
                Ok(())
            }
            Act::Rejoin => {
                self.world.network.rejoin();
                Ok(())
            }
            Act::Lie => self.lie(site),
            Act::GiveUp => self.world.give_up_oldest(site),
            Act::Again => self.world.send_again(site).map(|_| ()),
        }
    }

    fn skew(&mut self, site: usize) {
        if self.chance.often(20) {
            let seconds = self.chance.between(-7_200, 7_200);
            self.world.clock.skew(site, seconds);
        }
    }

    fn deliver(&mut self) -> Result<(), SimError> {
        self.world.clock.pass(self.chance.between(1, 120));
        for _ in 0..4 {
            if !self.world.deliver()? {
                break;
            }
        }
        Ok(())
    }

    fn import(&mut self, site: usize) -> Result<(), SimError> {
        let now = self.world.clock.at(site);
        let known: Vec<RecordId> =
            self.world.holdings(site)?.into_iter().map(|custody| custody.id).collect();
        let sheet = any(&mut self.chance, whole_second(now), &known, &self.world.agencies())?;
        self.world.import(site, &sheet)?;
        self.sheets.insert(sheet.id.clone(), (site, sheet));
        Ok(())
    }

    fn revise(&mut self) -> Result<(), SimError> {
        let Some((site, sheet)) = self.any_sheet() else { return Ok(()) };
        let now = whole_second(self.world.clock.at(site));
        if now.to_string() <= sheet.modified {
            return Ok(());
        }
        let next = revised(&sheet, now, &mut self.chance);
        self.world.import(site, &next)?;
        self.sheets.insert(next.id.clone(), (site, next));
        Ok(())
    }

    /// A site asserts an identifier that another asserts too, as with entries of a public list.
    fn namesake(&mut self, site: usize) -> Result<(), SimError> {
        let Some((author, sheet)) = self.any_sheet().filter(|(author, _)| *author != site) else {
            return Ok(());
        };
        let own = revised(&sheet, whole_second(self.world.clock.at(site)), &mut self.chance);
        let fits = own.modified >= own.created.to_string() && author != site;
        if fits { self.world.import(site, &own).map(|_| ()) } else { Ok(()) }
    }

    fn any_sheet(&mut self) -> Option<(usize, Sheet)> {
        let at = self.chance.below(self.sheets.len());
        self.sheets.values().nth(at).cloned()
    }

    fn any_order(&mut self, site: usize) -> Option<StandingOrder> {
        let other = self.chance.below(self.world.count());
        let to = if other == site { other.checked_add(1)? } else { other };
        let frequent = [PURPOSES.first()?, PURPOSES.get(1)?];
        let often = self.chance.often(75);
        let purpose =
            if often { *self.chance.pick(&frequent)? } else { self.chance.pick(&PURPOSES)? };
        let mut order = self.world.order(to, purpose)?;
        let facts = ["human_review", "necessity_statement", "imminent_threat_to_life"];
        order.grounds = Grounds {
            offence: self.chance.often(40).then(|| "bombing".to_owned()),
            facts: self.chance.some(&facts, 35).into_iter().map(str::to_owned).collect(),
            ..Grounds::default()
        };
        Some(order)
    }

    fn order(&mut self, site: usize) -> Result<(), SimError> {
        let Some(order) = self.any_order(site) else { return Ok(()) };
        self.world.officer(site, Event::Order(order.clone()))?;
        self.orders.push((site, order));
        Ok(())
    }

    fn withdraw(&mut self) -> Result<(), SimError> {
        let at = self.chance.below(self.orders.len());
        let Some((site, order)) = self.orders.get(at).cloned() else { return Ok(()) };
        self.world.officer(site, Event::Withdraw(order)).map(|_| ())
    }

    /// An officer releases a record by hand: an own one, a foreign one, or a foreign one with a
    /// consent that exists on paper only.
    fn share(&mut self, act: Act, site: usize) -> Result<(), SimError> {
        let Some(own) = self.world.agency(site) else { return Ok(()) };
        let wanted = |by: &AgencyId| (*by == own) == (act == Act::ShareOwn);
        let held: Vec<(RecordId, AgencyId)> = self
            .world
            .holdings(site)?
            .into_iter()
            .filter(|custody| wanted(&custody.originator))
            .map(|custody| (custody.id, custody.originator))
            .collect();
        let (Some((record, originator)), Some(mut order)) =
            (self.chance.pick(&held).cloned(), self.any_order(site))
        else {
            return Ok(());
        };
        if act == Act::ShareOnward && self.chance.often(40) {
            let facts = ["human_review", "imminent_threat_to_life"];
            order.grounds.facts.extend(facts.map(str::to_owned));
        }
        if act == Act::Claim {
            order.grounds.consents.push(consent(&originator, &order.recipient, &record));
        }
        self.world.share(site, &record, &order).map(|_| ())
    }

    fn recall(&mut self) -> Result<(), SimError> {
        let Some((site, sheet)) = self.any_sheet() else { return Ok(()) };
        self.world.recall(site, &sheet.id).map(|_| ())
    }

    fn permit(&mut self) -> Result<(), SimError> {
        let Some((site, sheet)) = self.any_sheet() else { return Ok(()) };
        let to = self.chance.below(self.world.count());
        let (Some(originator), Some(recipient)) = (self.world.agency(site), self.world.agency(to))
        else {
            return Ok(());
        };
        let mut consent = consent(&originator, &recipient, &sheet.id);
        if self.chance.often(50) {
            consent.purpose = self.chance.pick(&PURPOSES).map(|p| (*p).to_owned());
        }
        if self.chance.often(30) {
            let days = self.chance.between(1, 10).saturating_mul(86_400);
            consent.until = Some(crate::clock::moved(self.world.clock.now(), days));
        }
        self.world.permit(site, &consent).map(|_| ())
    }

    /// A new version is negotiated; one party adopts and signs it at once.
    fn amend(&mut self, site: usize) -> Result<(), SimError> {
        let at = self.chance.below(self.pacts.len());
        let now = self.world.clock.now();
        let Some(pact) = self.pacts.get_mut(at) else { return Ok(()) };
        pact.amend(&mut self.chance, now);
        let pact = pact.clone();
        self.enter(site, &pact)
    }

    /// A party catches up with the newest version.
    fn adopt(&mut self, site: usize) -> Result<(), SimError> {
        let Some(pact) = self.chance.pick(&self.pacts).cloned() else { return Ok(()) };
        self.enter(site, &pact)
    }

    fn enter(&mut self, site: usize, pact: &Pact) -> Result<(), SimError> {
        if !self.world.parties(pact).contains(&site) {
            return Ok(());
        }
        self.world.adopt(site, pact)?;
        if self.chance.often(85) { self.world.sign(site, pact) } else { Ok(()) }
    }

    fn lie(&mut self, liar: usize) -> Result<(), SimError> {
        let victim = self.chance.below(self.world.count());
        let record = match self.any_sheet() {
            Some((site, sheet)) => self.world.agency(site).map(|by| (sheet.id, by)),
            None => None,
        };
        let lie = self.chance.pick(&LIES).copied().filter(|lie| self.plan.has(lie));
        let Some(lie) = lie else { return Ok(()) };
        // A member can always let go of what it gave itself: that is no lie.
        let lie = if liar == victim { Lie::Replay } else { lie };
        let scene = Scene { liar, victim, record };
        self.world.tell(liar, || format!("lies: {lie:?} {scene:?}"));
        self.world.lie(lie, &scene, &mut self.chance)
    }
}

/// STIX instants without a fraction.
fn whole_second(at: model::time::Timestamp) -> model::time::Timestamp {
    let micros = at.micros().saturating_sub(at.micros().rem_euclid(1_000_000));
    model::time::Timestamp::from_micros(micros).unwrap_or(at)
}

/// A consent for one record and one recipient.
#[must_use]
pub fn consent(originator: &AgencyId, recipient: &AgencyId, record: &RecordId) -> Consent {
    Consent {
        originator: originator.clone(),
        recipient: recipient.clone(),
        object: Some(record.clone()),
        purpose: None,
        from: None,
        until: None,
        agreement: None,
    }
}
