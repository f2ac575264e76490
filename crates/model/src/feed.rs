//! Feeds: collections of outside TAXII servers that this node reads by itself. Pure.
//!
//! INVARIANT: what a feed brings belongs to a named outside source, never to this node and never to
//! a pinned member: nobody signed it, so nobody's signed word may be confused with it (law 8).
//! SOURCE: OASIS TAXII 2.1; docs/reference/feeds.md.

use crate::ids::{AgencyId, Digest, RecordId};
use crate::posting::{Appraisal, StatusItem};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// What the identifier of every outside source begins with; no member's does.
pub const OUTSIDE: &str = "outside.";
/// LIMIT: characters of a feed's name.
const NAME_CHARS_MAX: usize = 64;

/// The name an officer gave a feed: letters a to z, digits, `-` and `.`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedName(String);

/// A text that names no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a feed: 1 to 64 of the letters a to z, digits, `-` and `.`, a letter or \
     digit first"
)]
pub struct FeedNameError(String);

impl FeedName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FeedName {
    type Err = FeedNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = text.starts_with(plain)
            && text.len() <= NAME_CHARS_MAX
            && text.chars().all(|c| plain(c) || c == '-' || c == '.');
        let shown = || text.chars().take(NAME_CHARS_MAX).collect();
        if fits { Ok(Self(text.to_owned())) } else { Err(FeedNameError(shown())) }
    }
}

impl TryFrom<String> for FeedName {
    type Error = FeedNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FeedName> for String {
    fn from(name: FeedName) -> Self {
        name.0
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an identifier is that of an outside source.
#[must_use]
pub fn is_outside(agency: &AgencyId) -> bool {
    agency.as_str().strip_prefix(OUTSIDE).is_some_and(|rest| !rest.is_empty())
}

/// How a server may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TLS with a verified certificate only.
    Tls,
    /// An officer permitted HTTP without TLS.
    PlainHttp,
}

/// Whether a feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// It is, when it is due.
    On,
    /// An officer paused it.
    Paused,
}

/// A feed as an officer set it up, and how far it has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Its name.
    pub name: FeedName,
    /// The collection's address, with `/` at its end.
    pub collection: String,
    /// The collection's title, as the server says.
    pub title: String,
    /// Whose records these are: an outside source.
    pub originator: AgencyId,
    /// How they are regarded.
    pub appraisal: Appraisal,
    /// How the server may be reached.
    pub transport: Transport,
    /// Objects asked for at once.
    pub page_objects: u32,
    /// Seconds between two polls.
    pub interval_seconds: u32,
    /// Whether it is read.
    pub running: Running,
    /// How far it has been read.
    pub progress: Progress,
}

/// What a poll is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing: the next poll begins anew.
    #[default]
    Rest,
    /// It reads pages.
    Walk,
    /// The server said that was all; one more question makes sure.
    Verify,
}

/// Where in a collection the reading stands; kept in the same commit as the objects before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// What is being done.
    pub phase: Phase,
    /// Only objects added after this are asked for.
    pub after: Option<Timestamp>,
    /// The server's mark of the next page.
    pub next: Option<String>,
    /// The latest instant of adding seen.
    pub high: Option<Timestamp>,
    /// Digest of the page before, to notice one that comes again.
    pub page: Option<Digest>,
    /// Objects to ask for where the feed's own number does not suffice.
    pub limit: Option<u32>,
}

/// A fault of a server that was worked around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// `more` without `next`: read on by the dates of adding.
    NextMissing,
    /// The same page came again: `next` is ignored; read on by the dates of adding.
    PageRepeated,
    /// A kept `next` was refused; begun again from the date before it.
    NextExpired,
    /// `more` was false too early.
    EndedEarly,
    /// `more` with an empty page.
    EmptyPage,
    /// Objects came again that `added_after` excludes.
    AddedAfterIgnored,
    /// No dates of adding in the headers: each poll reads everything.
    DatesMissing,
    /// An instant not in UTC, or not written as the standard says.
    OffsetInstant,
    /// A content type without the version.
    MediaTypeUnversioned,
    /// The versioned media type was refused (406), the unversioned one taken.
    AcceptRefused,
    /// More objects than asked for.
    LimitIgnored,
    /// So many objects with one date of adding that larger pages were asked for.
    LimitRaised,
}

impl Tolerance {
    /// What it is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NextMissing => "`more` without `next`; read on by dates",
            Self::PageRepeated => "the same page came again; read on by dates",
            Self::NextExpired => "a kept `next` was refused; begun again from the date before",
            Self::EndedEarly => "`more` was false though there was more",
            Self::EmptyPage => "an empty page with `more`",
            Self::AddedAfterIgnored => "objects came again that `added_after` excludes",
            Self::DatesMissing => "no dates of adding; every poll reads everything",
            Self::OffsetInstant => "an instant that is not in UTC",
            Self::MediaTypeUnversioned => "a content type without its version",
            Self::AcceptRefused => "the versioned media type was refused",
            Self::LimitIgnored => "more objects than asked for",
            Self::LimitRaised => "many objects of one date; larger pages asked for",
        }
    }
}

/// How far a feed has been read, and how it went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Where the reading stands.
    pub cursor: Cursor,
    /// When it is read next; at once where absent.
    pub due_at: Option<Timestamp>,
    /// When a page came last.
    pub page_at: Option<Timestamp>,
    /// When a poll came to its end last.
    pub ended_at: Option<Timestamp>,
    /// Pages read.
    pub pages: u64,
    /// Objects stored.
    pub stored: u64,
    /// Objects that were held already.
    pub unchanged: u64,
    /// Objects that could not be taken.
    pub unfit: u64,
    /// The last of those, with place and reason.
    pub last_unfit: Vec<StatusItem>,
    /// Failures since a page came last.
    pub failures: u32,
    /// The last failure, where no page came since.
    pub trouble: Option<String>,
    /// Faults of the server that were worked around, and how often.
    pub tolerated: BTreeMap<Tolerance, u64>,
}

/// One object of a page, read.
#[derive(Debug, Clone)]
pub struct Fetched<B> {
    /// Its identifier.
    pub record: RecordId,
    /// Its vocabulary type.
    pub kind: String,
    /// Its version as written, or the digest of its bytes.
    pub version: String,
    /// Digest of its bytes.
    pub content: Digest,
    /// Whether this node made it of STIX 2.0.
    pub upgraded: bool,
    /// The content.
    pub body: B,
}

/// What came of one question to a server.
#[derive(Debug, Clone)]
pub enum Came<B> {
    /// A page.
    Page {
        /// Objects that could be read.
        objects: Vec<Fetched<B>>,
        /// Those that could not, with place and reason.
        unfit: Vec<StatusItem>,
    },
    /// Nothing: why.
    Trouble(String),
}

/// One step of reading a feed: what came, and where the reading stands then. One commit.
#[derive(Debug, Clone)]
pub struct Pulled<B> {
    /// The feed.
    pub feed: FeedName,
    /// Where the reading stood; what does not follow on is refused.
    pub from: Cursor,
    /// Where it stands now.
    pub to: Cursor,
    /// What came.
    pub came: Came<B>,
    /// Faults worked around.
    pub tolerated: BTreeSet<Tolerance>,
    /// When to ask next; at once where absent.
    pub due_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_as_the_name_of_a_file() {
        for fit in ["a", "0", "cisa-ais", "a.b-c", &"x".repeat(64)] {
            assert_eq!(fit.parse::<FeedName>().unwrap().as_str(), fit);
        }
        for unfit in ["", ".", "..", "-a", "A", "a/b", "a b", "ä", "a\0", &"x".repeat(65)] {
            assert!(unfit.parse::<FeedName>().is_err(), "{unfit}");
        }
        assert!(serde_json::from_str::<FeedName>("\"../a\"").is_err());
    }

    #[test]
    fn an_outside_source_is_told_by_its_first_word() {
        for (id, outside) in
            [("outside.cisa", true), ("outside.", false), ("outsider.x", false), ("xa.p", false)]
        {
            assert_eq!(is_outside(&id.parse().unwrap()), outside, "{id}");
        }
    }
}
