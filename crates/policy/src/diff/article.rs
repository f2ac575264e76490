//! Changes of single articles. Pure.

use super::{ChangeKind, Changes, join, period};
use model::agreement::{Agreement, Article, DesignationRule, Effect, Level};
use std::collections::BTreeSet;
use std::fmt::Display;

pub(super) fn articles(before: &Agreement, after: &Agreement, out: &mut Changes) {
    for old in &before.articles {
        match after.article(&old.id) {
            Some(new) if old != new => article(old, new, out),
            Some(_) => {}
            None => gone(old, out),
        }
    }
    for new in after.articles.iter().filter(|new| before.article(&new.id).is_none()) {
        let text = format!("Article {} is new: it {}.", new.id, says(new));
        out.add(more(new.effect), Some(&new.id), text);
    }
}

fn gone(old: &Article, out: &mut Changes) {
    let text = format!("Article {} goes: it {}.", old.id, says(old));
    out.add(less(old.effect), Some(&old.id), text);
}

/// The kind of a change that makes an article of this effect reach further.
fn more(effect: Effect) -> ChangeKind {
    match effect {
        Effect::Allow(_) => ChangeKind::Allowed,
        Effect::Deny => ChangeKind::NoLongerAllowed,
        Effect::Oblige => ChangeKind::Required,
    }
}

/// The kind of a change that makes an article of this effect reach less far.
fn less(effect: Effect) -> ChangeKind {
    match effect {
        Effect::Allow(_) => ChangeKind::NoLongerAllowed,
        Effect::Deny => ChangeKind::Allowed,
        Effect::Oblige => ChangeKind::NoLongerRequired,
    }
}

fn verb(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow(Level::Full) => "lets whole records go",
        Effect::Allow(Level::Redacted) => "lets redacted records go",
        Effect::Allow(Level::HitOnly) => "lets a hit be known",
        Effect::Deny => "forbids",
        Effect::Oblige => "obliges",
    }
}

fn says(article: &Article) -> String {
    let mut text = verb(article.effect).to_owned();
    if let Some(types) = &article.when.object_types {
        text.push_str(&format!(" for {}", join(types)));
    }
    if let Some(purposes) = &article.when.purposes {
        text.push_str(&format!(", for the purposes {}", join(purposes)));
    }
    format!("{text} (\u{201c}{}\u{201d})", article.text)
}

fn article(old: &Article, new: &Article, out: &mut Changes) {
    let id = &new.id;
    if old.effect != new.effect {
        let wider = matches!(
            (old.effect, new.effect),
            (Effect::Allow(a), Effect::Allow(b)) if b > a
        ) || old.effect == Effect::Deny
            || (old.effect == Effect::Oblige && matches!(new.effect, Effect::Allow(_)));
        let kind = if wider { ChangeKind::Allowed } else { ChangeKind::NoLongerAllowed };
        let (new, old) = (verb(new.effect), verb(old.effect));
        out.add(kind, Some(id), format!("Article {id} now {new}; before, it {old}."));
    }
    conditions(old, new, out);
    limits(old, new, out);
    terms(old, new, out);
}

/// A condition list that gains or loses words.
fn list<T: Ord + Display>(
    (what, effect, id): (&str, Effect, &str),
    old: &Option<BTreeSet<T>>,
    new: &Option<BTreeSet<T>>,
    out: &mut Changes,
) {
    match (old, new) {
        (Some(old), Some(new)) => {
            let added: BTreeSet<&T> = new.difference(old).collect();
            let dropped: BTreeSet<&T> = old.difference(new).collect();
            if !added.is_empty() {
                let text = format!("Article {id} newly covers the {what} {}.", join(&added));
                out.add(more(effect), Some(id), text);
            }
            if !dropped.is_empty() {
                let text = format!("Article {id} no longer covers the {what} {}.", join(&dropped));
                out.add(less(effect), Some(id), text);
            }
        }
        (None, Some(new)) => {
            let text = format!("Article {id} now covers only the {what} {}.", join(new));
            out.add(less(effect), Some(id), text);
        }
        (Some(old), None) => {
            let text = format!("Article {id} covers every {what}, not only {}.", join(old));
            out.add(more(effect), Some(id), text);
        }
        (None, None) => {}
    }
}

fn conditions(old: &Article, new: &Article, out: &mut Changes) {
    let (a, b, effect, id) = (&old.when, &new.when, new.effect, new.id.as_str());
    list(("record type", effect, id), &a.object_types, &b.object_types, out);
    list(("purpose", effect, id), &a.purposes, &b.purposes, out);
    list(("act", effect, id), &a.offences, &b.offences, out);
    list(("data subject", effect, id), &a.subjects, &b.subjects, out);
    list(("flag", effect, id), &a.flags, &b.flags, out);
    list(("provider", effect, id), &old.from, &new.from, out);
    list(("recipient", effect, id), &old.to, &new.to, out);
}

/// A limit that is set, lifted or moved; `wider` says whether the new one lets more match.
fn limit(
    (what, effect, id): (&str, Effect, &str),
    (old, new): (Option<String>, Option<String>),
    wider: bool,
    out: &mut Changes,
) {
    if old != new {
        let word = |limit: Option<String>| limit.unwrap_or("none".to_owned());
        let kind = if wider { more(effect) } else { less(effect) };
        let text = format!("Article {id}: {what} is {} instead of {}.", word(new), word(old));
        out.add(kind, Some(id), text);
    }
}

fn limits(old: &Article, new: &Article, out: &mut Changes) {
    let (a, b, effect, id) = (&old.when, &new.when, new.effect, new.id.as_str());
    let at_most = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => b > a,
    };
    let at_least = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => b < a,
    };
    let text = |n: Option<u64>| n.map(|n| n.to_string());
    let (x, y) = (a.max_class.map(u64::from), b.max_class.map(u64::from));
    let what = "the highest classification";
    limit((what, effect, id), (text(x), text(y)), at_most(x, y), out);
    let (x, y) = (a.max_tlp.map(|t| t as u64), b.max_tlp.map(|t| t as u64));
    let labels = (a.max_tlp.map(|t| t.to_string()), b.max_tlp.map(|t| t.to_string()));
    limit(("the strictest TLP label", effect, id), labels, at_most(x, y), out);
    let (x, y) = (a.min_penalty_months.map(u64::from), b.min_penalty_months.map(u64::from));
    let what = "the least maximum penalty in months";
    limit((what, effect, id), (text(x), text(y)), at_least(x, y), out);
    let wider = match (a.min_grade, b.min_grade) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a.at_least(b),
    };
    let grades = (a.min_grade.map(|g| g.to_string()), b.min_grade.map(|g| g.to_string()));
    limit(("the worst acceptable grade", effect, id), grades, wider, out);
    let rule = |rule: Option<DesignationRule>| match rule {
        None | Some(DesignationRule::ActOnly) => (0_u8, "by the act alone"),
        Some(DesignationRule::Provider) => (1, "by the provider"),
        Some(DesignationRule::BothOrUn) => (2, "by both sides or the UN"),
    };
    let (x, y) = (rule(a.designation), rule(b.designation));
    let words = (Some(x.1.to_owned()), Some(y.1.to_owned()));
    limit(("designation of the group", effect, id), words, y.0 < x.0, out);
}

/// Words that are added and dropped, each in one sentence.
fn words(
    (id, added, dropped): (&str, ChangeKind, ChangeKind),
    (gains, loses): (&str, &str),
    (old, new): (&BTreeSet<String>, &BTreeSet<String>),
    out: &mut Changes,
) {
    let gained: BTreeSet<&String> = new.difference(old).collect();
    let lost: BTreeSet<&String> = old.difference(new).collect();
    if !gained.is_empty() {
        out.add(added, Some(id), format!("Article {id} {gains} {}.", join(&gained)));
    }
    if !lost.is_empty() {
        out.add(dropped, Some(id), format!("Article {id} {loses} {}.", join(&lost)));
    }
}

fn terms(old: &Article, new: &Article, out: &mut Changes) {
    use ChangeKind::{
        Allowed, NoLongerAllowed, NoLongerRequired, NoLongerWithheld, Required, Terms, Withheld,
    };
    let id = new.id.as_str();
    let facts = ("newly requires", "no longer requires");
    words((id, Required, NoLongerRequired), facts, (&old.requires, &new.requires), out);
    let fields = ("newly withholds", "no longer withholds");
    words((id, Withheld, NoLongerWithheld), fields, (&old.redact, &new.redact), out);
    let caveats = ("newly adds the caveat", "no longer adds the caveat");
    words((id, Required, NoLongerRequired), caveats, (&old.caveats, &new.caveats), out);
    let duties = ("newly asks for", "no longer asks for");
    words((id, Required, NoLongerRequired), duties, (&old.obligations, &new.obligations), out);
    let lifts = ("newly lifts", "no longer lifts");
    words((id, Allowed, NoLongerAllowed), lifts, (&old.overrides, &new.overrides), out);
    match (&old.fields, &new.fields) {
        (Some(before), Some(after)) => {
            let let_go = ("newly lets go the fields", "no longer lets go the fields");
            words((id, NoLongerWithheld, Withheld), let_go, (before, after), out);
        }
        (None, Some(after)) => {
            let text = format!("Article {id} now lets only the fields {} go.", join(after));
            out.add(Withheld, Some(id), text);
        }
        (Some(before), None) => {
            let text = format!("Article {id} lets every field go, not only {}.", join(before));
            out.add(NoLongerWithheld, Some(id), text);
        }
        (None, None) => {}
    }
    let retention = format!("Article {id}: the retention");
    period(&retention, &old.retention, &new.retention, Some(id), out);
    period(&format!("Article {id}: the deadline"), &old.deadline, &new.deadline, Some(id), out);
    if old.text != new.text {
        let text = format!("Article {id} now reads \u{201c}{}\u{201d}.", new.text);
        out.add(Terms, Some(id), text);
    }
}
