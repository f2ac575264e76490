//! Contents with parts cut out, kept for a while: one version goes to many readers, cut alike.
//!
//! INVARIANT: what is kept lies beside the very bytes it was cut from and the pointers it was cut
//! at, and is used for nothing else; so it can be out of date for nobody.
//! LIMIT: whether another reader was lately given the same version, cut alike, shows in the time.

use super::row::Name;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::stix::{RawObject, WithholdProblem};

/// LIMIT: bytes kept in each of two halves, with what they were cut from.
const HALF_BYTES_MAX: usize = 32 * 1024 * 1024;

/// One object as a page sends it: its bytes as stored, or what the gate left of them.
#[derive(Debug, Clone)]
pub struct Kept {
    raw: Arc<[u8]>,
    name: Name,
    cuts: Arc<Cuts>,
}

impl Kept {
    /// Bytes of a record as they are stored.
    pub(crate) fn stored(raw: &[u8], name: Name, cuts: &Arc<Cuts>) -> Self {
        Self { raw: raw.into(), name, cuts: Arc::clone(cuts) }
    }

    /// The bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}

impl protocol::Content for Kept {
    type Error = WithholdProblem;

    fn size_bytes(&self) -> usize {
        self.raw.len()
    }

    fn without(&self, pointers: &[&str]) -> Result<Self, Self::Error> {
        if pointers.is_empty() {
            return Ok(self.clone());
        }
        let place = (self.name, pointers.join("\n"));
        let raw = match self.cuts.find(&place, &self.raw) {
            Some(left) => left,
            None => {
                let left = RawObject::stored(self.raw.to_vec()).without(pointers)?;
                let left: Arc<[u8]> = left.raw().into();
                self.cuts
                    .keep(place, Cut { whole: Arc::clone(&self.raw), left: Arc::clone(&left) });
                left
            }
        };
        Ok(Self { raw, name: self.name, cuts: Arc::clone(&self.cuts) })
    }
}

/// A record, and where it was cut.
type Place = (Name, String);

#[derive(Debug, Clone)]
struct Cut {
    whole: Arc<[u8]>,
    left: Arc<[u8]>,
}

impl Cut {
    fn size_bytes(&self) -> usize {
        self.whole.len().saturating_add(self.left.len())
    }
}

/// What was cut lately: two halves, of which the older is dropped whole when the newer is full.
#[derive(Debug, Default)]
pub(crate) struct Cuts(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    newer: BTreeMap<Place, Cut>,
    older: BTreeMap<Place, Cut>,
    /// Of the newer.
    size_bytes: usize,
}

impl Cuts {
    /// What is left of these very bytes, cut there. Cost: O(log n) and one comparison of the bytes.
    fn find(&self, place: &Place, whole: &[u8]) -> Option<Arc<[u8]>> {
        let mut halves = self.halves();
        let of = |cut: &&Cut| *cut.whole == *whole;
        if let Some(found) = halves.newer.get(place).filter(of) {
            return Some(Arc::clone(&found.left));
        }
        let found = halves.older.remove(place).filter(|cut| of(&cut))?;
        let left = Arc::clone(&found.left);
        halves.keep(place.clone(), found);
        Some(left)
    }

    fn keep(&self, place: Place, cut: Cut) {
        self.halves().keep(place, cut);
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        // WHY: nothing between lock and unlock can stop half-way with the halves changed in part.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn keep(&mut self, place: Place, cut: Cut) {
        if cut.size_bytes() > HALF_BYTES_MAX {
            return;
        }
        if self.size_bytes.saturating_add(cut.size_bytes()) > HALF_BYTES_MAX {
            self.older = std::mem::take(&mut self.newer);
            self.size_bytes = 0;
        }
        self.size_bytes = self.size_bytes.saturating_add(cut.size_bytes());
        if let Some(before) = self.newer.insert(place, cut) {
            self.size_bytes = self.size_bytes.saturating_sub(before.size_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Content as _;

    const ID: &str = "note--6c1d1a5c-0f00-4000-8000-0000000000af";

    fn object(text: &str, size: usize) -> String {
        let (at, pad) = ("2026-01-01T00:00:00.000Z", "x".repeat(size));
        format!(
            r#"{{"type":"note","spec_version":"2.1","id":"{ID}","created":"{at}","modified":"{at}","abstract":"{text}","content":"{pad}","object_refs":["{ID}"]}}"#
        )
    }

    fn left(kept: &Kept, pointers: &[&str]) -> String {
        String::from_utf8(kept.without(pointers).unwrap().raw().to_vec()).unwrap()
    }

    #[test]
    fn what_is_kept_answers_for_the_same_bytes_and_places_alone() {
        let cuts = Arc::new(Cuts::default());
        let name = super::super::row::Kinds::default().name(ID).unwrap();
        let kept = |text: &str| Kept::stored(object(text, 4).as_bytes(), name, &cuts);
        let (one, two) = (kept("one"), kept("two"));
        for _ in 0..2 {
            assert_eq!(left(&one, &[]), object("one", 4));
            assert!(!left(&one, &["/abstract"]).contains("one"));
            assert!(left(&one, &["/content"]).contains("one"));
            assert!(left(&two, &["/content"]).contains("two"));
        }
        assert_eq!(cuts.halves().newer.len(), 2, "the place, not the bytes, is the key");
        assert!(one.without(&["/nowhere"]).is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let cuts = Arc::new(Cuts::default());
        let mut kinds = super::super::row::Kinds::default();
        for n in 0..80_u8 {
            let name = kinds.name(&ID.replace("af", &format!("{n:02x}"))).unwrap();
            let big = Kept::stored(object("one", 1024 * 1024).as_bytes(), name, &cuts);
            assert!(!left(&big, &["/abstract"]).contains("one"));
            let halves = cuts.halves();
            let bytes = |half: &BTreeMap<Place, Cut>| half.values().map(Cut::size_bytes).sum();
            let (newer, older): (usize, usize) = (bytes(&halves.newer), bytes(&halves.older));
            assert_eq!(newer, halves.size_bytes);
            assert!(newer <= HALF_BYTES_MAX && older <= HALF_BYTES_MAX);
        }
    }
}
