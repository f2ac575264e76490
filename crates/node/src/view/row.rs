//! One held record in memory: its compact name, its shape, its version, what it points to.

use model::ids::RecordId;
use model::time::Timestamp;
use protocol::{Own, ShapeNumber};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use wire::stix::SpecVersion;

/// LIMIT: STIX types named in one view; a record beyond is decided on from the store.
const KINDS_MAX: usize = 60_000;

/// An identifier `type--uuid` in 18 bytes: the number of its type and its UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    kind: u16,
    uuid: [u8; 16],
}

impl Name {
    pub(super) fn kind(self) -> u16 {
        self.kind
    }

    /// The least name of a type.
    pub(super) fn first_of(kind: u16) -> Self {
        Self { kind, uuid: [0; 16] }
    }
}

/// STIX types by number. Numbers never change.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    numbers: BTreeMap<Arc<str>, u16>,
    names: Vec<Arc<str>>,
}

impl Kinds {
    /// Types and their numbers, by name.
    pub(super) fn in_order(&self) -> impl Iterator<Item = u16> + '_ {
        self.numbers.values().copied()
    }

    /// The compact form of an identifier whose type is known.
    pub(super) fn find(&self, id: &str) -> Option<Name> {
        let (kind, uuid) = id.split_once("--")?;
        Some(Name { kind: *self.numbers.get(kind)?, uuid: uuid_bytes(uuid)? })
    }

    /// The compact form of an identifier; nothing for one of another form.
    pub(super) fn name(&mut self, id: &str) -> Option<Name> {
        if let Some(name) = self.find(id) {
            return Some(name);
        }
        let (kind, uuid) = id.split_once("--")?;
        let uuid = uuid_bytes(uuid)?;
        let number = u16::try_from(self.names.len()).ok();
        let number = number.filter(|n| usize::from(*n) < KINDS_MAX)?;
        let kind: Arc<str> = kind.into();
        self.numbers.insert(Arc::clone(&kind), number);
        self.names.push(kind);
        Some(Name { kind: number, uuid })
    }

    /// The identifier again.
    pub(super) fn id(&self, name: Name) -> Option<RecordId> {
        let kind = self.names.get(usize::from(name.kind))?;
        let mut text = String::with_capacity(kind.len().saturating_add(38));
        text.push_str(kind);
        text.push_str("--");
        for (at, byte) in name.uuid.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(half), 16)?);
            }
        }
        text.parse().ok()
    }
}

/// The bytes of a UUID in its one spelling: lower case, hyphens in their places.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let (mut out, mut digits) = ([0_u8; 16], 0_usize);
    if text.len() != 36 {
        return None;
    }
    for (at, byte) in text.bytes().enumerate() {
        let digit = match (at, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => byte.wrapping_sub(b'0'),
            (_, b'a'..=b'f') => byte.wrapping_sub(b'a').wrapping_add(10),
            (_, _) => return None,
        };
        let place = out.get_mut(digits >> 1)?;
        *place = (*place << 4) | digit;
        digits = digits.saturating_add(1);
    }
    Some(out)
}

/// A version in as few bytes as it takes to write it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    /// An instant with this many decimals.
    At(Timestamp, u8),
    /// Anything else.
    Text(Box<str>),
}

impl Version {
    pub(super) fn of(text: &str) -> Self {
        let Ok(at) = text.parse::<Timestamp>() else { return Self::Text(text.into()) };
        let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len().saturating_sub(1));
        let short = u8::try_from(decimals).ok().map(|decimals| Self::At(at, decimals));
        short.filter(|short| short.text() == text).unwrap_or_else(|| Self::Text(text.into()))
    }

    /// The version as it was written.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::At(at, decimals) => written(*at, usize::from(*decimals)),
        }
    }

    /// When it was made, if it says so.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At(at, _) => Some(*at),
            Self::Text(text) => crate::listing::version_stem(text).parse().ok(),
        }
    }
}

fn written(at: Timestamp, decimals: usize) -> String {
    let text = at.to_string();
    let (whole, part) = text.trim_end_matches('Z').split_once('.').unwrap_or((&text, ""));
    let mut out = whole.trim_end_matches('Z').to_owned();
    if decimals > 0 {
        let _written = write!(out, ".{part:0<decimals$}");
    }
    out.push('Z');
    out
}

/// What is not the same for all records of a shape: limits of their own, references, places.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rest {
    pub(crate) own: Own,
    /// What it points to, and whether it says nothing without it.
    pub(crate) refs: Box<[(Name, bool)]>,
    /// Where its fields stand in its content; nothing where that is read from the content.
    pub(crate) places: Option<Arc<Places>>,
}

/// Places of fields: JSON pointers by the name of the field.
pub(crate) type Places = BTreeMap<String, Vec<String>>;

/// One held record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Nothing where it has to be decided on from the store.
    pub(crate) shape: Option<ShapeNumber>,
    pub(crate) version: Version,
    pub(crate) spec: SpecVersion,
    pub(crate) rest: Option<Arc<Rest>>,
}

impl Row {
    pub(crate) fn own(&self) -> Own {
        self.rest.as_ref().map(|rest| rest.own).unwrap_or_default()
    }

    pub(crate) fn refs(&self) -> &[(Name, bool)] {
        self.rest.as_ref().map_or(&[], |rest| &rest.refs)
    }

    pub(crate) fn places(&self) -> Option<&Places> {
        self.rest.as_ref().and_then(|rest| rest.places.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_come_back_as_written() {
        let mut kinds = Kinds::default();
        for id in [
            "indicator--6c1d1a5c-0f00-4000-8000-0000000000af",
            "x-a-b--00000000-0000-0000-0000-000000000000",
        ] {
            let name = kinds.name(id).unwrap();
            assert_eq!((kinds.id(name).unwrap().as_str(), kinds.find(id)), (id, Some(name)));
        }
        for other in ["report--none", "a", "a--6C1d1a5c-0f00-4000-8000-0000000000af", "a--é"] {
            assert_eq!(kinds.name(other), None, "{other}");
        }
        for text in [
            "2016-01-01T00:00:00Z",
            "2016-01-01T00:00:00.000Z",
            "2016-01-01T00:00:00.120000Z",
            "2016-01-01T00:00:00.1234567Z",
            "2016-01-01T00:00:00.120Z~0011223344556677",
            "sha256:00",
        ] {
            assert_eq!(Version::of(text).text(), text);
        }
        assert!(matches!(Version::of("2016-01-01T00:00:00.000Z"), Version::At(_, 3)));
        assert!(std::mem::size_of::<Name>() == 18 && std::mem::size_of::<Row>() <= 48);
    }
}
