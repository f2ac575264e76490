//! A partner's client posts: each object is judged alone, what is taken is the poster's own word.
//!
//! Pure. One posting is one commit: records, their places in the collection, the status resource
//! and one log entry. INVARIANT: originator and giver are the partner that was admitted, whatever
//! an object says of its author; another originator's assertion of the same id is never touched.
//! SOURCE: OASIS TAXII 2.1 section 5.5; docs/decisions/0005-posting-without-a-signature.md.

use crate::change::{PostingChange, RecordChange};
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use crate::ingest::{stem, variant};
use crate::receive::merged;
use crate::{share, shelf};
use model::agreement::{Agreement, Onward};
use model::custody::{Custody, Deletion, Holding, Source, version_order};
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::{AgencyId, Digest, RecordId};
use model::posting::{Appraisal, Collection, Placed, PostStatus, Posted, Posting, StatusItem};
use model::request::StandingOrder;
use model::time::{Period, Timestamp};
use model::verified::Voucher;
use policy::terms::{CAVEAT_NO_ONWARD, CAVEAT_ONWARD_CONSENT};
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: objects of one posting, which is one commit.
pub const POSTED_MAX: usize = 10_000;
/// How long a status resource is kept: TAXII asks for 24 hours at least.
const STATUS_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Takes what may be taken; the rest fails one by one, with the reason.
pub(crate) fn post<F: Facts>(
    facts: &F,
    posting: Posting<F::Body>,
    voucher: &Voucher,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    writable(facts, &posting.partner, &posting.collection, now)?;
    let count = posting.objects.len().saturating_add(posting.unfit.len());
    if count > POSTED_MAX {
        return Err(Denial::partner(
            "posting_too_large",
            format!("{count} objects in one posting, the limit is {POSTED_MAX}"),
            "post the objects in smaller envelopes",
        ));
    }
    let mut desk = Desk::new(facts, &posting, voucher, now)?;
    desk.failures = posting.unfit;
    for posted in posting.objects {
        desk.one(facts, posted)?;
    }
    desk.finish(facts, posting.status)
}

/// Refuses who may not write; a collection it may not know of is one that does not exist.
pub(crate) fn writable<F: Facts>(
    facts: &F,
    partner: &AgencyId,
    collection: &Collection,
    now: Timestamp,
) -> Result<(), Denial> {
    let rights = shelf::rights(facts, partner, collection, now);
    match (rights.read, rights.write) {
        (_, true) => Ok(()),
        (true, false) => Err(Denial::partner(
            "not_writable",
            "the collection is read only".to_owned(),
            "post to the inbox, or to the collection of an agreement that binds you",
        )),
        (false, false) => Err(unknown_collection()),
    }
}

pub(crate) fn unknown_collection() -> Denial {
    Denial::partner(
        "collection_unknown",
        "there is no such collection".to_owned(),
        "list the collections; they follow from the agreements in force between us",
    )
}

/// An officer says how a partner's postings are regarded from now on.
pub(crate) fn appraise<F: Facts>(
    facts: &F,
    partner: AgencyId,
    appraisal: Appraisal,
) -> Result<Effects<F::Body>, Denial> {
    if partner == *facts.own_agency() || facts.member(&partner)?.is_none() {
        return Err(Denial::officer(
            "member_unknown",
            format!("no member document of a partner `{partner}` is pinned here"),
            "exchange member documents first: entente member add FILE --fingerprint DIGEST",
        ));
    }
    if facts.appraisal(&partner)? == Some(appraisal) {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let entry = Draft::new(EntryKind::Appraisal, 1)
        .with(&partner)
        .seal("floor", appraisal.floor)
        .seal("grade", appraisal.grade.map_or_else(|| "none".to_owned(), |g| g.to_string()));
    Ok(Effects::one(PostingChange::Appraise { partner, appraisal }, entry))
}

/// What of one object is held, in the store and from earlier in this posting.
#[derive(Default)]
struct Staged {
    newest: Option<(String, Digest)>,
    versions: BTreeMap<String, Digest>,
    placed: BTreeSet<String>,
}

enum Verdict {
    /// Not held: as the newest version, or beside it.
    Take(Box<Custody>, Rank),
    /// Held in this version with this content.
    Held(String),
    Fail(String),
}

enum Rank {
    Newest,
    Earlier,
}

/// One posting at work.
struct Desk<B> {
    collection: Collection,
    partner: AgencyId,
    source: Source,
    appraisal: Appraisal,
    caveats: BTreeSet<String>,
    retention_until: Option<Timestamp>,
    now: Timestamp,
    staged: BTreeMap<RecordId, Staged>,
    taken: BTreeSet<RecordId>,
    effects: Effects<B>,
    successes: Vec<StatusItem>,
    failures: Vec<StatusItem>,
    placed: u64,
}

impl<B: Clone> Desk<B> {
    fn new<F: Facts<Body = B>>(
        facts: &F,
        posting: &Posting<B>,
        voucher: &Voucher,
        now: Timestamp,
    ) -> Result<Self, Denial> {
        let Voucher::Client { credential, .. } = voucher else {
            return Err(unknown_collection());
        };
        let (collection, partner) = (posting.collection.clone(), posting.partner.clone());
        let appraisal = facts.appraisal(&partner)?.unwrap_or(Appraisal::NONE_GIVEN);
        let source = Source::Post {
            collection: collection.clone(),
            credential: *credential,
            grade: appraisal.grade,
        };
        let rests_on: Vec<&Agreement> = match &collection {
            Collection::Community(id) => {
                shelf::community(facts, &partner, id, now).into_iter().collect()
            }
            Collection::Inbox(_) | Collection::Outbox(_) => {
                shelf::between(facts, &partner, now).collect()
            }
        };
        Ok(Self {
            caveats: caveats(&collection, &rests_on),
            retention_until: retention(&rests_on, now)?,
            collection,
            partner,
            source,
            appraisal,
            now,
            staged: BTreeMap::new(),
            taken: BTreeSet::new(),
            effects: Effects::default(),
            successes: Vec::new(),
            failures: Vec::new(),
            placed: 0,
        })
    }

    fn one<F: Facts<Body = B>>(&mut self, facts: &F, posted: Posted<B>) -> Result<(), Denial> {
        let id = posted.record.id.clone();
        let item = StatusItem {
            id: id.to_string(),
            version: posted.stated.clone().unwrap_or_else(|| self.now.to_string()),
            message: None,
        };
        let verdict = match unknown_marking(facts, &posted)? {
            Some(reason) => Verdict::Fail(reason),
            None => self.judge(facts, &posted)?,
        };
        match verdict {
            Verdict::Fail(reason) => {
                self.failures.push(StatusItem { message: Some(reason), ..item });
            }
            Verdict::Held(version) => {
                self.again(facts, &posted, version)?;
                self.successes.push(item);
            }
            Verdict::Take(custody, rank) => {
                self.take(posted, *custody, &rank);
                self.successes.push(item);
            }
        }
        Ok(())
    }

    fn judge<F: Facts<Body = B>>(
        &mut self,
        facts: &F,
        posted: &Posted<B>,
    ) -> Result<Verdict, Denial> {
        let id = &posted.record.id;
        if let Some(stone) = facts.tombstone(id, &self.partner)?
            && stone.cause == Deletion::Recalled
        {
            let why = format!("you recalled it at {}; it does not come back", stone.at);
            return Ok(Verdict::Fail(format!("{why}; help: post it under a new identifier")));
        }
        let fresh = self.custody(posted);
        let staged = self.staged.get(id);
        let stored = facts.custody(id, &self.partner)?;
        let newest = staged
            .and_then(|s| s.newest.clone())
            .or_else(|| stored.as_ref().map(|c| (c.version.clone(), c.content)));
        let Some((version, content)) = newest else {
            return Ok(Verdict::Take(Box::new(fresh), Rank::Newest));
        };
        if content == fresh.content {
            return Ok(Verdict::Held(version));
        }
        let fresh = match stored {
            Some(stored) => merged(stored, fresh),
            None => fresh,
        };
        let other = variant(&fresh);
        for version in [&fresh.version, &other] {
            if self.digest(facts, id, version)? == Some(fresh.content) {
                return Ok(Verdict::Held(version.clone()));
            }
        }
        if self.digest(facts, id, &fresh.version)?.is_some() {
            return self.differs(facts, id, fresh);
        }
        let earlier =
            posted.stated.is_some() && version_order(&fresh.version, stem(&version)).is_lt();
        Ok(Verdict::Take(Box::new(fresh), if earlier { Rank::Earlier } else { Rank::Newest }))
    }

    /// Another content of a version that is held: the poster's own mistake, unless the copy held
    /// came from its node, which may have withheld parts.
    fn differs<F: Facts<Body = B>>(
        &self,
        facts: &F,
        id: &RecordId,
        mut fresh: Custody,
    ) -> Result<Verdict, Denial> {
        let held = facts.assertion(id, &self.partner, &fresh.version)?;
        let released = held.is_some_and(|h| matches!(h.custody.source, Source::Release { .. }));
        if released {
            fresh.version = variant(&fresh);
            return Ok(Verdict::Take(Box::new(fresh), Rank::Newest));
        }
        Ok(Verdict::Fail(format!(
            "another content of version `{}` was posted before; help: raise `modified` with every \
             change",
            fresh.version
        )))
    }

    fn digest<F: Facts<Body = B>>(
        &self,
        facts: &F,
        id: &RecordId,
        version: &str,
    ) -> Result<Option<Digest>, Denial> {
        let staged = self.staged.get(id).and_then(|s| s.versions.get(version));
        match staged {
            Some(digest) => Ok(Some(*digest)),
            None => Ok(facts.version(id, &self.partner, version)?),
        }
    }

    fn custody(&self, posted: &Posted<B>) -> Custody {
        Custody {
            id: posted.record.id.clone(),
            kind: posted.record.kind.clone(),
            version: posted.stated.clone().unwrap_or_else(|| posted.content.to_string()),
            originator: self.partner.clone(),
            source: self.source.clone(),
            stored_at: self.now,
            content: posted.content,
            caveats: self.caveats.clone(),
            retention_until: self.retention_until,
            floor: Some(self.appraisal.floor),
            flagged: false,
        }
    }

    fn take(&mut self, posted: Posted<B>, custody: Custody, rank: &Rank) {
        self.place(&posted, &custody.version);
        let staged = self.staged.entry(custody.id.clone()).or_default();
        staged.versions.insert(custody.version.clone(), custody.content);
        self.taken.insert(custody.id.clone());
        let newest = (custody.version.clone(), custody.content);
        let holding = Box::new(Holding { custody, body: posted.body });
        self.effects.change(match rank {
            Rank::Newest => {
                staged.newest = Some(newest);
                RecordChange::Hold(holding)
            }
            Rank::Earlier => RecordChange::HoldEarlier(holding),
        });
    }

    /// It is held already: it may still be new to this collection, which may bind it further.
    fn again<F: Facts<Body = B>>(
        &mut self,
        facts: &F,
        posted: &Posted<B>,
        version: String,
    ) -> Result<(), Denial> {
        let id = &posted.record.id;
        if self.staged.get(id).is_some_and(|s| s.placed.contains(&version)) {
            return Ok(());
        }
        let placements = facts.placements(id, &self.partner)?;
        if placements.iter().any(|(at, p)| *at == self.collection && p.version == version) {
            return Ok(());
        }
        if let Some(held) = facts.assertion(id, &self.partner, &version)? {
            let before = held.custody;
            let together = merged(before.clone(), self.custody(posted));
            let custody = Custody {
                caveats: together.caveats,
                retention_until: together.retention_until,
                ..before.clone()
            };
            if custody != before {
                let newest =
                    facts.custody(id, &self.partner)?.is_some_and(|c| c.version == version);
                let holding = Box::new(Holding { custody, body: held.body });
                self.effects.change(if newest {
                    RecordChange::Hold(holding)
                } else {
                    RecordChange::HoldEarlier(holding)
                });
            }
        }
        self.place(posted, &version);
        self.taken.insert(id.clone());
        Ok(())
    }

    fn place(&mut self, posted: &Posted<B>, version: &str) {
        let id = posted.record.id.clone();
        self.staged.entry(id.clone()).or_default().placed.insert(version.to_owned());
        self.placed = self.placed.saturating_add(1);
        let kind = id.as_str().split_once("--").map_or(id.as_str(), |(kind, _)| kind).to_owned();
        let placed = Placed {
            record: id,
            partner: self.partner.clone(),
            version: version.to_owned(),
            stated: posted.stated.clone(),
            spec: posted.spec.clone(),
            kind,
            added_at: self.now,
        };
        self.effects.change(PostingChange::Place(self.collection.clone(), placed));
    }

    fn finish<F: Facts<Body = B>>(
        mut self,
        facts: &F,
        id: model::ids::StatusId,
    ) -> Result<Effects<B>, Denial> {
        self.entry();
        self.effects.then = self.follow_ups(facts)?;
        let until = self.now.micros().saturating_add(STATUS_MICROS);
        let until = Timestamp::from_micros(until).unwrap_or(self.now);
        let (successes, failures) = (self.successes, self.failures);
        let pendings = Vec::new();
        let status = PostStatus { id, at: self.now, until, successes, failures, pendings };
        let partner = self.partner;
        self.effects.change(PostingChange::Status { partner, status: status.clone() });
        self.effects.reply = Reply::Posted(Box::new(status));
        Ok(self.effects)
    }

    /// One entry for the posting; a repetition that changes nothing has none.
    fn entry(&mut self) {
        if self.placed == 0 && self.failures.is_empty() {
            return;
        }
        let ids: Vec<&str> = self.taken.iter().map(RecordId::as_str).collect();
        let mut entry = Draft::new(EntryKind::Post, self.placed)
            .with(&self.partner)
            .seal("collection", &self.collection)
            .seal("records", ids.join(" "))
            .seal("failed", self.failures.len());
        if let Source::Post { credential, .. } = &self.source {
            entry = entry.seal("credential", credential);
        }
        if let Collection::Community(id) = &self.collection {
            entry = entry.under([id]).seal("consent", "to its parties under its articles");
        }
        self.effects.entries.push(entry);
    }

    /// Standing orders reach a foreign record only where its originator consented.
    fn follow_ups<F: Facts<Body = B>>(&self, facts: &F) -> Result<Vec<Event<B>>, Denial> {
        let mut out = Vec::new();
        if self.taken.is_empty() {
            return Ok(out);
        }
        for order in facts.orders()? {
            let ids = self.consented(facts, &order)?;
            out.extend(share::in_portions(&ids, &order));
        }
        Ok(out)
    }

    fn consented<F: Facts<Body = B>>(
        &self,
        facts: &F,
        order: &StandingOrder,
    ) -> Result<Vec<RecordId>, Denial> {
        if order.recipient == self.partner {
            return Ok(Vec::new());
        }
        let community = match &self.collection {
            Collection::Community(id) => {
                shelf::community(facts, &order.recipient, id, self.now).is_some()
            }
            Collection::Inbox(_) | Collection::Outbox(_) => false,
        };
        let given = facts.consents(&self.partner, &order.recipient)?;
        let covers = |id: &RecordId| {
            community || given.iter().any(|c| c.object.as_ref().is_none_or(|object| object == id))
        };
        Ok(self.taken.iter().filter(|id| covers(id)).cloned().collect())
    }
}

/// Why the markings of an object cannot be kept: nobody here knows what one of them means.
fn unknown_marking<F: Facts>(
    facts: &F,
    posted: &Posted<F::Body>,
) -> Result<Option<String>, Denial> {
    let record = &posted.record;
    let rules = facts.rules()?;
    let every = std::iter::once(&record.marks).chain(record.field_marks.values());
    for marks in every {
        if let Some(what) = marks.unresolved.first() {
            return Ok(Some(format!(
                "the marking {what} is not known here; help: post its definition with it, or use \
                 TLP 2.0"
            )));
        }
        if let (None, Some(class)) = (rules.level(marks), &marks.class) {
            return Ok(Some(format!(
                "the label `{}` of scheme `{}` has no level here; help: use a scheme of the \
                 vocabulary",
                class.label, class.scheme
            )));
        }
    }
    Ok(None)
}

/// What a posting carries from the start: in an inbox the originator's control, in a community
/// what its agreement puts on everything.
fn caveats(collection: &Collection, rests_on: &[&Agreement]) -> BTreeSet<String> {
    let Collection::Community(_) = collection else {
        return BTreeSet::from([CAVEAT_ONWARD_CONSENT.to_owned()]);
    };
    let mut out = BTreeSet::new();
    for agreement in rests_on {
        out.extend(agreement.defaults.caveats.iter().cloned());
        match agreement.defaults.onward {
            Onward::Forbidden => out.insert(CAVEAT_NO_ONWARD.to_owned()),
            Onward::OriginatorConsent => out.insert(CAVEAT_ONWARD_CONSENT.to_owned()),
            Onward::WithinAgreement => false,
        };
    }
    out
}

/// The shortest period of the agreements it rests on: the poster named none, so the strictest.
fn retention(rests_on: &[&Agreement], now: Timestamp) -> Result<Option<Timestamp>, Denial> {
    let periods = rests_on.iter().filter_map(|a| a.defaults.retention.as_ref());
    let end = |period: &Period| {
        now.plus(period).map_err(|error| {
            Denial::officer("calendar", error.to_string(), "correct the agreement's retention")
        })
    };
    let ends: Result<Vec<Timestamp>, Denial> = periods.map(end).collect();
    Ok(ends?.into_iter().min())
}
