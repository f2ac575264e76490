//! One page of a partner's collection: reads what the gate lets through and writes it.

use super::STIX_MEDIA;
use super::filter::{Filter, place};
use crate::http::errors::Problem;
use model::ids::AgencyId;
use model::time::Timestamp;
use node::facts::Facts;
use node::query::{Shown, collection, listed};
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

/// A page.
pub struct Page {
    /// What the gate lets through, oldest first.
    pub shown: Vec<Shown>,
    /// Whether more follows. INVARIANT: counts only what may be seen.
    pub more: bool,
}

/// Reads a page. Cost: O(page), plus what the filter or the gate leaves out on the way.
///
/// # Errors
/// The store failed.
pub fn read(
    facts: &Facts<'_>,
    partner: &AgencyId,
    filter: &Filter,
    now: Timestamp,
) -> Result<Page, Problem> {
    let mut shown = match &filter.ids {
        Some(_) => named(facts, partner, filter, now)?,
        None => all(facts, partner, filter, now)?,
    };
    let more = shown.len() > filter.limit;
    shown.truncate(filter.limit);
    Ok(Page { shown, more })
}

/// Up to one more than the limit of what fits, in order.
fn all(
    facts: &Facts<'_>,
    partner: &AgencyId,
    filter: &Filter,
    now: Timestamp,
) -> Result<Vec<Shown>, Problem> {
    let wanted = filter.limit.saturating_add(1);
    let (mut found, mut after, mut portion) = (Vec::new(), filter.after, wanted);
    loop {
        let (shown, more) = collection(facts, partner, after, portion, now)?;
        if shown.is_empty() {
            // WHY: rows the gate holds back give no place to go on from; look at more at once.
            portion = portion.saturating_mul(4);
        }
        for one in shown {
            after = Some(one.added_at);
            if filter.fits(&one) {
                found.push(one);
            }
            if found.len() == wanted {
                return Ok(found);
            }
        }
        if !more {
            return Ok(found);
        }
    }
}

/// The named objects, in order.
fn named(
    facts: &Facts<'_>,
    partner: &AgencyId,
    filter: &Filter,
    now: Timestamp,
) -> Result<Vec<Shown>, Problem> {
    let mut found = Vec::new();
    for row in listed(facts.snapshot, partner)? {
        let is_named =
            |ids: &std::collections::BTreeSet<_>| ids.contains(row.terms.record.as_str());
        let later = filter.after.is_none_or(|after| row.added_at > after);
        if !filter.ids.as_ref().is_some_and(is_named) || !later {
            continue;
        }
        let before = Timestamp::from_micros(row.added_at.micros().saturating_sub(1)).ok();
        let (shown, _) = collection(facts, partner, before, 1, now)?;
        found.extend(shown.into_iter().filter(|one| filter.fits(one)));
    }
    Ok(found)
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
    let content = shown.released.content();
    let own = content.and_then(|content| content.version_text());
    own.map_or_else(|| instant(shown.added_at), str::to_owned)
}

impl Page {
    /// The page's content.
    #[must_use]
    pub fn write(&self, shape: Shape) -> Vec<u8> {
        match shape {
            Shape::Envelope => self.envelope(),
            Shape::Manifest => self.entries("objects", |shown| {
                json!({
                    "id": shown.released.record(),
                    "date_added": instant(shown.added_at),
                    "version": version(shown),
                    "media_type": STIX_MEDIA,
                })
            }),
            Shape::Versions => self.entries("versions", |shown| json!(version(shown))),
        }
    }

    fn head(&self) -> Map<String, Value> {
        let mut head = Map::new();
        if let (true, Some(last)) = (self.more, self.shown.last()) {
            head.insert("more".to_owned(), json!(true));
            head.insert("next".to_owned(), json!(place(last.added_at)));
        }
        head
    }

    fn entries(&self, key: &str, entry: impl Fn(&Shown) -> Value) -> Vec<u8> {
        let mut head = self.head();
        if !self.shown.is_empty() {
            head.insert(key.to_owned(), self.shown.iter().map(entry).collect());
        }
        Value::Object(head).to_string().into_bytes()
    }

    /// The envelope, with each object's own bytes as its originator wrote them.
    fn envelope(&self) -> Vec<u8> {
        let mut out = Value::Object(self.head()).to_string().into_bytes();
        let contents = self.shown.iter().filter_map(|shown| shown.released.content());
        for (at, content) in contents.enumerate() {
            if at == 0 {
                out.pop();
                out.extend_from_slice(if self.more { b",\"objects\":[" } else { b"\"objects\":[" });
            } else {
                out.push(b',');
            }
            out.extend_from_slice(content.raw());
        }
        if !self.shown.is_empty() {
            out.extend_from_slice(b"]}");
        }
        out
    }
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
        let page = Page { shown: Vec::new(), more: false };
        for shape in [Shape::Envelope, Shape::Manifest, Shape::Versions] {
            assert_eq!(page.write(shape), b"{}");
        }
    }
}
