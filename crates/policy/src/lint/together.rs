//! Findings on agreements together: who narrows whom. Pure.

use super::Notes;
use crate::overlap::{can_meet, share_a_pair};
use model::agreement::{Agreement, Article, Effect, Level, Status};

pub(super) fn look(agreement: &Agreement, all: &[Agreement], notes: &mut Notes<'_>) {
    for id in &agreement.lex_specialis_over {
        let Some(other) = all.iter().find(|other| other.id == *id) else {
            let message = format!("takes precedence over `{id}`, which is not known here");
            notes.warning("lex_specialis_over", message, "load that agreement, or remove it");
            continue;
        };
        if other.id != agreement.id && other.lex_specialis_over.contains(&agreement.id) {
            let message = format!("`{id}` claims precedence too, so neither has it");
            notes.warning("lex_specialis_over", message, "agree which one takes precedence");
        } else if other.id != agreement.id && reaches(other, agreement, all) {
            let message = format!("precedence over `{id}` runs in a circle and displaces everyone");
            notes.error("lex_specialis_over", message, "break the circle");
        }
    }
    let live = |a: &Agreement| a.status == Status::InForce;
    for other in all.iter().filter(|other| live(other) && live(agreement)) {
        if other.id == agreement.id {
            if other.version > agreement.version {
                let message = format!("version {} is in force too; both apply", other.version);
                notes.warning("version", message, "terminate the earlier version");
            }
            continue;
        }
        if share_a_pair(agreement, other) {
            narrowed(agreement, other, notes);
        }
    }
}

/// Whether precedence leads from one agreement to another.
fn reaches(from: &Agreement, to: &Agreement, all: &[Agreement]) -> bool {
    let mut seen = std::collections::BTreeSet::from([&from.id]);
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for id in &next.lex_specialis_over {
            if *id == to.id {
                return true;
            }
            if seen.insert(id) {
                open.extend(all.iter().filter(|a| a.id == *id));
            }
        }
    }
    false
}

fn narrowed(agreement: &Agreement, other: &Agreement, notes: &mut Notes<'_>) {
    let precedes = agreement.lex_specialis_over.contains(&other.id)
        && !other.lex_specialis_over.contains(&agreement.id);
    for article in &agreement.articles {
        let Effect::Allow(level) = article.effect else { continue };
        let mut notes = notes.of(&article.id);
        let meeting =
            other.articles.iter().filter(|rival| can_meet((agreement, article), (other, rival)));
        for rival in meeting {
            let place = format!("article `{}` of `{}`", rival.id, other.id);
            match rival.effect {
                Effect::Deny => {
                    let message = format!("{place} forbids part of what it allows");
                    let cure = "make sure that this is meant; the denial wins, precedence or not";
                    notes.note("when", message, cure);
                }
                Effect::Allow(lower) if !precedes && narrows((article, level), (rival, lower)) => {
                    let message = format!("{place} narrows it where both apply");
                    let cure = "make sure that this is meant, or sign a precedence";
                    notes.note("level", message, cure);
                }
                Effect::Allow(_) | Effect::Oblige => {}
            }
        }
    }
}

/// Whether the rival gives less: a lower level, more withheld, or facts it asks for.
fn narrows((article, level): (&Article, Level), (rival, lower): (&Article, Level)) -> bool {
    let list = match (&article.fields, &rival.fields) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(own), Some(theirs)) => !own.is_subset(theirs),
    };
    lower < level
        || list
        || !rival.redact.is_subset(&article.redact)
        || !rival.requires.is_subset(&article.requires)
}
