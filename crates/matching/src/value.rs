//! A value in normal form and its place in an ordered index. Pure.
//!
//! INVARIANT: no key is the beginning of another, so that a scan by a key finds that value only.

use crate::net::Net;
use crate::normal::unhex;
use model::value::ValueKind;
use std::fmt;

/// LIMIT: bytes of a text that stand in a key; of a longer one, its beginning and its digest do.
const KEY_TEXT_MAX: usize = 96;
/// Bytes of a long text that stand in its key.
const KEY_TEXT_KEPT: usize = 64;
/// Ends a text in a key.
const END: u8 = 0;
/// Ends the beginning of a long text; 16 bytes of SHA-256 follow.
const CUT: u8 = 1;

/// A value in normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    kind: ValueKind,
    text: String,
}

impl Value {
    /// INVARIANT: called with normal forms only.
    pub(crate) fn new(kind: ValueKind, text: String) -> Self {
        Self { kind, text }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// Its normal form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its place in an index: at most 98 bytes. Cost: O(length), and one SHA-256 of a long text.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len().min(KEY_TEXT_MAX).saturating_add(2));
        out.push(self.kind.code());
        match self.kind {
            ValueKind::Ipv4 | ValueKind::Ipv6 | ValueKind::Net4 | ValueKind::Net6 => {
                if let Some(net) = Net::parse(&self.text) {
                    net.write_key(self.kind, &mut out);
                }
            }
            ValueKind::Mac
            | ValueKind::Md5
            | ValueKind::Sha1
            | ValueKind::Sha224
            | ValueKind::Sha256
            | ValueKind::Sha384
            | ValueKind::Sha512
            | ValueKind::Sha3x256
            | ValueKind::Sha3x512
            | ValueKind::CertificateMd5
            | ValueKind::CertificateSha1
            | ValueKind::CertificateSha256 => out.extend(unhex(&self.text).unwrap_or_default()),
            ValueKind::Domain => put(&mut out, reversed(&self.text).as_bytes()),
            ValueKind::Email => match self.text.rsplit_once('@') {
                Some((local, domain)) => put(&mut out, format!("{domain}@{local}").as_bytes()),
                None => put(&mut out, self.text.as_bytes()),
            },
            ValueKind::Url
            | ValueKind::Asn
            | ValueKind::Ssdeep
            | ValueKind::Tlsh
            | ValueKind::FileName
            | ValueKind::RegistryKey
            | ValueKind::Mutex
            | ValueKind::Account
            | ValueKind::Cve
            | ValueKind::CertificateSerial
            | ValueKind::Wallet
            | ValueKind::Iban
            | ValueKind::Phone
            | ValueKind::Device
            | ValueKind::Document
            | ValueKind::Imo
            | ValueKind::Mmsi
            | ValueKind::CallSign => put(&mut out, self.text.as_bytes()),
        }
        out
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn put(out: &mut Vec<u8>, text: &[u8]) {
    if text.len() <= KEY_TEXT_MAX {
        out.extend_from_slice(text);
        out.push(END);
        return;
    }
    out.extend_from_slice(text.get(..KEY_TEXT_KEPT).unwrap_or(text));
    out.push(CUT);
    let digest = crypto::hash::sha256(text);
    out.extend(digest.0.iter().take(16));
}

/// A name with its labels in reverse, so that the names below it follow it.
fn reversed(name: &str) -> String {
    let mut labels: Vec<&str> = name.split('.').collect();
    labels.reverse();
    labels.join(".")
}

/// Beginnings of keys of values that lie within this one: names below a domain, URLs and mail
/// addresses at a host. Networks have ranges instead, see [`Net::range`].
#[must_use]
pub fn reach(value: &Value) -> Vec<Vec<u8>> {
    let start = |kind: ValueKind, text: String| {
        let fits = text.len() <= KEY_TEXT_KEPT;
        fits.then(|| [&[kind.code()], text.as_bytes()].concat())
    };
    let host = value.text();
    let host = if value.kind() == ValueKind::Ipv6 { format!("[{host}]") } else { host.to_owned() };
    let mut out = Vec::new();
    if value.kind() == ValueKind::Domain {
        out.push(start(ValueKind::Domain, format!("{}.", reversed(&host))));
        out.push(start(ValueKind::Email, format!("{host}@")));
    }
    if matches!(value.kind(), ValueKind::Domain | ValueKind::Ipv4 | ValueKind::Ipv6) {
        for scheme in ["http", "https", "ftp"] {
            for after in ['/', ':'] {
                out.push(start(ValueKind::Url, format!("{scheme}://{host}{after}")));
            }
        }
    }
    out.into_iter().flatten().collect()
}
