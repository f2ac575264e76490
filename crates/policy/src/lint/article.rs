//! Findings on the articles of one agreement. Pure.

use super::Notes;
use crate::overlap::{can_meet, covers};
use crate::terms::{COMPUTED, FACTS, ORIGINATOR_CONSENT, PURPOSE_PROSECUTION, SUBJECTS};
use model::agreement::{Agreement, Article, Effect, Level};
use model::ids::PartyId;
use model::record::KIND_PERSON;
use model::vocabulary::Vocabulary;
use std::collections::BTreeSet;

/// Requirements that stand for a permission to use information in court.
const PERMISSIONS: [&str; 3] =
    ["evidence_permission", "judicial_authorisation", "request_complete"];
/// An act that consists in belonging to a group, and so rests on its designation.
const ACT_MEMBERSHIP: &str = "membership";
/// Record types that are about groups as such.
const GROUP_TYPES: [&str; 4] = ["group", "organisation", "threat-actor", "intrusion-set"];
/// Special-category data need both.
const SPECIAL_FACTS: [&str; 2] = [crate::terms::FACT_NECESSITY, crate::terms::FACT_HUMAN_REVIEW];

pub(super) fn look(agreement: &Agreement, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let mut ids = BTreeSet::new();
    for article in &agreement.articles {
        let mut notes = notes.of(&article.id);
        if !ids.insert(&article.id) {
            let message = format!("two articles are called `{}`", article.id);
            notes.error("id", message, "give each article its own id");
        }
        unreachable(agreement, article, &mut notes);
        words(article, vocabulary, &mut notes);
        fields(article, vocabulary, &mut notes);
        match article.effect {
            Effect::Allow(level) => allow(agreement, article, level, &mut notes),
            Effect::Deny | Effect::Oblige => plain(article, &mut notes),
        }
        against_others(agreement, article, &mut notes);
    }
}

/// Conditions that nothing can meet.
fn unreachable(agreement: &Agreement, article: &Article, notes: &mut Notes<'_>) {
    let when = &article.when;
    let lists = [
        ("when.object_types", &when.object_types),
        ("when.purposes", &when.purposes),
        ("when.offences", &when.offences),
        ("when.subjects", &when.subjects),
        ("when.flags", &when.flags),
    ];
    for (key, list) in lists {
        if list.as_ref().is_some_and(BTreeSet::is_empty) {
            let message = "an empty list matches nothing, so the article never applies".to_owned();
            notes.error(key, message, "name what it covers, or remove the key");
        }
    }
    if when.max_class.is_some_and(|level| level > 4) {
        let message = "there is no level above 4".to_owned();
        notes.error("when.max_class", message, "write a level from 0 to 4");
    }
    for (key, list) in [("from", &article.from), ("to", &article.to)] {
        let Some(list) = list else { continue };
        let known = |id: &&PartyId| agreement.parties.iter().any(|party| party.id == **id);
        for id in list.iter().filter(|id| !known(id)) {
            let message = format!("`{id}` is no party of this agreement");
            notes.warning(key, message, "name a party");
        }
        if !list.iter().any(|id| known(&id)) {
            let message = "no party is named, so the article never applies".to_owned();
            notes.error(key, message, "name a party, or remove the key");
        }
    }
}

/// Words the vocabulary does not know. Record types are free.
fn words(article: &Article, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let when = &article.when;
    let purposes = when.purposes.iter().flatten();
    for word in purposes.filter(|p| !vocabulary.purposes.contains(p)) {
        let message = format!("purpose `{word}` is not in the vocabulary");
        notes.warning("when.purposes", message, "use a purpose of the vocabulary");
    }
    let offences = when.offences.iter().flatten();
    for word in offences.filter(|o| !vocabulary.offences.contains_key(*o)) {
        let message = format!("act `{word}` is not in the vocabulary");
        notes.warning("when.offences", message, "use an act of the vocabulary");
    }
    let subjects = when.subjects.iter().flatten();
    for word in subjects.filter(|s| !SUBJECTS.contains(&s.as_str())) {
        let message = format!("category of data subject `{word}` is not known");
        notes.warning("when.subjects", message, "use a category of the vocabulary");
    }
    let facts = article.requires.iter().map(String::as_str);
    for word in facts.filter(|f| !FACTS.contains(f) && !COMPUTED.contains(f)) {
        let message = format!("requirement `{word}` is not known; nobody may ever state it");
        notes.warning("requires", message, "use a fact of the vocabulary");
    }
    for word in article.overrides.iter().filter(|o| *o != ORIGINATOR_CONSENT) {
        let message = format!("`{word}` cannot be lifted by an article");
        notes.error("overrides", message, "only ORIGINATOR_CONSENT can be lifted");
    }
}

/// Allow lists, withheld fields and special categories that work against each other.
fn fields(article: &Article, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let Some(list) = &article.fields else { return };
    if list.is_empty() {
        let message = "no field may go, so the article gives at most a hit".to_owned();
        notes.warning("fields", message, "write level `hit_only`, or list fields");
    }
    for field in list.intersection(&article.redact) {
        let message = format!("field `{field}` is both let go and withheld; it is withheld");
        notes.warning("fields", message, "remove it from one of the lists");
    }
    let stated = SPECIAL_FACTS.iter().all(|fact| article.requires.contains(*fact));
    for field in list.intersection(&vocabulary.special_categories).filter(|_| !stated) {
        let message = format!(
            "field `{field}` is special category data and stays withheld unless necessity is \
             stated and a person has reviewed it"
        );
        notes.warning("fields", message, "require `necessity_statement` and `human_review`");
    }
}

fn allow(agreement: &Agreement, article: &Article, level: Level, notes: &mut Notes<'_>) {
    let when = &article.when;
    if article.retention.is_none() && agreement.defaults.retention.is_none() {
        let message = "what goes may be kept for ever".to_owned();
        notes.warning("retention", message, "set a period in the article or the defaults");
    }
    let types = when.object_types.as_ref();
    if types.is_none_or(|types| types.contains(KIND_PERSON)) && when.subjects.is_none() {
        let message = "personal data go without saying about whom".to_owned();
        notes.warning("when.subjects", message, "name the categories of data subject");
    }
    let prosecution = when.purposes.as_ref().is_none_or(|p| p.contains(PURPOSE_PROSECUTION));
    let permitted = PERMISSIONS.iter().any(|fact| article.requires.contains(*fact));
    if prosecution && !permitted {
        let message = "use in court needs no permission".to_owned();
        notes.warning(
            "requires",
            message,
            "require `evidence_permission`, or leave the purpose out",
        );
    }
    let membership = when.offences.as_ref().is_some_and(|o| o.contains(ACT_MEMBERSHIP));
    let groups = types.is_some_and(|t| GROUP_TYPES.iter().any(|g| t.contains(*g)));
    let labelled = types.is_some_and(|t| t.contains("report")) && when.offences.is_none();
    let lifts = article.overrides.contains(ORIGINATOR_CONSENT);
    if when.designation.is_none() && (membership || groups || (labelled && !lifts)) {
        let message = "it covers groups without saying whose designation counts".to_owned();
        notes.warning("when.designation", message, "add `both_or_un`, `provider` or `act_only`");
    }
    if lifts && article.requires.is_empty() {
        let message = "the originator's consent is lifted without any condition".to_owned();
        notes.warning("requires", message, "require `imminent_threat_to_life` and `human_review`");
    }
    if level == Level::Full && (article.fields.is_some() || !article.redact.is_empty()) {
        let message = "a full release that withholds fields is a redacted one".to_owned();
        notes.note("level", message, "write level `redacted`");
    }
    if level == Level::Redacted && article.fields.is_none() && article.redact.is_empty() {
        let message = "a redacted release that withholds nothing is a full one".to_owned();
        notes.note("level", message, "list what is withheld, or write level `full`");
    }
    if when == &model::agreement::When::default() {
        let message = "it covers everything".to_owned();
        notes.warning("when", message, "name record types and purposes");
    }
}

/// Keys that have no effect on articles that do not allow, and denials of everything.
fn plain(article: &Article, notes: &mut Notes<'_>) {
    let denies = article.effect == Effect::Deny;
    let idle = [
        ("requires", !article.requires.is_empty()),
        ("redact", !article.redact.is_empty()),
        ("fields", article.fields.is_some()),
        ("overrides", !article.overrides.is_empty()),
        ("retention", article.retention.is_some()),
        ("deadline", article.deadline.is_some()),
        ("caveats", denies && !article.caveats.is_empty()),
        ("obligations", denies && !article.obligations.is_empty()),
    ];
    for (key, _) in idle.into_iter().filter(|(_, set)| *set) {
        let message = "has no effect in an article that does not allow".to_owned();
        notes.warning(key, message, "remove it, or move it to an allow article");
    }
    if denies && article.when == model::agreement::When::default() {
        let message = "it forbids everything".to_owned();
        notes.warning("when", message, "say what it forbids");
    }
}

/// Allow articles that others of the same agreement forbid or outdo.
fn against_others(agreement: &Agreement, article: &Article, notes: &mut Notes<'_>) {
    let Effect::Allow(level) = article.effect else { return };
    for other in agreement.articles.iter().filter(|other| other.id != article.id) {
        match other.effect {
            Effect::Deny if covers(other, article) => {
                let message = format!("article `{}` forbids all it allows", other.id);
                notes.error("when", message, "narrow the denial, or drop the article");
            }
            Effect::Deny if can_meet((agreement, article), (agreement, other)) => {
                let message = format!("article `{}` forbids part of what it allows", other.id);
                notes.note("when", message, "make sure that this is meant; the denial wins");
            }
            Effect::Allow(higher) if higher > level && outdone(article, other) => {
                let message = format!("it never counts: article `{}` always gives more", other.id);
                notes.warning("level", message, "narrow the other article, or drop this one");
            }
            Effect::Allow(_) | Effect::Deny | Effect::Oblige => {}
        }
    }
}

fn outdone(article: &Article, other: &Article) -> bool {
    let lifting = article.overrides.contains(ORIGINATOR_CONSENT);
    covers(other, article) && other.requires.is_subset(&article.requires) && !lifting
}
