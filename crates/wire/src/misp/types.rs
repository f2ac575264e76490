//! MISP's attribute types: what each says in STIX, and what it says of a person. Pure data.
//!
//! A type with object paths has a pattern; the parts of a composite value stand in the order of
//! MISP's `|`. Others are kept as `x-misp-attribute`.
//! SOURCE: describeTypes.json of MISP; STIX 2.1 section 6 for object paths.

/// How a type's value is said in STIX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Comparisons of object paths with the parts of the value.
    Paths(&'static [&'static str]),
    /// An address, of version 4 or 6, with what follows it.
    Address(&'static [&'static str]),
    /// A number in a system, with or without its prefix `AS`.
    System,
    /// A pattern in another language, named as `pattern_type`.
    Language(&'static str),
    /// The name of a vulnerability.
    Vulnerability,
    /// An identifier of an account.
    Account,
    /// A statement about a person, in this field.
    Person(&'static str),
    /// Kept as it is.
    Other,
}

use Form::{Account, Address, Language, Other, Paths, Person, System, Vulnerability};

/// Types with a form of their own, sorted by name.
const TYPES: &[(&str, Form)] = &[
    ("AS", System),
    ("bank-account-nr", Account),
    ("btc", Account),
    ("cc-number", Account),
    ("country-of-residence", Person("person.address")),
    ("dash", Account),
    ("date-of-birth", Person("person.dob")),
    ("dns-soa-email", Paths(&["email-addr:value"])),
    ("domain", Paths(&["domain-name:value"])),
    ("domain|ip", Paths(&["domain-name:value", "domain-name:resolves_to_refs[*].value"])),
    ("email", Paths(&["email-addr:value"])),
    ("email-attachment", Paths(&["email-message:body_multipart[*].body_raw_ref.name"])),
    ("email-body", Paths(&["email-message:body"])),
    ("email-dst", Paths(&["email-message:to_refs[*].value"])),
    ("email-message-id", Paths(&["email-message:message_id"])),
    ("email-reply-to", Paths(&["email-message:additional_header_fields.'Reply-To'"])),
    ("email-src", Paths(&["email-message:from_ref.value"])),
    ("email-src-display-name", Paths(&["email-message:from_ref.display_name"])),
    ("email-subject", Paths(&["email-message:subject"])),
    ("email-x-mailer", Paths(&["email-message:additional_header_fields.'X-Mailer'"])),
    ("eppn", Account),
    ("filename", Paths(&["file:name"])),
    ("filename|authentihash", Paths(&["file:name", "file:hashes.AUTHENTIHASH"])),
    ("filename|imphash", Paths(&["file:name", "file:hashes.IMPHASH"])),
    ("filename|md5", Paths(&["file:name", "file:hashes.MD5"])),
    ("filename|pehash", Paths(&["file:name", "file:hashes.PEHASH"])),
    ("filename|sha1", Paths(&["file:name", "file:hashes.'SHA-1'"])),
    ("filename|sha224", Paths(&["file:name", "file:hashes.'SHA-224'"])),
    ("filename|sha256", Paths(&["file:name", "file:hashes.'SHA-256'"])),
    ("filename|sha3-256", Paths(&["file:name", "file:hashes.'SHA3-256'"])),
    ("filename|sha3-512", Paths(&["file:name", "file:hashes.'SHA3-512'"])),
    ("filename|sha384", Paths(&["file:name", "file:hashes.'SHA-384'"])),
    ("filename|sha512", Paths(&["file:name", "file:hashes.'SHA-512'"])),
    ("filename|ssdeep", Paths(&["file:name", "file:hashes.SSDEEP"])),
    ("filename|tlsh", Paths(&["file:name", "file:hashes.TLSH"])),
    ("first-name", Person("person.name")),
    ("frequent-flyer-number", Person("person.travel")),
    ("full-name", Person("person.name")),
    ("gender", Person("person.gender")),
    ("github-username", Account),
    ("hostname", Paths(&["domain-name:value"])),
    ("hostname|port", Paths(&["domain-name:value", "network-traffic:dst_port"])),
    ("http-method", Paths(&["network-traffic:extensions.'http-request-ext'.request_method"])),
    ("iban", Account),
    ("identity-card-number", Person("person.document")),
    ("imphash", Paths(&["file:hashes.IMPHASH"])),
    ("ip-dst", Address(&[])),
    ("ip-dst|port", Address(&["network-traffic:dst_port"])),
    ("ip-src", Address(&[])),
    ("ip-src|port", Address(&["network-traffic:src_port"])),
    ("issue-date-of-the-visa", Person("person.document")),
    ("jabber-id", Account),
    ("last-name", Person("person.name")),
    ("link", Paths(&["url:value"])),
    ("mac-address", Paths(&["mac-addr:value"])),
    ("md5", Paths(&["file:hashes.MD5"])),
    ("middle-name", Person("person.name")),
    ("mutex", Paths(&["mutex:name"])),
    ("nationality", Person("person.nationality")),
    ("passenger-name-record-locator-number", Person("person.travel")),
    ("passport-country", Person("person.document")),
    ("passport-expiration", Person("person.document")),
    ("passport-number", Person("person.document")),
    ("payment-details", Person("person.travel")),
    ("pehash", Paths(&["file:hashes.PEHASH"])),
    ("phone-number", Account),
    ("place-of-birth", Person("person.pob")),
    ("primary-residence", Person("person.address")),
    ("redress-number", Person("person.document")),
    ("regkey", Paths(&["windows-registry-key:key"])),
    ("regkey|value", Paths(&["windows-registry-key:key", "windows-registry-key:values[*].data"])),
    ("sha1", Paths(&["file:hashes.'SHA-1'"])),
    ("sha224", Paths(&["file:hashes.'SHA-224'"])),
    ("sha256", Paths(&["file:hashes.'SHA-256'"])),
    ("sha3-256", Paths(&["file:hashes.'SHA3-256'"])),
    ("sha3-512", Paths(&["file:hashes.'SHA3-512'"])),
    ("sha384", Paths(&["file:hashes.'SHA-384'"])),
    ("sha512", Paths(&["file:hashes.'SHA-512'"])),
    ("sigma", Language("sigma")),
    ("snort", Language("snort")),
    ("special-service-request", Person("person.travel")),
    ("ssdeep", Paths(&["file:hashes.SSDEEP"])),
    ("stix2-pattern", Language("stix")),
    ("suricata", Language("suricata")),
    ("target-email", Account),
    ("target-user", Person("person.other")),
    ("tlsh", Paths(&["file:hashes.TLSH"])),
    ("travel-details", Person("person.travel")),
    ("twitter-id", Account),
    ("uri", Paths(&["url:value"])),
    ("url", Paths(&["url:value"])),
    (
        "user-agent",
        Paths(&["network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"]),
    ),
    ("visa-number", Person("person.document")),
    ("vulnerability", Vulnerability),
    ("whois-registrant-email", Account),
    ("whois-registrant-name", Person("person.name")),
    ("whois-registrant-phone", Account),
    ("x509-fingerprint-md5", Paths(&["x509-certificate:hashes.MD5"])),
    ("x509-fingerprint-sha1", Paths(&["x509-certificate:hashes.'SHA-1'"])),
    ("x509-fingerprint-sha256", Paths(&["x509-certificate:hashes.'SHA-256'"])),
    ("xmr", Account),
    ("yara", Language("yara")),
];

/// The form of a type.
pub(super) fn form(kind: &str) -> Form {
    let found = TYPES.binary_search_by(|(name, _)| (*name).cmp(kind)).ok();
    found.and_then(|at| TYPES.get(at)).map_or(Other, |(_, form)| *form)
}

/// What the relations of a person or organisation object say, as field names after the first dot.
pub(super) fn relation_field(relation: &str, kind: &str) -> &'static str {
    match relation {
        "full-name" | "first-name" | "last-name" | "middle-name" | "name" | "title" => "name",
        "alias" | "handle" | "nic-hdl" | "mothers-name" => "alias",
        "date-of-birth" => "dob",
        "place-of-birth" => "pob",
        "nationality" => "nationality",
        "gender" => "gender",
        "address" | "post-address" | "country" => "address",
        "e-mail" | "phone-number" | "fax-number" | "instant-messaging-used" | "website" => {
            "contact"
        }
        "dni"
        | "nie"
        | "nif"
        | "social-security-number"
        | "birth-certificate-number"
        | "identity-card-number"
        | "redress-number"
        | "ofac-identification-number"
        | "passport-number"
        | "passport-country"
        | "passport-expiration"
        | "passport-creation"
        | "registration-number"
        | "VAT"
        | "DUNS" => "document",
        "occupation" | "function" | "role" => "role",
        "portrait" | "logo" => "portrait",
        _ => match form(kind) {
            Person(field) => field.split_once('.').map_or("other", |(_, after)| after),
            Paths(_) | Address(_) | System | Language(_) | Vulnerability | Account | Other => {
                "other"
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_composites_have_as_many_paths_as_parts() {
        assert!(TYPES.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(TYPES.len(), 102);
        for (name, form) in TYPES {
            let parts = name.split('|').count();
            match form {
                Paths(paths) => assert_eq!(paths.len(), parts, "{name}"),
                Address(after) => assert_eq!(after.len() + 1, parts, "{name}"),
                _ => assert_eq!(parts, 1, "{name}"),
            }
        }
        assert_eq!(form("no such type"), Other);
    }
}
