//! The answer in numbers: failing tests, chosen articles, masks. Pure values.

use super::ArticleKey;
use super::question::Slots;
use super::tables::{FieldMask, WordMask};
use model::agreement::Level;
use model::decision::{Outcome, Reason, RefusalMode};
use model::time::Timestamp;

/// LIMIT: articles a verdict itself lists; [`decide`](super::Engine::decide) lists all.
pub const CHOSEN_SHOWN_MAX: usize = 8;

/// Failing tests as a bit set, in the order of [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures(u32);

impl Failures {
    /// Nothing failed.
    pub const NONE: Self = Self(0);

    pub(crate) fn note(&mut self, reason: Reason) {
        self.0 |= 1_u32.wrapping_shl(reason as u32);
    }

    pub(super) fn note_if(&mut self, failed: bool, reason: Reason) {
        self.0 |= u32::from(failed).wrapping_shl(reason as u32);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this test failed.
    #[must_use]
    pub fn contains(self, reason: Reason) -> bool {
        self.0.wrapping_shr(reason as u32) & 1 == 1
    }

    /// The failing tests, in order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        crate::reasons::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }

    /// The first failing test.
    #[must_use]
    pub fn first(self) -> Option<Reason> {
        crate::reasons::ALL.get(self.0.trailing_zeros() as usize).copied()
    }
}

/// The articles that grant: the first few by key, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chosen {
    keys: [ArticleKey; CHOSEN_SHOWN_MAX],
    count: u32,
}

impl Chosen {
    pub(super) fn push(&mut self, key: ArticleKey) {
        if let Some(place) = self.keys.get_mut(self.count as usize) {
            *place = key;
        }
        self.count = self.count.saturating_add(1);
    }

    /// How many articles grant.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The first of them.
    #[must_use]
    pub fn shown(&self) -> &[ArticleKey] {
        self.keys.get(..self.count as usize).unwrap_or(&self.keys)
    }
}

/// The answer in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What the recipient gets.
    pub outcome: Outcome,
    /// The first failing test, or the kind of grant.
    pub reason: Reason,
    /// How a refusal is put.
    pub refusal_mode: RefusalMode,
    /// Every failing test.
    pub failed: Failures,
    /// Fields withheld, by their place in the record's mask.
    pub withheld: FieldMask,
    /// Caveats the agreements add; the record's own come on top.
    pub caveats: WordMask,
    /// Obligations on the parties.
    pub obligations: WordMask,
    /// The articles that grant.
    pub chosen: Chosen,
    /// The recipient must have deleted it by then.
    pub retention_until: Option<Timestamp>,
}

/// Agreements by the level they grant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Levels {
    hit_only: Slots,
    redacted: Slots,
    full: Slots,
}

impl Levels {
    pub(super) fn note(&mut self, level: Level, slot: Slots) {
        match level {
            Level::HitOnly => self.hit_only |= slot,
            Level::Redacted => self.redacted |= slot,
            Level::Full => self.full |= slot,
        }
    }

    pub(super) fn any(&self) -> Slots {
        self.hit_only | self.redacted | self.full
    }

    pub(super) fn only(&self, slots: Slots) -> Self {
        Self {
            hit_only: self.hit_only & slots,
            redacted: self.redacted & slots,
            full: self.full & slots,
        }
    }

    /// Each agreement at its highest level only.
    pub(super) fn highest(&self) -> Self {
        let redacted = self.redacted & !self.full;
        Self { full: self.full, redacted, hit_only: self.hit_only & !self.full & !self.redacted }
    }

    /// The lowest level any agreement grants.
    pub(super) fn lowest(&self) -> Level {
        if self.hit_only != 0 {
            Level::HitOnly
        } else if self.redacted != 0 {
            Level::Redacted
        } else {
            Level::Full
        }
    }

    pub(super) fn has(&self, level: Level, slot: Slots) -> bool {
        let set = match level {
            Level::HitOnly => self.hit_only,
            Level::Redacted => self.redacted,
            Level::Full => self.full,
        };
        set & slot != 0
    }
}
