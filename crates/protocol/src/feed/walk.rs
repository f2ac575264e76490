//! How a collection is read: what to ask next after each answer, whatever the server gets wrong.
//!
//! Pure. A poll walks the pages by `added_after` and `next`, makes sure of the end with one more
//! question, and rests; the next poll begins a microsecond before the last date seen, so that what
//! was added at that very instant meanwhile is not missed. Nothing is ever skipped: where a server
//! gives no way on, that is trouble to report. SOURCE: OASIS TAXII 2.1 section 3.4 (pagination).

use model::feed::{Cursor, Phase, Tolerance};
use model::ids::Digest;
use model::time::Timestamp;
use std::collections::BTreeSet;

/// LIMIT: objects asked for at once when many share one date.
const LIMIT_MAX: u32 = 10_000;
/// The first pause after a failure.
const PAUSE_SECONDS_FIRST: u64 = 5;
/// LIMIT: the longest pause after failures, in seconds.
const PAUSE_SECONDS_MAX: u64 = 3_600;
/// LIMIT: the longest pause a server may ask for, in seconds.
const ASKED_PAUSE_SECONDS_MAX: u64 = 86_400;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Only objects added after this.
    pub added_after: Option<Timestamp>,
    /// The server's mark of the page.
    pub next: Option<String>,
    /// How many.
    pub limit: u32,
}

/// What a page says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// There is more.
    pub more: bool,
    /// The mark of the next page.
    pub next: Option<String>,
    /// When its last object was added.
    pub last: Option<Timestamp>,
    /// How many objects it has, fit or not.
    pub objects: usize,
    /// Digest of the page.
    pub page: Digest,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the reading stands.
    pub to: Cursor,
    /// What was worked around.
    pub tolerated: BTreeSet<Tolerance>,
    /// Why it cannot go on: the page is good, what is behind it cannot be reached.
    pub stuck: Option<&'static str>,
}

/// A poll begins; one that was broken off goes on where it was.
#[must_use]
pub fn begin(at: &Cursor) -> Cursor {
    if at.phase != Phase::Rest {
        return at.clone();
    }
    Cursor { phase: Phase::Walk, after: at.high.map(before), high: at.high, ..Cursor::default() }
}

/// What to ask at this place, of pages of `usual` objects.
#[must_use]
pub fn ask(at: &Cursor, usual: u32) -> Ask {
    let limit = at.limit.unwrap_or(usual);
    Ask { added_after: at.after, next: at.next.clone(), limit }
}

/// The server refused the mark it gave: on from the last date, where there is a mark to drop; with
/// larger pages where that date brings it no further.
#[must_use]
pub fn without_next(at: &Cursor, usual: u32) -> Option<Cursor> {
    at.next.as_ref()?;
    let after = at.after.max(at.high.map(before));
    let limit = if after == at.after && after.is_some() {
        Some(at.limit.unwrap_or(usual).saturating_mul(2).min(LIMIT_MAX))
    } else {
        at.limit
    };
    Some(Cursor { after, limit, next: None, page: None, ..at.clone() })
}

/// Where the reading stands after a page.
#[must_use]
pub fn step(at: &Cursor, seen: &Seen, usual: u32) -> Step {
    let mut out = Step { to: at.clone(), tolerated: BTreeSet::new(), stuck: None };
    if seen.objects == 0 {
        empty(at, seen, &mut out);
        return out;
    }
    let repeated = at.page == Some(seen.page);
    out.to.high = at.high.max(seen.last);
    out.to.page = Some(seen.page);
    if seen.last.is_none() {
        out.tolerated.insert(Tolerance::DatesMissing);
    }
    if u32::try_from(seen.objects).is_ok_and(|objects| objects > at.limit.unwrap_or(usual)) {
        out.tolerated.insert(Tolerance::LimitIgnored);
    }
    if at.phase == Phase::Verify {
        if out.to.high == at.high {
            out.tolerated.insert(Tolerance::AddedAfterIgnored);
            rest(&mut out.to);
            return out;
        }
        out.tolerated.insert(Tolerance::EndedEarly);
    }
    match (&seen.next, seen.more) {
        (Some(next), true) if !repeated => {
            out.to.phase = Phase::Walk;
            out.to.next = Some(next.clone());
        }
        (next, true) => {
            let fault =
                if next.is_some() { Tolerance::PageRepeated } else { Tolerance::NextMissing };
            out.tolerated.insert(fault);
            by_date(at, usual, &mut out);
        }
        (_, false) => ended(&mut out.to),
    }
    out
}

fn empty(at: &Cursor, seen: &Seen, out: &mut Step) {
    if seen.more {
        out.tolerated.insert(Tolerance::EmptyPage);
        if seen.next.is_some() && seen.next != at.next {
            out.to.next.clone_from(&seen.next);
            return;
        }
    }
    rest(&mut out.to);
}

/// The server says that was all: one more question makes sure, where dates allow it.
fn ended(to: &mut Cursor) {
    if to.high.is_none() {
        rest(to);
        return;
    }
    (to.phase, to.after) = (Phase::Verify, to.high);
    (to.next, to.limit) = (None, None);
}

/// Reads on from the last date; the objects of that very instant come once more.
fn by_date(at: &Cursor, usual: u32, out: &mut Step) {
    out.to.phase = Phase::Walk;
    out.to.next = None;
    let Some(high) = out.to.high else {
        out.stuck = Some("it says there is more, and gives neither `next` nor dates to go on from");
        return;
    };
    let after = Some(before(high));
    if after > at.after {
        (out.to.after, out.to.limit) = (after, None);
        return;
    }
    // WHY: a page full of one instant; only a larger one shows what follows it.
    let limit = at.limit.unwrap_or(usual);
    if limit >= LIMIT_MAX {
        out.stuck = Some(
            "more than 10000 objects were added at one instant and it gives no working `next` to \
             read on",
        );
        return;
    }
    out.tolerated.insert(Tolerance::LimitRaised);
    out.to.limit = Some(limit.saturating_mul(2).min(LIMIT_MAX));
    out.to.page = None;
}

fn rest(at: &mut Cursor) {
    *at = Cursor { high: at.high, ..Cursor::default() };
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_sub(1)).unwrap_or(at)
}

/// Seconds to wait after this many failures in a row: what the server asks for, else doubled with
/// each failure; a quarter more or less by chance, so that many nodes do not come at once.
#[must_use]
pub fn pause_seconds(failures: u32, asked: Option<u64>, chance: u8) -> u64 {
    if let Some(asked) = asked {
        let spread = asked.min(120).saturating_mul(u64::from(chance)).checked_div(1_024);
        return asked.saturating_add(spread.unwrap_or(0)).clamp(1, ASKED_PAUSE_SECONDS_MAX);
    }
    let doubled = PAUSE_SECONDS_FIRST.saturating_mul(2_u64.saturating_pow(failures.min(16)));
    let quarters = u64::from(chance).saturating_add(384);
    let pause = doubled.min(PAUSE_SECONDS_MAX).saturating_mul(quarters).checked_div(512);
    pause.unwrap_or(PAUSE_SECONDS_MAX).clamp(1, PAUSE_SECONDS_MAX)
}
