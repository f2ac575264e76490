//! Normal forms of addresses, names, URLs and mail addresses. Pure.

use super::refanged;
use crate::net::Net;
use crate::value::Value;
use model::value::ValueKind;
use url::Url;

/// LIMIT: bytes of a name and of a label (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

pub(super) fn address(text: &str) -> Option<Value> {
    let text = refanged(text);
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&text);
    let net = Net::parse(bare)?;
    Some(Value::new(net.kind(), net.to_string()))
}

pub(super) fn domain(text: &str) -> Option<Value> {
    let text = refanged(text);
    if text.bytes().next_back().is_some_and(|b| b.is_ascii_digit() || b == b':')
        && let Some(value) = address(&text).filter(|_| !text.contains('/'))
    {
        return Some(value);
    }
    name(&text).map(|text| Value::new(ValueKind::Domain, text))
}

/// A host name: labels of letters, digits, `-` and `_`, in the form that is sent.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |text: &str| {
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let label = |l: &str| !l.is_empty() && l.len() <= LABEL_BYTES_MAX && l.bytes().all(letters);
        text.len() <= NAME_BYTES_MAX && text.split('.').all(label)
    };
    let ascii = plain(text);
    let marked = !text.is_ascii() || text.to_ascii_lowercase().contains("xn--");
    if !marked {
        return ascii.then(|| text.to_ascii_lowercase());
    }
    match idna::domain_to_ascii(text) {
        Ok(sent) => plain(&sent).then_some(sent),
        // WHY: names that break the rules of UTS 46 exist and are looked up all the same.
        Err(_) => ascii.then(|| text.to_ascii_lowercase()),
    }
}

pub(super) fn email(text: &str) -> Option<String> {
    let text = refanged(text);
    let text = text
        .get(..7)
        .filter(|s| s.eq_ignore_ascii_case("mailto:"))
        .map_or(&*text, |_| text.get(7..).unwrap_or_default());
    let (local, host) = text.rsplit_once('@')?;
    let spaced = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '@');
    if local.is_empty() || local.contains(spaced) {
        return None;
    }
    let host = name(host)?;
    // WHY: the part before the sign is case-sensitive by RFC 5321 and at no provider in use.
    Some(format!("{}@{host}", local.to_lowercase()))
}

pub(super) fn url(text: &str) -> Option<String> {
    let text = refanged(text);
    let mut parsed = Url::parse(&text).ok()?;
    parsed.set_fragment(None);
    if parsed.scheme().len() < 2 || (!parsed.has_host() && parsed.path().len() < 2) {
        return None;
    }
    let simple = percent(parsed.as_str());
    let again = Url::parse(&simple).ok()?;
    Some(String::from(again)).filter(|text| text.len() <= super::VALUE_BYTES_MAX)
}

/// Percent-encodings in upper case, and undone where the character needs none (RFC 3986 6.2.2).
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match code.filter(|_| after.bytes().next() != Some(b'+')) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None => {
                out.push('%');
                rest = after;
                continue;
            }
        }
        rest = after.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

pub(super) fn mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let digits = super::hex_of(&digits, 12)?;
    let pairs: Vec<&str> = (0..6_usize)
        .filter_map(|at| digits.get(at.saturating_mul(2)..at.saturating_mul(2).saturating_add(2)))
        .collect();
    Some(pairs.join(":"))
}

pub(super) fn asn(text: &str) -> Option<String> {
    let digits = text
        .get(..2)
        .filter(|s| s.eq_ignore_ascii_case("as"))
        .map_or(text, |_| text.get(2..).unwrap_or_default().trim_start());
    let number: u32 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("AS{number}"))
}
