//! Articles of an agreement document. Pure.

use super::reader::{Reader, Section};
use model::agreement::{Article, DesignationRule, Effect, Level, When};
use model::marking::Tlp;
use policy::terms::ORIGINATOR_CONSENT;
use std::collections::{BTreeMap, BTreeSet};

/// Effects as written; an allow article names its level apart.
const EFFECTS: [(&str, Effect); 3] =
    [("allow", Effect::Allow(Level::HitOnly)), ("deny", Effect::Deny), ("oblige", Effect::Oblige)];
const LEVELS: [(&str, Level); 3] =
    [("hit_only", Level::HitOnly), ("redacted", Level::Redacted), ("full", Level::Full)];
const DESIGNATIONS: [(&str, DesignationRule); 3] = [
    ("both_or_un", DesignationRule::BothOrUn),
    ("provider", DesignationRule::Provider),
    ("act_only", DesignationRule::ActOnly),
];
const TLP: [(&str, Tlp); 5] = [
    ("clear", Tlp::Clear),
    ("green", Tlp::Green),
    ("amber", Tlp::Amber),
    ("amber+strict", Tlp::AmberStrict),
    ("red", Tlp::Red),
];
const KEYS: [&str; 15] = [
    "id",
    "effect",
    "level",
    "text",
    "redact",
    "fields",
    "requires",
    "caveats",
    "obligations",
    "overrides",
    "from",
    "to",
    "retention",
    "deadline",
    "when",
];
const WHEN_KEYS: [&str; 10] = [
    "object_types",
    "purposes",
    "offences",
    "subjects",
    "flags",
    "max_class",
    "max_tlp",
    "min_grade",
    "min_penalty_months",
    "designation",
];

/// Reads all articles; ids must differ.
pub(super) fn articles(reader: &mut Reader, sections: Vec<Section<'_>>) -> Vec<Article> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for section in sections {
        let (at, key) = (section.at, section.path_of("id"));
        let Some(article) = article(reader, section) else { continue };
        if let Some(line) = seen.insert(article.id.clone(), reader.line(at)) {
            let message = format!("article `{}` is already on line {line}", article.id);
            reader.report(at, &key, message, "give each article its own id");
        }
        out.push(article);
    }
    out
}

fn article(reader: &mut Reader, mut section: Section<'_>) -> Option<Article> {
    let id = reader.required(&mut section, "id").map(|(_, id)| id.to_owned());
    let effect = effect(reader, &mut section);
    let text = reader.required(&mut section, "text").map(|(_, text)| text.to_owned());
    let redact = reader.words(&mut section, "redact").unwrap_or_default();
    let fields = reader.words(&mut section, "fields");
    let requires = reader.words(&mut section, "requires").unwrap_or_default();
    let caveats = reader.words(&mut section, "caveats").unwrap_or_default();
    let obligations = reader.words(&mut section, "obligations").unwrap_or_default();
    let overrides = overrides(reader, &mut section);
    let from = reader.parsed_list(&mut section, "from");
    let to = reader.parsed_list(&mut section, "to");
    let retention = reader.parsed(&mut section, "retention");
    let deadline = reader.parsed(&mut section, "deadline");
    let when = reader.section(&mut section, "when", false).map(|s| when(reader, s));
    reader.finish(&section, &KEYS);
    Some(Article {
        id: id?,
        effect: effect?,
        text: text?,
        redact,
        fields,
        requires,
        caveats,
        obligations,
        overrides,
        from,
        to,
        retention,
        deadline,
        when: when.unwrap_or_default(),
    })
}

fn effect(reader: &mut Reader, section: &mut Section<'_>) -> Option<Effect> {
    let effect = reader.required_choice(section, "effect", &EFFECTS);
    let level = reader.choice(section, "level", &LEVELS);
    match (effect?, level) {
        (Effect::Allow(_), Some(level)) => Some(Effect::Allow(level)),
        (Effect::Allow(_), None) => {
            if !section.has("level") {
                reader.missing(section, "level");
            }
            None
        }
        (other @ (Effect::Deny | Effect::Oblige), None) => Some(other),
        (other @ (Effect::Deny | Effect::Oblige), Some(_)) => {
            let message = "only an allow article has a level".to_owned();
            let cure = "remove `level` or write `effect = \"allow\"`";
            reader.report(section.at, &section.path_of("level"), message, cure);
            Some(other)
        }
    }
}

fn overrides(reader: &mut Reader, section: &mut Section<'_>) -> BTreeSet<String> {
    let words = reader.words(section, "overrides").unwrap_or_default();
    for word in words.iter().filter(|word| *word != ORIGINATOR_CONSENT) {
        let message = format!("`{word}` cannot be lifted by an article");
        let cure = "only `ORIGINATOR_CONSENT` can be lifted";
        reader.report(section.at, &section.path_of("overrides"), message, cure);
    }
    words
}

fn when(reader: &mut Reader, mut section: Section<'_>) -> When {
    let when = When {
        object_types: reader.words(&mut section, "object_types"),
        purposes: reader.words(&mut section, "purposes"),
        offences: reader.words(&mut section, "offences"),
        subjects: reader.words(&mut section, "subjects"),
        flags: reader.words(&mut section, "flags"),
        max_class: reader
            .number(&mut section, "max_class", 0..=4)
            .and_then(|level| u8::try_from(level).ok()),
        max_tlp: reader.choice(&mut section, "max_tlp", &TLP),
        min_grade: reader.parsed(&mut section, "min_grade"),
        min_penalty_months: reader.number(&mut section, "min_penalty_months", 0..=u32::MAX),
        designation: reader.choice(&mut section, "designation", &DESIGNATIONS),
    };
    reader.finish(&section, &WHEN_KEYS);
    when
}
