//! What a TAXII 2.1 server answers a reader: discovery, API roots, collections, pages of objects.
//!
//! Pure; lenient where the standard leaves room and servers differ, strict in sizes. Objects stay
//! in their own bytes. SOURCE: OASIS TAXII 2.1 sections 4 and 5.

use model::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// LIMIT: API roots or collections taken from one answer.
const LISTED_MAX: usize = 1_000;
/// LIMIT: bytes of a `next`.
const NEXT_BYTES_MAX: usize = 8 * 1024;

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxiiProblem {
    /// Not JSON, or not in the shape.
    #[error("the answer is no {what} of TAXII 2.1: {why}")]
    Shape {
        /// What it should be.
        what: &'static str,
        /// What is wrong, with its place.
        why: String,
    },
    /// It has too many or too long parts.
    #[error("the answer has {found} {what}, the limit is {limit}")]
    Size {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many are taken.
        limit: usize,
    },
}

/// A page of objects, each in its own bytes.
#[derive(Debug, Clone, Default)]
pub struct PageAnswer<'a> {
    /// There is more.
    pub more: bool,
    /// The mark of the next page; empty text counts as none.
    pub next: Option<String>,
    /// The objects.
    pub objects: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct PageShape<'a> {
    #[serde(default)]
    more: Option<bool>,
    #[serde(default)]
    next: Option<Mark>,
    #[serde(borrow, default)]
    objects: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
}

/// WHY: some servers write the mark as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Mark {
    Text(String),
    Number(u64),
}

fn shape(what: &'static str, why: impl ToString) -> TaxiiProblem {
    TaxiiProblem::Shape { what, why: why.to_string() }
}

fn size(what: &'static str, found: usize, limit: usize) -> Result<(), TaxiiProblem> {
    if found > limit { Err(TaxiiProblem::Size { what, found, limit }) } else { Ok(()) }
}

/// Reads a page of at most `objects_max` objects.
///
/// # Errors
/// No envelope, or too many objects.
pub fn page(bytes: &[u8], objects_max: usize) -> Result<PageAnswer<'_>, TaxiiProblem> {
    // WHY: the derived reader would also take a list for the members in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(shape("envelope", "it is no JSON object"));
    }
    let read: PageShape<'_> = serde_json::from_slice(bytes).map_err(|e| shape("envelope", e))?;
    if read.kind.is_some() {
        return Err(shape("envelope", "it has a `type`, so it is a bundle or an object"));
    }
    let objects = read.objects.unwrap_or_default();
    size("objects", objects.len(), objects_max)?;
    let next = read.next.map(|mark| match mark {
        Mark::Text(text) => text,
        Mark::Number(number) => number.to_string(),
    });
    let next = next.filter(|next| !next.is_empty());
    size("bytes in `next`", next.as_ref().map_or(0, String::len), NEXT_BYTES_MAX)?;
    Ok(PageAnswer { more: read.more.unwrap_or(false), next, objects })
}

/// One collection, as a server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CollectionAnswer {
    /// Its identifier.
    pub id: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Another name it answers to.
    #[serde(default)]
    pub alias: Option<String>,
    /// Whether this reader may read it.
    #[serde(default)]
    pub can_read: bool,
}

/// What an address turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A server: the addresses of its API roots, as written.
    Discovery(Vec<String>),
    /// An API root.
    ApiRoot,
    /// The collections of an API root.
    Collections(Vec<CollectionAnswer>),
    /// One collection.
    Collection(CollectionAnswer),
}

#[derive(Deserialize)]
struct AnyShape {
    api_roots: Option<Vec<String>>,
    versions: Option<Vec<String>>,
    collections: Option<Vec<CollectionAnswer>>,
    id: Option<String>,
}

/// Reads whichever resource an address answers with.
///
/// # Errors
/// None of them, or too many entries.
pub fn found(bytes: &[u8]) -> Result<Found, TaxiiProblem> {
    const WHAT: &str = "discovery, API root or collection";
    let any: AnyShape = serde_json::from_slice(bytes).map_err(|e| shape(WHAT, e))?;
    if let Some(roots) = any.api_roots {
        size("API roots", roots.len(), LISTED_MAX)?;
        return Ok(Found::Discovery(roots));
    }
    if any.versions.is_some() {
        return Ok(Found::ApiRoot);
    }
    if let Some(collections) = any.collections {
        size("collections", collections.len(), LISTED_MAX)?;
        return Ok(Found::Collections(collections));
    }
    if any.id.is_some() {
        let one = serde_json::from_slice(bytes).map_err(|e| shape("collection", e))?;
        return Ok(Found::Collection(one));
    }
    Err(shape(WHAT, "none of `api_roots`, `versions`, `collections`, `id` is there"))
}

/// The collections of an API root; an answer without any has none.
///
/// # Errors
/// Not in the shape, or too many.
pub fn collections(bytes: &[u8]) -> Result<Vec<CollectionAnswer>, TaxiiProblem> {
    let any: AnyShape = serde_json::from_slice(bytes).map_err(|e| shape("collections", e))?;
    let all = any.collections.unwrap_or_default();
    size("collections", all.len(), LISTED_MAX)?;
    Ok(all)
}

/// An instant of a header, and whether it is written as the standard says (UTC, `Z`).
#[must_use]
pub fn instant(text: &str) -> Option<(Timestamp, bool)> {
    let text = text.trim();
    let proper = text.ends_with('Z');
    let read = text.parse().ok().or_else(|| format!("{text}Z").parse().ok())?;
    Some((read, proper))
}

/// An instant as a question states it: six digits of a second, as old servers want them.
#[must_use]
pub fn instant_text(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.trim_end_matches('Z');
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    format!("{seconds}.{fraction:0<6}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_as_servers_write_them() {
        let full = br#"{"more":true,"next":"a","objects":[{"id": 1 },7]}"#;
        let read = page(full, 2).unwrap();
        assert_eq!((read.more, read.next.as_deref(), read.objects.len()), (true, Some("a"), 2));
        assert_eq!(read.objects[0].get(), "{\"id\": 1 }");
        assert!(matches!(page(full, 1), Err(TaxiiProblem::Size { found: 2, limit: 1, .. })));
        let bare = page(b"{}", 1).unwrap();
        assert_eq!((bare.more, bare.next, bare.objects.len()), (false, None, 0));
        assert_eq!(page(br#"{"next":12}"#, 1).unwrap().next.as_deref(), Some("12"));
        assert_eq!(page(br#"{"next":"","more":null}"#, 1).unwrap().next, None);
        for wrong in ["", "[", "[]", "7", r#"{"type":"bundle","objects":[]}"#, r#"{"more":"y"}"#] {
            assert!(page(wrong.as_bytes(), 9).is_err(), "{wrong}");
        }
        let long = format!("{{\"next\":\"{}\"}}", "x".repeat(NEXT_BYTES_MAX + 1));
        assert!(matches!(page(long.as_bytes(), 1), Err(TaxiiProblem::Size { .. })));
    }

    #[test]
    fn an_address_is_told_by_what_it_answers() {
        let roots = found(br#"{"title":"t","api_roots":["/a/"]}"#).unwrap();
        assert_eq!(roots, Found::Discovery(vec!["/a/".to_owned()]));
        let root = br#"{"title":"t","versions":["application/taxii+json;version=2.1"]}"#;
        assert_eq!(found(root).unwrap(), Found::ApiRoot);
        let one = found(br#"{"id":"x","title":"t","can_read":true}"#).unwrap();
        assert!(matches!(one, Found::Collection(c) if c.can_read && c.id == "x"));
        assert!(matches!(found(br#"{"collections":[]}"#).unwrap(), Found::Collections(_)));
        assert!(found(b"{}").is_err() && found(b"<html>").is_err());
        assert_eq!(collections(b"{}").unwrap(), []);
    }

    #[test]
    fn instants_are_read_in_any_offset_and_written_in_one_way() {
        let (utc, proper) = instant("2026-01-01T00:00:00.5Z").unwrap();
        assert!(proper);
        assert_eq!(instant("2026-01-01T02:00:00.5+02:00"), Some((utc, false)));
        assert_eq!(instant("2026-01-01T00:00:00.500"), Some((utc, false)));
        assert_eq!(instant("yesterday"), None);
        assert_eq!(instant_text(utc), "2026-01-01T00:00:00.500000Z");
        let whole = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(instant_text(whole), "2026-01-01T00:00:00.000000Z");
    }
}
