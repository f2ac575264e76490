//! The normal form of each kind of value. Pure.
//!
//! INVARIANT: [`normalise`] is idempotent: the normal form of a normal form is itself.
//! SOURCE: RFC 5952, UTS 46 (names), WHATWG URL and RFC 3986 section 6.2.2 (URLs), ISO 13616
//! (IBAN), ITU-T E.164 (telephone), IMO A.1117(30) (ships); what feeds write to defang.

mod network;
mod number;
mod thing;

use crate::value::Value;
use crate::{ssdeep, tlsh};
use model::value::ValueKind;
use std::borrow::Cow;

/// LIMIT: bytes of a value that is compared; longer ones are no names of anything.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;

/// The normal form of a text that is said to be of this kind; nothing if it cannot be. The kind may
/// turn out narrower: an address with a prefix is a network, a name that is an address an address.
#[must_use]
pub fn normalise(kind: ValueKind, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() || text.len() > VALUE_BYTES_MAX || text.chars().any(char::is_control) {
        return None;
    }
    let plain = |text: Option<String>| text.map(|text| Value::new(kind, text));
    match kind {
        ValueKind::Ipv4 | ValueKind::Ipv6 | ValueKind::Net4 | ValueKind::Net6 => {
            network::address(text)
        }
        ValueKind::Domain => network::domain(text),
        ValueKind::Url => plain(network::url(text)),
        ValueKind::Email => plain(network::email(text)),
        ValueKind::Mac => plain(network::mac(text)),
        ValueKind::Asn => plain(network::asn(text)),
        ValueKind::Md5 | ValueKind::CertificateMd5 => plain(hex_of(text, 32)),
        ValueKind::Sha1 | ValueKind::CertificateSha1 => plain(hex_of(text, 40)),
        ValueKind::Sha224 => plain(hex_of(text, 56)),
        ValueKind::Sha256 | ValueKind::Sha3x256 | ValueKind::CertificateSha256 => {
            plain(hex_of(text, 64))
        }
        ValueKind::Sha384 => plain(hex_of(text, 96)),
        ValueKind::Sha512 | ValueKind::Sha3x512 => plain(hex_of(text, 128)),
        ValueKind::Ssdeep => plain(ssdeep::Ssdeep::parse(text).map(|digest| digest.to_string())),
        ValueKind::Tlsh => plain(tlsh::Tlsh::parse(text).map(|digest| digest.to_string())),
        ValueKind::FileName => plain(thing::file_name(text)),
        ValueKind::RegistryKey => plain(thing::registry_key(text)),
        ValueKind::Mutex => plain(Some(text.to_owned())),
        ValueKind::Account => plain(thing::account(text)),
        ValueKind::Cve => plain(number::cve(text)),
        ValueKind::CertificateSerial => plain(number::serial(text)),
        ValueKind::Wallet => plain(thing::wallet(text)),
        ValueKind::Iban => plain(number::iban(text)),
        ValueKind::Phone => plain(number::phone(text)),
        ValueKind::Device => plain(number::device(text)),
        ValueKind::Document => plain(number::document(text)),
        ValueKind::Imo => plain(number::imo(text)),
        ValueKind::Mmsi => plain(number::digits(text, 9, 9)),
        ValueKind::CallSign => plain(number::call_sign(text)),
    }
}

/// Every value a text may be, when nobody says which; in the order of the kinds.
#[must_use]
pub fn guess(text: &str) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for value in ValueKind::ALL.iter().filter_map(|kind| normalise(*kind, text)) {
        if !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

/// What feeds write so that nobody clicks on it, undone.
pub(crate) fn refanged(text: &str) -> Cow<'_, str> {
    const SIGNS: [(&str, &str); 15] = [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("{dot}", "."),
        ("\\.", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
        ("[@]", "@"),
        ("(@)", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("{at}", "@"),
    ];
    let mut out = Cow::Borrowed(text);
    if text.contains(['[', '(', '{', '\\']) {
        let lower = text.to_ascii_lowercase();
        let worded = lower.contains("dot") || lower.contains("at");
        for (sign, plain) in SIGNS {
            if out.contains(sign) {
                out = Cow::Owned(out.replace(sign, plain));
            } else if worded && sign.len() > 3 {
                let upper = sign.to_ascii_uppercase();
                if out.contains(&upper) {
                    out = Cow::Owned(out.replace(&upper, plain));
                }
            }
        }
    }
    let start: String = out.chars().take(6).collect::<String>().to_ascii_lowercase();
    for (fanged, plain) in [("hxxp", "http"), ("h**p", "http"), ("hxtp", "http"), ("fxp:", "ftp:")]
    {
        if start.starts_with(fanged) {
            let rest = out.get(fanged.len()..).unwrap_or_default().to_owned();
            return Cow::Owned(format!("{plain}{rest}"));
        }
    }
    out
}

/// Exactly so many hexadecimal digits, in lower case.
pub(crate) fn hex_of(text: &str, digits: usize) -> Option<String> {
    let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| text.to_ascii_lowercase())
}

/// The bytes of hexadecimal digits; colons between them are passed over.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?),
            _ => None,
        })
        .collect()
}
