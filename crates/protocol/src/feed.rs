//! Feeds: an officer sets them up, each page is one commit with where the reading stands then.
//!
//! Pure. INVARIANT: objects and cursor are one commit, and a step that does not follow on from the
//! stored cursor is refused: nothing is lost and nothing is read past, whoever dies in between.
//! INVARIANT: the originator of what a feed brings is its outside source, which can never be
//! pinned as a member, sign or consent: so nothing of it is passed on. SOURCE: laws 3, 6 and 8.

pub mod walk;

use crate::change::FeedChange;
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use crate::ingest::sift;
use model::custody::{Custody, Holding, Source};
use model::entry::{Draft, EntryKind};
use model::feed::{Came, Feed, FeedName, Fetched, Progress, Pulled, Running, is_outside};
use model::ids::{AgencyId, RecordId};
use model::posting::StatusItem;
use model::time::Timestamp;
use model::verified::Voucher;
use policy::terms::CAVEAT_ONWARD_CONSENT;
use std::collections::BTreeSet;

/// LIMIT: objects of one page, which is one commit, those made of STIX 2.0 included.
pub const PAGE_OBJECTS_MAX: usize = 20_000;
/// LIMIT: feeds of a node.
pub const FEEDS_MAX: usize = 1_000;
/// LIMIT: the shortest and longest pause between two polls, in seconds.
pub const INTERVAL_SECONDS: std::ops::RangeInclusive<u32> = 10..=31 * 24 * 60 * 60;
/// LIMIT: objects asked for at once.
pub const ASK_OBJECTS: std::ops::RangeInclusive<u32> = 1..=10_000;
/// LIMIT: objects that could not be taken that are kept by name.
const UNFIT_NAMED_MAX: usize = 20;

/// An officer sets up a feed or changes how it is regarded and read.
pub(crate) fn set<F: Facts>(
    facts: &F,
    mut feed: Feed,
    voucher: &Voucher,
) -> Result<Effects<F::Body>, Denial> {
    fits(&feed)?;
    match facts.feed(&feed.name)? {
        Some(known) => {
            if (&known.originator, &known.collection) != (&feed.originator, &feed.collection) {
                return Err(Denial::officer(
                    "feed_exists",
                    format!(
                        "the feed `{}` reads {} for `{}` already; its source never changes",
                        feed.name, known.collection, known.originator
                    ),
                    "choose another name, or remove the feed first: entente feed remove NAME",
                ));
            }
            feed.progress = Progress { due_at: feed.progress.due_at, ..known.progress.clone() };
            if known == feed {
                return Ok(Effects::reply(Reply::Unchanged));
            }
        }
        None if facts.feeds_count()? >= FEEDS_MAX => {
            return Err(Denial::officer(
                "too_many_feeds",
                format!("there are {FEEDS_MAX} feeds, the most a node reads"),
                "remove one: entente feed remove NAME",
            ));
        }
        None => feed.progress = Progress::default(),
    }
    let grade = feed.appraisal.grade.map_or_else(|| "none".to_owned(), |grade| grade.to_string());
    let entry = drafted(&feed, "set", voucher)
        .seal("collection", &feed.collection)
        .seal("floor", feed.appraisal.floor)
        .seal("grade", grade)
        .seal("running", if feed.running == Running::On { "on" } else { "paused" });
    Ok(Effects::one(FeedChange::Set(Box::new(feed)), entry))
}

fn fits(feed: &Feed) -> Result<(), Denial> {
    if !is_outside(&feed.originator) {
        return Err(Denial::officer(
            "feed_source",
            format!("`{}` is not the identifier of an outside source", feed.originator),
            "name the source as outside.NAME; what a member releases comes by its node, or its \
             client posts it",
        ));
    }
    if !INTERVAL_SECONDS.contains(&feed.interval_seconds) {
        return Err(Denial::officer(
            "feed_interval",
            format!("a poll every {} seconds is not possible", feed.interval_seconds),
            "choose between 10 seconds and 31 days",
        ));
    }
    if !ASK_OBJECTS.contains(&feed.page_objects) {
        return Err(Denial::officer(
            "feed_page",
            format!("pages of {} objects are not possible", feed.page_objects),
            "choose between 1 and 10000",
        ));
    }
    Ok(())
}

fn drafted(feed: &Feed, what: &str, voucher: &Voucher) -> Draft {
    let officer = match voucher {
        Voucher::Officer { name } => name.as_str(),
        Voucher::Signature { .. } | Voucher::Client { .. } | Voucher::Own => "the node",
    };
    Draft::new(EntryKind::Feed, 1)
        .seal("feed", &feed.name)
        .seal("originator", &feed.originator)
        .seal("done", what)
        .seal("officer", officer)
}

fn unknown(name: &FeedName) -> Denial {
    Denial::officer(
        "feed_unknown",
        format!("there is no feed `{name}`"),
        "list the feeds: entente feed list",
    )
}

/// An officer removes a feed; what it brought stays.
pub(crate) fn remove<F: Facts>(
    facts: &F,
    name: FeedName,
    voucher: &Voucher,
) -> Result<Effects<F::Body>, Denial> {
    let feed = facts.feed(&name)?.ok_or_else(|| unknown(&name))?;
    Ok(Effects::one(FeedChange::Drop(name), drafted(&feed, "removed", voucher)))
}

/// Takes in what came of one question to a server.
pub(crate) fn pull<F: Facts>(
    facts: &F,
    pulled: Pulled<F::Body>,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let mut feed = facts.feed(&pulled.feed)?.ok_or_else(|| unknown(&pulled.feed))?;
    if feed.running == Running::Paused || feed.progress.cursor != pulled.from {
        return Err(Denial::officer(
            "feed_moved",
            format!("the feed `{}` was paused, or read by somebody else meanwhile", feed.name),
            "nothing is lost; look at it: entente feed show NAME",
        ));
    }
    for tolerance in pulled.tolerated {
        let times = feed.progress.tolerated.entry(tolerance).or_default();
        *times = times.saturating_add(1);
    }
    feed.progress.due_at = pulled.due_at;
    let (objects, unfit) = match pulled.came {
        Came::Trouble(text) => {
            feed.progress.failures = feed.progress.failures.saturating_add(1);
            feed.progress.trouble = Some(text);
            feed.progress.cursor = pulled.to;
            let mut effects = Effects::reply(Reply::Done);
            effects.change(FeedChange::Set(Box::new(feed)));
            return Ok(effects);
        }
        Came::Page { objects, unfit } => (objects, unfit),
    };
    if objects.len() > PAGE_OBJECTS_MAX {
        return Err(Denial::partner(
            "page_too_large",
            format!("{} objects on one page, the limit is {PAGE_OBJECTS_MAX}", objects.len()),
            "ask for smaller pages: entente feed add … --page-objects N",
        ));
    }
    feed.progress.cursor = pulled.to;
    taken(facts, feed, (objects, unfit), now)
}

fn taken<F: Facts>(
    facts: &F,
    mut feed: Feed,
    (objects, mut unfit): (Vec<Fetched<F::Body>>, Vec<StatusItem>),
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let holdings = objects.into_iter().map(|object| held(&feed, object, now)).collect();
    let sifted = sift(facts, holdings)?;
    unfit.extend(sifted.refused.iter().map(|(id, reason)| StatusItem {
        id: id.to_string(),
        version: now.to_string(),
        message: Some(reason.clone()),
    }));
    let progress = &mut feed.progress;
    let failed = u64::try_from(unfit.len()).unwrap_or(u64::MAX);
    progress.page_at = Some(now);
    if progress.cursor.phase == model::feed::Phase::Rest {
        progress.ended_at = Some(now);
    }
    progress.pages = progress.pages.saturating_add(1);
    progress.stored = progress.stored.saturating_add(sifted.count);
    progress.unchanged = progress.unchanged.saturating_add(sifted.unchanged);
    progress.unfit = progress.unfit.saturating_add(failed);
    progress.failures = 0;
    progress.trouble = None;
    progress.last_unfit.extend(unfit);
    let surplus = progress.last_unfit.len().saturating_sub(UNFIT_NAMED_MAX);
    progress.last_unfit.drain(..surplus);
    let mut effects = sifted.effects;
    if sifted.count > 0 || failed > 0 {
        effects.entries.push(drawn(&feed, (sifted.count, failed), &sifted.stored));
    }
    effects.change(FeedChange::Set(Box::new(feed)));
    effects.reply = Reply::Ingested {
        stored: sifted.count,
        unchanged: sifted.unchanged,
        refused: sifted.refused,
    };
    Ok(effects)
}

fn drawn(feed: &Feed, (count, failed): (u64, u64), stored: &[RecordId]) -> Draft {
    let ids: Vec<&str> = stored.iter().map(RecordId::as_str).collect();
    Draft::new(EntryKind::Pull, count)
        .seal("feed", &feed.name)
        .seal("originator", &feed.originator)
        .seal("records", ids.join(" "))
        .seal("failed", failed)
}

fn held<B>(feed: &Feed, object: Fetched<B>, now: Timestamp) -> Holding<B> {
    let source = Source::Feed {
        feed: feed.name.clone(),
        grade: feed.appraisal.grade,
        upgraded: object.upgraded,
    };
    let custody = Custody {
        id: object.record,
        kind: object.kind,
        version: object.version,
        originator: feed.originator.clone(),
        source,
        stored_at: now,
        content: object.content,
        caveats: BTreeSet::from([CAVEAT_ONWARD_CONSENT.to_owned()]),
        retention_until: None,
        floor: Some(feed.appraisal.floor),
        flagged: false,
    };
    Holding { custody, body: object.body }
}

/// Refuses to pin what would look like an outside source.
pub(crate) fn no_outsider(agency: &AgencyId) -> Result<(), Denial> {
    if !is_outside(agency) {
        return Ok(());
    }
    Err(Denial::officer(
        "member_outside",
        format!("`{agency}` is an identifier of outside sources, which no member may bear"),
        "ask the partner to begin its node under another identifier",
    ))
}
