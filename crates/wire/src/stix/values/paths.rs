//! Which property of which observable holds which kind of value: one table. Pure.

use model::value::ValueKind::{self, *};

/// One row.
pub(super) struct Row {
    kind_of_object: &'static str,
    /// The top-level property.
    pub(super) property: &'static str,
    /// Steps below it.
    pub(super) rest: &'static [&'static str],
    /// What stands there.
    pub(super) kind: ValueKind,
}

const fn row(object: &'static str, property: &'static str, kind: ValueKind) -> Row {
    Row { kind_of_object: object, property, rest: &[], kind }
}

/// The table, ordered by object.
const ROWS: &[Row] = &[
    row("autonomous-system", "number", Asn),
    row("cryptocurrency-wallet", "address", Wallet),
    row("cryptocurrency-wallet", "value", Wallet),
    row("domain-name", "value", Domain),
    row("email-addr", "value", Email),
    row("file", "name", FileName),
    row("hostname", "value", Domain),
    row("ipv4-addr", "value", Ipv4),
    row("ipv6-addr", "value", Ipv6),
    row("mac-addr", "value", Mac),
    row("mutex", "name", Mutex),
    row("phone-number", "value", Phone),
    row("url", "value", Url),
    row("user-account", "account_login", Account),
    row("user-account", "user_id", Account),
    row("windows-registry-key", "key", RegistryKey),
    row("x509-certificate", "serial_number", CertificateSerial),
];

/// The rows of a type.
pub(super) fn rows(object: &str) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.kind_of_object == object)
}

/// The kind of what a pattern's path leads to.
pub(super) fn kind_of(object: &str, path: &str) -> Option<ValueKind> {
    if let Some((_, algorithm)) = path.rsplit_once("hashes.") {
        return hash_kind(algorithm.trim_matches('\'')).map(|kind| of_certificate(object, kind));
    }
    if path.ends_with(".imphash") || path.ends_with(".'imphash'") {
        return Some(Md5);
    }
    if object == "vulnerability" && path == "name" {
        return Some(Cve);
    }
    if let Some(row) = rows(object).find(|row| row.property == path) {
        return Some(row.kind);
    }
    referred(path)
}

/// Paths through a reference, such as `network-traffic:dst_ref.value` or `from_ref.value`.
fn referred(path: &str) -> Option<ValueKind> {
    let (holder, property) = path.rsplit_once('.')?;
    let holder = holder.rsplit('.').next().unwrap_or(holder);
    let holder = holder.split('[').next().unwrap_or(holder);
    match (holder, property) {
        ("src_ref" | "dst_ref" | "resolves_to_refs", "value") => Some(Ipv4),
        ("from_ref" | "sender_ref" | "to_refs" | "cc_refs" | "bcc_refs", "value") => Some(Email),
        ("image_ref" | "binary_ref" | "body_raw_ref" | "content_ref", "name") => Some(FileName),
        ("creator_user_ref" | "belongs_to_ref", "account_login" | "user_id") => Some(Account),
        _ => None,
    }
}

/// A hash by the name of its algorithm (hash-algorithm-ov, as feeds also write it).
pub(super) fn hash_kind(algorithm: &str) -> Option<ValueKind> {
    let plain: String =
        algorithm.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_lowercase();
    Some(match plain.as_str() {
        "md5" => Md5,
        "sha1" => Sha1,
        "sha224" => Sha224,
        "sha256" => Sha256,
        "sha384" => Sha384,
        "sha512" => Sha512,
        "sha3256" => Sha3x256,
        "sha3512" => Sha3x512,
        "ssdeep" => Ssdeep,
        "tlsh" => Tlsh,
        _ => return None,
    })
}

/// The hash of a certificate is compared with hashes of certificates only.
pub(super) fn of_certificate(object: &str, hash: ValueKind) -> ValueKind {
    match (object, hash) {
        ("x509-certificate", Md5) => CertificateMd5,
        ("x509-certificate", Sha1) => CertificateSha1,
        ("x509-certificate", Sha256) => CertificateSha256,
        (_, other) => other,
    }
}
