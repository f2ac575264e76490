//! Writes pages: the objects' own bytes one after the other, nothing parsed again. Pure.

use super::query::Shape;
use super::shelf::{Page, Row};
use model::time::Timestamp;

/// An instant as TAXII writes it: UTC, exactly six decimals.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{part:0<6}Z")
}

/// A text as JSON writes it; what needs no escapes is copied.
fn quoted(out: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// The page's content; `next` is where the page behind it begins.
#[must_use]
pub fn page(page: &Page, shape: Shape, next: Option<&str>) -> Vec<u8> {
    if page.rows.is_empty() {
        return b"{}".to_vec();
    }
    let bytes = page.rows.iter().fold(256_usize, |sum, row| {
        let content = if shape == Shape::Envelope { row.content.len() } else { 256 };
        sum.saturating_add(content).saturating_add(1)
    });
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(if page.more { b"{\"more\":true," } else { b"{\"more\":false," });
    if let Some(next) = next.filter(|_| page.more) {
        out.extend_from_slice(b"\"next\":");
        quoted(&mut out, next);
        out.push(b',');
    }
    let key: &[u8] = if shape == Shape::Versions { b"\"versions\":[" } else { b"\"objects\":[" };
    out.extend_from_slice(key);
    for (at, row) in page.rows.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match shape {
            Shape::Envelope => out.extend_from_slice(&row.content),
            Shape::Manifest => entry(&mut out, row),
            Shape::Versions | Shape::Deletion => quoted(&mut out, &row.version),
        }
    }
    out.extend_from_slice(b"]}");
    out
}

fn entry(out: &mut Vec<u8>, row: &Row) {
    out.extend_from_slice(b"{\"id\":");
    quoted(out, &row.id);
    out.extend_from_slice(b",\"date_added\":");
    quoted(out, &instant(row.mark.added_at));
    out.extend_from_slice(b",\"version\":");
    quoted(out, &row.version);
    out.extend_from_slice(b",\"media_type\":");
    quoted(out, &row.media);
    out.push(b'}');
}

/// `{"collections":[…]}` of these cards; without cards, `{}`.
#[must_use]
pub fn collections(cards: &[Vec<u8>]) -> Vec<u8> {
    if cards.is_empty() {
        return b"{}".to_vec();
    }
    [b"{\"collections\":[", cards.join(&b',').as_slice(), b"]}"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::taxii::shelf::{Known, Mark};

    #[test]
    fn instants_have_exactly_six_decimals() {
        for (text, wanted) in [
            ("2016-01-01T00:00:00Z", "2016-01-01T00:00:00.000000Z"),
            ("2016-01-01T00:00:00.12Z", "2016-01-01T00:00:00.120000Z"),
            ("2016-01-01T00:00:00.123456Z", "2016-01-01T00:00:00.123456Z"),
        ] {
            assert_eq!(instant(text.parse().unwrap()), wanted);
        }
    }

    #[test]
    fn pages_are_json_with_the_objects_own_bytes() {
        let mut one = Page { rows: Vec::new(), more: false, known: Known::Here };
        for shape in [Shape::Envelope, Shape::Manifest, Shape::Versions] {
            assert_eq!(page(&one, shape, None), b"{}");
        }
        let added_at = "2016-01-01T00:00:00Z".parse().unwrap();
        let row = Row {
            mark: Mark { added_at, serial: 1 },
            id: "file--1".to_owned(),
            version: "a\"b".to_owned(),
            media: "m".to_owned(),
            content: (&b"{\"x\": 1.0}"[..]).into(),
        };
        one.rows = vec![row.clone(), row];
        one.more = true;
        let text = |shape| String::from_utf8(page(&one, shape, Some("n"))).unwrap();
        let whole = "{\"more\":true,\"next\":\"n\",\"objects\":[{\"x\": 1.0},{\"x\": 1.0}]}";
        assert_eq!(text(Shape::Envelope), whole);
        let versions: serde_json::Value = serde_json::from_str(&text(Shape::Versions)).unwrap();
        assert_eq!(versions["versions"][1], "a\"b");
        let manifest: serde_json::Value = serde_json::from_str(&text(Shape::Manifest)).unwrap();
        assert_eq!(manifest["objects"][0]["date_added"], "2016-01-01T00:00:00.000000Z");
        assert_eq!(collections(&[]), b"{}");
        assert_eq!(collections(&[b"{}".to_vec(), b"{}".to_vec()]), b"{\"collections\":[{},{}]}");
    }
}
