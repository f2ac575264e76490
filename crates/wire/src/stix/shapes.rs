//! What STIX demands of each of its types: required properties and their forms. Pure data.
//!
//! SOURCE: STIX 2.1 sections 3 to 7, checked against the OASIS JSON schemas (tests); STIX 2.0
//! parts 2 and 3 for objects without `spec_version`.

/// The form of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Time,
    Flag,
    Whole,
    Number,
    Texts,
    Id,
    Ids,
    Map,
}

impl Form {
    /// In words, for messages.
    pub(crate) fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Time => "a time such as 2026-11-23T12:00:00Z",
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Texts => "a list of texts that is not empty",
            Self::Id => "an identifier of the form type--uuid",
            Self::Ids => "a list of identifiers that is not empty",
            Self::Map => "an object that is not empty",
        }
    }
}

/// Families of types, which share what is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Domain and relationship objects, language content, extension definitions: versioned.
    Versioned,
    /// Cyber-observable objects: no versions.
    Observable,
    /// Marking definitions: created once.
    Marking,
}

/// Beyond single required properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// All properties of at least one of these sets.
    OneOf(&'static [&'static [&'static str]]),
    /// At least one property of its own.
    AnyOwn,
}

/// One STIX type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) kind: &'static str,
    pub(crate) family: Family,
    pub(crate) required: &'static [(&'static str, Form)],
    pub(crate) needs: Needs,
}

type Required = &'static [(&'static str, Form)];

const fn sdo(kind: &'static str, required: Required, needs: Needs) -> Shape {
    Shape { kind, family: Family::Versioned, required, needs }
}

const fn sco(kind: &'static str, required: Required, needs: Needs) -> Shape {
    Shape { kind, family: Family::Observable, required, needs }
}

const NAME: Required = &[("name", Form::Text)];
const VALUE: Required = &[("value", Form::Text)];
const ENDS: Required =
    &[("relationship_type", Form::Text), ("source_ref", Form::Id), ("target_ref", Form::Id)];
const OBSERVED: Required = &[
    ("first_observed", Form::Time),
    ("last_observed", Form::Time),
    ("number_observed", Form::Whole),
];
const PLACES: Needs = Needs::OneOf(&[&["region"], &["country"], &["latitude", "longitude"]]);
const DEFINED: Needs = Needs::OneOf(&[&["definition_type", "definition"], &["extensions"]]);

/// Every type of STIX 2.1, sorted by name.
pub(crate) static SHAPES: &[Shape] = &[
    sco("artifact", &[], Needs::OneOf(&[&["payload_bin"], &["url", "hashes"]])),
    sdo("attack-pattern", NAME, Needs::Nothing),
    sco("autonomous-system", &[("number", Form::Whole)], Needs::Nothing),
    sdo("campaign", NAME, Needs::Nothing),
    sdo("course-of-action", NAME, Needs::Nothing),
    sco("directory", &[("path", Form::Text)], Needs::Nothing),
    sco("domain-name", VALUE, Needs::Nothing),
    sco("email-addr", VALUE, Needs::Nothing),
    sco("email-message", &[("is_multipart", Form::Flag)], Needs::Nothing),
    sdo(
        "extension-definition",
        &[
            ("created_by_ref", Form::Id),
            ("name", Form::Text),
            ("schema", Form::Text),
            ("version", Form::Text),
            ("extension_types", Form::Texts),
        ],
        Needs::Nothing,
    ),
    sco("file", &[], Needs::OneOf(&[&["hashes"], &["name"]])),
    sdo("grouping", &[("context", Form::Text), ("object_refs", Form::Ids)], Needs::Nothing),
    sdo("identity", NAME, Needs::Nothing),
    sdo("incident", NAME, Needs::Nothing),
    sdo(
        "indicator",
        &[("pattern", Form::Text), ("pattern_type", Form::Text), ("valid_from", Form::Time)],
        Needs::Nothing,
    ),
    sdo("infrastructure", NAME, Needs::Nothing),
    sdo("intrusion-set", NAME, Needs::Nothing),
    sco("ipv4-addr", VALUE, Needs::Nothing),
    sco("ipv6-addr", VALUE, Needs::Nothing),
    sdo("language-content", &[("object_ref", Form::Id), ("contents", Form::Map)], Needs::Nothing),
    sdo("location", &[], PLACES),
    sco("mac-addr", VALUE, Needs::Nothing),
    sdo("malware", &[("is_family", Form::Flag)], Needs::Nothing),
    sdo(
        "malware-analysis",
        &[("product", Form::Text)],
        Needs::OneOf(&[&["result"], &["analysis_sco_refs"]]),
    ),
    Shape { kind: "marking-definition", family: Family::Marking, required: &[], needs: DEFINED },
    sco("mutex", NAME, Needs::Nothing),
    sco(
        "network-traffic",
        &[("protocols", Form::Texts)],
        Needs::OneOf(&[&["src_ref"], &["dst_ref"]]),
    ),
    sdo("note", &[("content", Form::Text), ("object_refs", Form::Ids)], Needs::Nothing),
    sdo("observed-data", OBSERVED, Needs::OneOf(&[&["objects"], &["object_refs"]])),
    sdo("opinion", &[("opinion", Form::Text), ("object_refs", Form::Ids)], Needs::Nothing),
    sco("process", &[], Needs::AnyOwn),
    sdo("relationship", ENDS, Needs::Nothing),
    sdo(
        "report",
        &[("name", Form::Text), ("published", Form::Time), ("object_refs", Form::Ids)],
        Needs::Nothing,
    ),
    sdo("sighting", &[("sighting_of_ref", Form::Id)], Needs::Nothing),
    sco("software", NAME, Needs::Nothing),
    sdo("threat-actor", NAME, Needs::Nothing),
    sdo("tool", NAME, Needs::Nothing),
    sco("url", VALUE, Needs::Nothing),
    sco("user-account", &[], Needs::AnyOwn),
    sdo("vulnerability", NAME, Needs::Nothing),
    sco("windows-registry-key", &[], Needs::AnyOwn),
    sco("x509-certificate", &[], Needs::AnyOwn),
];

/// What STIX 2.1 demands of a type; nothing for custom types.
pub(crate) fn shape(kind: &str) -> Option<&'static Shape> {
    let index = SHAPES.binary_search_by(|shape| shape.kind.cmp(kind)).ok()?;
    SHAPES.get(index)
}

/// What STIX 2.0 demands where it differs: less of `indicator`, `malware` and `opinion`.
pub(crate) fn required_in_20(kind: &str) -> Option<Required> {
    match kind {
        "indicator" => Some(&[("pattern", Form::Text), ("valid_from", Form::Time)]),
        "malware" => Some(NAME),
        "observed-data" => Some(OBSERVED),
        _ => None,
    }
}

/// The form of a property wherever STIX defines it, required or not.
pub(crate) fn form_of(property: &str) -> Option<Form> {
    match property {
        "created" | "modified" | "valid_from" | "valid_until" | "first_seen" | "last_seen"
        | "first_observed" | "last_observed" | "published" | "start_time" | "stop_time"
        | "object_modified" | "submitted" | "analysis_started" | "analysis_ended" => {
            Some(Form::Time)
        }
        "revoked" => Some(Form::Flag),
        "labels"
        | "aliases"
        | "roles"
        | "sectors"
        | "goals"
        | "indicator_types"
        | "malware_types"
        | "report_types"
        | "tool_types"
        | "threat_actor_types"
        | "infrastructure_types" => Some(Form::Texts),
        "confidence" | "count" | "number_observed" => Some(Form::Whole),
        "latitude" | "longitude" | "precision" => Some(Form::Number),
        "extensions" => Some(Form::Map),
        "name"
        | "description"
        | "lang"
        | "identity_class"
        | "contact_information"
        | "pattern"
        | "pattern_type"
        | "pattern_version"
        | "context"
        | "relationship_type" => Some(Form::Text),
        _ if property.starts_with("x_") => None,
        _ if property.ends_with("_refs") => Some(Form::Ids),
        _ if property.ends_with("_ref") => Some(Form::Id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(SHAPES.is_sorted_by_key(|s| s.kind));
        let count = |family| SHAPES.iter().filter(|s| s.family == family).count();
        // 19 domain objects, 2 relationship objects, language content, extension definition.
        assert_eq!(count(Family::Versioned), 23);
        assert_eq!(count(Family::Observable), 18);
        assert!(shape("identity").is_some() && shape("x-custom").is_none());
    }
}
