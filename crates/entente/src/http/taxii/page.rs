//! One page of a partner's collection: reads what the gate lets through and writes it.

use super::STIX_MEDIA;
use super::filter::place;
use model::time::Timestamp;
use node::pages::{Page, Shown};
use serde_json::{Map, Value, json};

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Whole objects.
    Envelope,
    /// What there is, without contents.
    Manifest,
    /// Versions of one object.
    Versions,
}

/// An instant as TAXII writes it: UTC, exactly six decimals.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{part:0<6}Z")
}

fn version(shown: &Shown) -> String {
    shown.version_text().map_or_else(|| instant(shown.added_at), str::to_owned)
}

/// The page's content.
#[must_use]
pub fn write(page: &Page, shape: Shape) -> Vec<u8> {
    match shape {
        Shape::Envelope => envelope(page),
        Shape::Manifest => entries(page, "objects", |shown| {
            json!({
                "id": shown.record(),
                "date_added": instant(shown.added_at),
                "version": version(shown),
                "media_type": STIX_MEDIA,
            })
        }),
        Shape::Versions => entries(page, "versions", |shown| json!(version(shown))),
    }
}

fn head(page: &Page) -> Map<String, Value> {
    let mut head = Map::new();
    if let Some(next) = page.next() {
        head.insert("more".to_owned(), json!(true));
        head.insert("next".to_owned(), json!(place(next)));
    }
    head
}

fn entries(page: &Page, key: &str, entry: impl Fn(&Shown) -> Value) -> Vec<u8> {
    let mut head = head(page);
    if !page.rows.is_empty() {
        head.insert(key.to_owned(), page.rows.iter().map(entry).collect());
    }
    Value::Object(head).to_string().into_bytes()
}

/// The envelope, with each object's own bytes as its originator wrote them.
fn envelope(page: &Page) -> Vec<u8> {
    let mut out = Value::Object(head(page)).to_string().into_bytes();
    for (at, shown) in page.rows.iter().enumerate() {
        if at == 0 {
            out.pop();
            out.extend_from_slice(if page.more { b",\"objects\":[" } else { b"\"objects\":[" });
        } else {
            out.push(b',');
        }
        out.extend_from_slice(shown.raw());
    }
    if !page.rows.is_empty() {
        out.extend_from_slice(b"]}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn an_empty_page_is_an_empty_object() {
        let page = Page { rows: Vec::new(), visited: None, more: false };
        for shape in [Shape::Envelope, Shape::Manifest, Shape::Versions] {
            assert_eq!(write(&page, shape), b"{}");
        }
    }
}
