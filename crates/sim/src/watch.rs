//! Looks at every durable commit of every node: releases, entries, holdings (checkers 1, 2, 3, 7).

use crate::checkers::{Checker, Violation};
use crate::rows::{Logged, Queued, Rows};
use crate::truth::{Judgement, Truth};
use crypto::seal::RecipientSecret;
use model::custody::{Custody, Deletion, Source};
use model::decision::Outcome;
use model::entry::EntryKind;
use model::ids::{AgencyId, ArticleRef, Digest, RecordId};
use model::release::Terms;
use model::request::StandingOrder;
use model::time::Timestamp;
use policy::terms::NOTIFY_ORIGINATOR;
use protocol::Offered;
use std::collections::{BTreeMap, BTreeSet};
use store::{Batch, Snapshot};
use wire::envelope::MANIFEST_FIELD;

/// A release that the true rules granted.
#[derive(Debug, Clone)]
struct Grant {
    version: String,
    purpose: String,
    outcome: Outcome,
    basis: BTreeSet<ArticleRef>,
    caveats: BTreeSet<String>,
    retention_until: Option<Timestamp>,
    content: Option<Digest>,
}

type Path = (AgencyId, AgencyId, RecordId, AgencyId);
type Place<'a> = (&'a AgencyId, &'a dyn Snapshot, Timestamp);
type Named = (String, Option<AgencyId>, Option<String>);

/// A record as one node holds it, as far as law 8 looks.
#[derive(Debug, Clone)]
struct Bound {
    caveats: BTreeSet<String>,
    retention_until: Option<Timestamp>,
}

/// How a record went at its originator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// An officer took it back.
    Recalled,
    /// It was purged as a product of a recalled record.
    Purged,
}

/// What the watch counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Durable commits.
    pub commits: u64,
    /// Releases sealed.
    pub releases: u64,
    /// Of them, releases of records of another originator.
    pub onward: u64,
    /// Foreign holdings written.
    pub holdings: u64,
    /// Hits written.
    pub hits: u64,
    /// Releases their originators had to be told of.
    pub notices: u64,
    /// Messages given up.
    pub given_up: u64,
    /// Messages given up that went again or were offered anew.
    pub again: u64,
}

/// The omniscient observer of all disks.
#[derive(Default)]
pub struct Watch {
    /// What really was agreed.
    pub truth: Truth,
    /// Violations found and not yet taken.
    pub violations: Vec<Violation>,
    /// Counts.
    pub counted: Counted,
    sites: Vec<(AgencyId, Timestamp)>,
    secrets: BTreeMap<AgencyId, RecipientSecret>,
    grants: BTreeMap<Path, Vec<Grant>>,
    bound: BTreeMap<(usize, RecordId, AgencyId), Bound>,
    dispatched: BTreeSet<Digest>,
    arrived: BTreeSet<(AgencyId, String)>,
    recalled: BTreeMap<(RecordId, AgencyId), Gone>,
}

impl Watch {
    /// A node opens at this site; sites are numbered in the order they are named.
    pub fn site(&mut self, agency: &AgencyId, secret: RecipientSecret, now: Timestamp) {
        self.sites.push((agency.clone(), now));
        self.secrets.insert(agency.clone(), secret);
    }

    /// What the node at a site takes the present to be.
    pub fn present(&mut self, site: usize, now: Timestamp) {
        if let Some(slot) = self.sites.get_mut(site) {
            slot.1 = now;
        }
    }

    /// Records their originators took back, and how.
    #[must_use]
    pub fn recalled(&self) -> &BTreeMap<(RecordId, AgencyId), Gone> {
        &self.recalled
    }

    /// One durable commit, with the state before it.
    pub(crate) fn commit(&mut self, site: usize, before: &dyn Snapshot, batch: &Batch) {
        self.counted.commits = self.counted.commits.saturating_add(1);
        let Some((own, now)) = self.sites.get(site).cloned() else { return };
        let rows = Rows::of(batch);
        for text in &rows.unreadable {
            self.blame(Checker::OneEntryPerRelease, &own, format!("unreadable row: {text}"));
        }
        let mut due = BTreeSet::new();
        for shipment in &rows.shipments {
            self.sealed((&own, before, now), shipment, &rows.offers, &mut due);
        }
        self.told((&own, before), &rows, &due);
        self.fates((&own, before), &rows);
        self.entries(&own, &rows);
        self.arrivals(&own, &rows);
        for (custody, content) in &rows.holdings {
            self.held(site, &own, custody, content);
        }
        for (giver, terms) in &rows.hits {
            self.counted.hits = self.counted.hits.saturating_add(1);
            self.granted(&own, giver, terms, None);
        }
        for stone in rows.stones.iter().filter(|s| s.cause == Deletion::Recalled) {
            let place = (stone.id.clone(), stone.originator.clone());
            if stone.originator == own {
                let purged = rows.gone.contains(&place);
                self.recalled.insert(place, if purged { Gone::Purged } else { Gone::Recalled });
            }
        }
        for (id, by) in rows.gone {
            self.bound.remove(&(site, id, by));
        }
    }

    pub(crate) fn blame(&mut self, checker: Checker, agency: &AgencyId, text: String) {
        self.violations.push(Violation { checker, agency: agency.clone(), text });
    }

    /// Everything inside one seal, opened with the recipient's secret.
    fn sealed(
        &mut self,
        at: Place<'_>,
        shipment: &Queued,
        offers: &[(AgencyId, Offered)],
        due: &mut BTreeSet<Due>,
    ) {
        let recipient = &shipment.waiting.recipient;
        let opened = match self.secrets.get(recipient) {
            Some(secret) => shipment.opened(secret),
            None => Err(format!("nobody is called `{recipient}`")),
        };
        let items = match opened {
            Ok(items) => items,
            Err(text) => return self.blame(Checker::OnlyWhereAgreed, at.0, text),
        };
        for (terms, content) in items {
            let same = |(to, o): &&(AgencyId, Offered)| to == recipient && o.terms == terms;
            match offers.iter().find(same) {
                Some((_, offered)) => {
                    due.extend(self.released(at, recipient, offered, &content));
                }
                None => {
                    let text = format!("`{}` was sealed but not offered", terms.record);
                    self.blame(Checker::OneEntryPerRelease, at.0, text);
                }
            }
        }
    }

    fn released(
        &mut self,
        (own, before, now): Place<'_>,
        recipient: &AgencyId,
        offered: &Offered,
        content: &[u8],
    ) -> Option<Due> {
        self.counted.releases = self.counted.releases.saturating_add(1);
        let terms = &offered.terms;
        let order = StandingOrder {
            recipient: recipient.clone(),
            purpose: terms.purpose.clone(),
            grounds: offered.grounds.clone(),
        };
        let what = format!("`{}` to `{recipient}` for {}", terms.record, terms.purpose);
        let judged = match self.truth.judge((own, before), &terms.record, &order, now) {
            Ok(Some(judged)) => judged,
            Ok(None) => {
                let text = format!("{what} was released but not held");
                self.blame(Checker::OnlyWhereAgreed, own, text);
                return None;
            }
            Err(text) => {
                self.blame(Checker::OnlyWhereAgreed, own, format!("{what}: {text}"));
                return None;
            }
        };
        if judged.custody.originator != *own {
            self.counted.onward = self.counted.onward.saturating_add(1);
        }
        if !judged.consented {
            let text = format!("{what} went on without consent of `{}`", judged.custody.originator);
            self.blame(Checker::OnwardOnlyWithConsent, own, text);
            return None;
        }
        if let Some(wider) = wider(&judged, offered, content) {
            self.blame(Checker::OnlyWhereAgreed, own, format!("{what}: {wider}"));
            return None;
        }
        if let Some(looser) = looser(&judged.custody, terms).or_else(|| self.forgot(own, terms)) {
            self.blame(Checker::Law8, own, format!("{what}: {looser}"));
            return None;
        }
        let path = (own.clone(), recipient.clone(), terms.record.clone(), terms.originator.clone());
        self.grants.entry(path).or_default().push(Grant {
            version: terms.version.clone(),
            purpose: terms.purpose.clone(),
            outcome: terms.outcome,
            basis: terms.basis.clone(),
            caveats: terms.caveats.clone(),
            retention_until: terms.retention_until,
            content: (!content.is_empty()).then(|| crypto::hash::sha256(content)),
        });
        due(own, recipient, offered, &judged)
    }

    /// Whether a holder's copy binds less than it did when it was last written, in words.
    fn forgot(&self, own: &AgencyId, terms: &Terms) -> Option<String> {
        let site = self.sites.iter().position(|(agency, _)| agency == own)?;
        let place = (site, terms.record.clone(), terms.originator.clone());
        loosened(self.bound.get(&place)?, &terms.caveats, terms.retention_until)
    }

    /// One entry a release, one a shipment, in the same commit.
    fn entries(&mut self, own: &AgencyId, rows: &Rows) {
        let of = |kind: EntryKind| rows.logged.iter().filter(move |l| l.entry.kind == kind);
        let sealed = |l: &Logged, field: &str| l.sealed.get(field).cloned().unwrap_or_default();
        let logged: BTreeSet<Named> = of(EntryKind::Release)
            .map(|l| (sealed(l, "record"), l.entry.partner.clone(), l.entry.purpose.clone()))
            .collect();
        let named = |(to, o): &(AgencyId, Offered)| {
            (o.terms.record.to_string(), Some(to.clone()), Some(o.terms.purpose.clone()))
        };
        let offered: BTreeSet<Named> = rows.offers.iter().map(named).collect();
        let counted = rows.shipments.iter().fold(0_u64, |n, s| n.saturating_add(s.manifest.count));
        let entries = u64::try_from(of(EntryKind::Release).count()).unwrap_or(u64::MAX);
        if logged != offered || entries != counted {
            let text = format!("{counted} releases sealed, {entries} release entries");
            self.blame(Checker::OneEntryPerRelease, own, text);
        }
        let dispatches: BTreeSet<(String, u64)> =
            of(EntryKind::Dispatch).map(|l| (sealed(l, MANIFEST_FIELD), l.entry.count)).collect();
        let shipments: BTreeSet<(String, u64)> = rows
            .shipments
            .iter()
            .map(|s| (s.waiting.digest.to_string(), s.manifest.count))
            .collect();
        if dispatches != shipments || of(EntryKind::Dispatch).count() != rows.shipments.len() {
            let text = format!("{} shipments, other dispatch entries", shipments.len());
            self.blame(Checker::OneEntryPerRelease, own, text);
        }
        self.dispatched.extend(rows.shipments.iter().map(|s| s.waiting.digest));
    }

    /// One arrival entry a shipment, and none less for each receipt taken.
    fn arrivals(&mut self, own: &AgencyId, rows: &Rows) {
        for logged in rows.logged.iter().filter(|l| l.entry.kind == EntryKind::Arrival) {
            let manifest = logged.sealed.get("manifest").cloned().unwrap_or_default();
            if !self.arrived.insert((own.clone(), manifest.clone())) {
                let text = format!("shipment {manifest} arrived twice");
                self.blame(Checker::OneEntryPerRelease, own, text);
            }
        }
        for receipt in rows.receipts.iter().filter(|r| self.dispatched.contains(&r.manifest)) {
            let arrival = (receipt.recipient.clone(), receipt.manifest.to_string());
            if !self.arrived.contains(&arrival) {
                let text = format!("receipt without arrival entry: {}", receipt.manifest);
                let of = receipt.recipient.clone();
                self.violations.push(Violation {
                    checker: Checker::OneEntryPerRelease,
                    agency: of,
                    text,
                });
            }
        }
    }

    fn held(&mut self, site: usize, own: &AgencyId, custody: &Custody, content: &[u8]) {
        let id = &custody.id;
        let place = (site, id.clone(), custody.originator.clone());
        if let Some(before) = self.bound.get(&place).cloned()
            && let Some(looser) = loosened(&before, &custody.caveats, custody.retention_until)
        {
            self.blame(Checker::Law8, own, format!("`{id}` as held: {looser}"));
        }
        let bound =
            Bound { caveats: custody.caveats.clone(), retention_until: custody.retention_until };
        self.bound.insert(place, bound);
        if !self.truth.wrote(id, &custody.originator, &custody.version) {
            let text = format!("`{}` never wrote `{id}` in this version", custody.originator);
            self.blame(Checker::Law8, own, text);
        }
        match &custody.source {
            Source::Import { .. } if custody.originator == *own => {}
            // WHY: no client posts in a life yet, so a posted record is one nobody sent.
            Source::Import { .. } | Source::Post { .. } | Source::Feed { .. } => {
                let text = format!("`{id}` of `{}` was never released here", custody.originator);
                self.blame(Checker::OnlyWhereAgreed, own, text);
            }
            Source::Release { giver, purpose, basis, outcome, obligations, .. } => {
                self.counted.holdings = self.counted.holdings.saturating_add(1);
                let terms = Terms {
                    record: id.clone(),
                    kind: custody.kind.clone(),
                    version: custody.version.clone(),
                    originator: custody.originator.clone(),
                    outcome: *outcome,
                    purpose: purpose.clone(),
                    basis: basis.clone(),
                    caveats: custody.caveats.clone(),
                    obligations: obligations.clone(),
                    retention_until: custody.retention_until,
                    deadline: None,
                };
                self.granted(own, giver, &terms, Some(crypto::hash::sha256(content)));
            }
        }
    }

    /// A foreign record or hit names a grant of the true rules, and keeps to it.
    fn granted(
        &mut self,
        own: &AgencyId,
        giver: &AgencyId,
        terms: &Terms,
        content: Option<Digest>,
    ) {
        let path = (giver.clone(), own.clone(), terms.record.clone(), terms.originator.clone());
        let all = self.grants.get(&path).map_or(&[][..], Vec::as_slice);
        let same = |g: &&Grant| {
            g.version == terms.version
                && g.purpose == terms.purpose
                && g.outcome == terms.outcome
                && g.basis == terms.basis
                && g.content == content
        };
        let fits: Vec<&Grant> = all.iter().filter(same).collect();
        if fits.is_empty() {
            let text = format!("`{}` from `{giver}` rests on no agreement", terms.record);
            return self.blame(Checker::OnlyWhereAgreed, own, text);
        }
        let kept = |g: &&Grant| {
            let bound = Bound { caveats: g.caveats.clone(), retention_until: g.retention_until };
            loosened(&bound, &terms.caveats, terms.retention_until).is_none()
        };
        if !fits.iter().any(kept) {
            let text = format!("`{}` is held on looser terms than `{giver}` gave", terms.record);
            self.blame(Checker::Law8, own, text);
        }
    }
}

/// A release its originator must be told of: originator, recipient, purpose, record.
pub(crate) type Due = (AgencyId, AgencyId, String, RecordId);

/// What its originator must be told of a release, by the true rules.
fn due(own: &AgencyId, recipient: &AgencyId, offered: &Offered, judged: &Judgement) -> Option<Due> {
    let terms = &offered.terms;
    let obliges = judged.decision.obligations.contains(NOTIFY_ORIGINATOR);
    (obliges && terms.originator != *own).then(|| {
        let names = (terms.originator.clone(), recipient.clone());
        (names.0, names.1, terms.purpose.clone(), terms.record.clone())
    })
}

/// Whether what goes is more than the true rules grant, in words.
fn wider(judged: &Judgement, offered: &Offered, content: &[u8]) -> Option<String> {
    let (decision, terms) = (&judged.decision, &offered.terms);
    let say = |text: &str| Some(text.to_owned());
    if decision.outcome == Outcome::Refuse {
        return Some(format!("the agreements refuse it ({:?})", decision.reason));
    }
    if terms.outcome > decision.outcome {
        return Some(format!("{:?} instead of {:?}", terms.outcome, decision.outcome));
    }
    if terms.basis != decision.basis {
        return say("it names other articles than those that grant");
    }
    if !decision.redacted_fields.is_subset(&offered.withheld) {
        return say("a field that is withheld went along");
    }
    if !decision.caveats.is_subset(&terms.caveats) {
        return say("a caveat was lost");
    }
    let limit = Bound { caveats: BTreeSet::new(), retention_until: decision.retention_until };
    if let Some(looser) = loosened(&limit, &terms.caveats, terms.retention_until) {
        return Some(looser);
    }
    if content.is_empty() != (terms.outcome == Outcome::HitOnly) {
        return say("content goes with a hit, or none with a release");
    }
    let text = String::from_utf8_lossy(content);
    let betrayed = judged.forbidden.iter().find(|value| text.contains(value.as_str()));
    betrayed.map(|value| format!("the content betrays `{value}`"))
}

/// Whether a hop loosens what binds the giver's own copy, in words.
fn looser(custody: &Custody, terms: &Terms) -> Option<String> {
    if custody.originator != terms.originator {
        return Some(format!("the originator became `{}`", terms.originator));
    }
    if custody.version != terms.version {
        return Some("another version was named".to_owned());
    }
    let bound =
        Bound { caveats: custody.caveats.clone(), retention_until: custody.retention_until };
    loosened(&bound, &terms.caveats, terms.retention_until)
}

fn loosened(
    before: &Bound,
    caveats: &BTreeSet<String>,
    retention_until: Option<Timestamp>,
) -> Option<String> {
    if !before.caveats.is_subset(caveats) {
        return Some("a caveat was dropped".to_owned());
    }
    match (before.retention_until, retention_until) {
        (Some(limit), Some(until)) if until > limit => Some("retention grew".to_owned()),
        (Some(_), None) => Some("retention was dropped".to_owned()),
        (Some(_) | None, Some(_)) | (None, None) => None,
    }
}
