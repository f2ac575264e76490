//! Which media types a client takes and sends. Pure.
//!
//! SOURCE: RFC 9110 section 12.5.1, TAXII 2.1 section 1.6.8.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

/// LIMIT: media ranges looked at.
const RANGES_MAX: usize = 32;

/// How closely a media range names TAXII 2.1: none, all types, applications, TAXII, TAXII 2.1.
fn closeness(range: &str) -> Option<(u8, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    let (mut version, mut permille) = (None, 1_000);
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => permille = quality(value)?,
            "version" => version = Some(value),
            _other => {}
        }
    }
    match (kind.as_str(), version) {
        ("*/*", _) => Some((1, permille)),
        ("application/*", _) => Some((2, permille)),
        ("application/taxii+json", None) => Some((3, permille)),
        ("application/taxii+json", Some("2.1")) => Some((4, permille)),
        _other => None,
    }
}

fn quality(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let permille: u16 = format!("{part:0<3}").parse().ok()?;
    match (whole, digits) {
        ("0", true) => Some(permille),
        ("1", true) if permille == 0 => Some(1_000),
        _other => None,
    }
}

/// Whether TAXII 2.1 is acceptable: the closest range decides; no statement takes anything.
#[must_use]
pub fn takes_taxii(headers: &HeaderMap) -> bool {
    let mut stated = false;
    let mut best: Option<(u8, u16)> = None;
    for value in headers.get_all(ACCEPT) {
        let Ok(text) = value.to_str() else { return false };
        for range in text.split(',').take(RANGES_MAX) {
            stated = true;
            best = best.max(closeness(range));
        }
    }
    !stated || best.is_some_and(|(_, permille)| permille > 0)
}

/// Whether the body is said to be TAXII 2.1 (the version may be left out) and not compressed.
#[must_use]
pub fn is_taxii(headers: &HeaderMap) -> bool {
    let mut stated = headers.get_all(CONTENT_TYPE).iter();
    let text = stated.next().and_then(|value| value.to_str().ok());
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity");
    let named = text.and_then(closeness).is_some_and(|(closeness, _)| closeness >= 3);
    named && plain && stated.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_versions_and_qualities_are_understood() {
        let takes = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, text.parse().unwrap());
            takes_taxii(&headers)
        };
        for good in [
            "application/taxii+json;version=2.1",
            "application/taxii+json; version=2.1",
            "application/taxii+json",
            "application/taxii+json;version=\"2.1\"",
            "text/html;q=0.9, application/taxii+json;version=2.1;q=0.1",
            "*/*",
            "application/*;q=0.001",
            "*/*;q=0, application/taxii+json",
        ] {
            assert!(takes(good), "{good}");
        }
        for bad in [
            "text/html",
            "application/taxii+json;version=2.0",
            "application/json",
            "*/*, application/taxii+json;version=2.1;q=0",
            "application/taxii+json;q=2",
            "",
        ] {
            assert!(!takes(bad), "{bad}");
        }
        assert!(takes_taxii(&HeaderMap::new()));
    }
    #[test]
    fn bodies_are_taxii_in_plain() {
        let takes = |text: &str, encoding: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, text.parse().unwrap());
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
            }
            is_taxii(&headers)
        };
        assert!(takes("application/taxii+json;version=2.1", None));
        assert!(takes("application/taxii+json", Some("identity")));
        assert!(takes("Application/TAXII+json; charset=utf-8; version=\"2.1\"", None));
        for wrong in ["application/json", "application/taxii+json;version=2.0", "*/*", "x"] {
            assert!(!takes(wrong, None), "{wrong}");
        }
        assert!(!takes("application/taxii+json", Some("gzip")));
        assert!(!is_taxii(&HeaderMap::new()));
    }
}
