//! Names: which record type an object is, and which field each of its properties carries. Pure.
//!
//! The tables are the whole truth; docs/reference/stix-fields.md is written from them and a test
//! compares the two.

use model::record::KIND_PERSON;
use serde_json::{Map, Value};

/// One row of the table of field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownField {
    /// Record type, or `*` for all.
    pub kind: &'static str,
    /// Top-level STIX property.
    pub property: &'static str,
    /// Field the rules know it by.
    pub field: &'static str,
}

const fn row(kind: &'static str, property: &'static str, field: &'static str) -> KnownField {
    KnownField { kind, property, field }
}

/// Properties whose field has another name than the property itself.
pub const KNOWN_FIELDS: &[KnownField] = &[
    row("*", "created_by_ref", "source.identity"),
    row("*", "authors", "source.identity"),
    row(KIND_PERSON, "name", "person.name"),
    row(KIND_PERSON, "aliases", "person.alias"),
    row(KIND_PERSON, "contact_information", "person.contact"),
    row(KIND_PERSON, "description", "person.description"),
    row(KIND_PERSON, "roles", "person.role"),
    row(KIND_PERSON, "sectors", "person.sector"),
    row("organisation", "name", "organisation.name"),
    row("organisation", "aliases", "organisation.alias"),
    row("organisation", "contact_information", "organisation.contact"),
    row("organisation", "description", "organisation.description"),
    row("organisation", "roles", "organisation.role"),
    row("organisation", "sectors", "organisation.sector"),
    row("event", "name", "what"),
    row("event", "description", "what"),
    row("report", "name", "title"),
    row("report", "abstract", "title"),
    row("report", "description", "text"),
    row("report", "content", "text"),
    row("report", "explanation", "text"),
    row("document", "name", "title"),
    row("document", "description", "text"),
    row("document", "content", "text"),
    row("account", "user_id", "account.identifier"),
    row("account", "value", "account.identifier"),
    row("account", "account_login", "account.login"),
    row("account", "display_name", "account.holder"),
    row("account", "belongs_to_ref", "account.holder"),
    row("account", "credential", "account.credential"),
    row("account", "account_type", "account.type"),
    row("content_hash", "hashes", "hash.value"),
    row("url", "value", "content.url"),
];

/// Properties that are no field: the frame of an object, without which it is no STIX object.
pub const FRAME_PROPERTIES: [&str; 28] = [
    "context",
    "created",
    "definition",
    "definition_type",
    "extension_types",
    "extensions",
    "granular_markings",
    "id",
    "identity_class",
    "is_family",
    "is_multipart",
    "lang",
    "modified",
    "object_marking_refs",
    "object_modified",
    "object_ref",
    "opinion",
    "pattern_type",
    "published",
    "relationship_type",
    "revoked",
    "sighting_of_ref",
    "source_ref",
    "spec_version",
    "target_ref",
    "type",
    "valid_from",
    "valid_until",
];

/// Whether a top-level property is part of the frame.
pub(super) fn is_frame(property: &str) -> bool {
    FRAME_PROPERTIES.binary_search(&property).is_ok()
}

/// The field a top-level property carries in a record of this type.
pub(super) fn field_of<'a>(kind: &str, property: &'a str) -> &'a str {
    let fits =
        |row: &&KnownField| row.property == property && (row.kind == "*" || row.kind == kind);
    KNOWN_FIELDS.iter().find(fits).map_or(property, |row| row.field)
}

/// The record type of an object before the extension has its say.
pub(super) fn record_type<'a>(kind: &'a str, value: &Map<String, Value>) -> &'a str {
    match kind {
        "identity" if is_individual(value) => KIND_PERSON,
        "identity" => "organisation",
        "incident" => "event",
        "report" | "note" | "opinion" => "report",
        "user-account" | "email-addr" => "account",
        _ => kind,
    }
}

/// Whether an identity is a natural person.
pub(super) fn is_individual(value: &Map<String, Value>) -> bool {
    let class = value.get("identity_class").and_then(Value::as_str);
    class.is_some_and(|class| class.eq_ignore_ascii_case("individual"))
}

/// Whether an object that says nothing of its subject is, or may be, about a natural person.
///
/// WHY: a lone threat actor and the translation of an identity carry personal data as much as the
/// identity does; both stay closed until somebody says whose data they are.
pub(super) fn may_be_personal(kind: &str, value: &Map<String, Value>) -> bool {
    let text = |key| value.get(key).and_then(Value::as_str);
    match kind {
        "threat-actor" => text("resource_level") == Some("individual"),
        "language-content" => text("object_ref")
            .is_some_and(|id| id.starts_with("identity--") || id.starts_with("threat-actor--")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_decide() {
        assert!(FRAME_PROPERTIES.is_sorted());
        assert_eq!(field_of("person", "name"), "person.name");
        assert_eq!(field_of("malware", "name"), "name");
        assert_eq!(field_of("indicator", "created_by_ref"), "source.identity");
    }
}
