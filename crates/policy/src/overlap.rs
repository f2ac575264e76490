//! Whether the conditions of two articles can hold together, or one implies the other. Pure.

use model::agreement::{Agreement, Article, DesignationRule, When};
use std::collections::BTreeSet;

type List<T> = Option<BTreeSet<T>>;

fn meet<T: Ord>(one: &List<T>, other: &List<T>) -> bool {
    match (one, other) {
        (Some(a), Some(b)) => !a.is_disjoint(b),
        (Some(only), None) | (None, Some(only)) => !only.is_empty(),
        (None, None) => true,
    }
}

fn within<T: Ord>(special: &List<T>, general: &List<T>) -> bool {
    match (special, general) {
        (_, None) => true,
        (Some(special), Some(general)) => special.is_subset(general),
        (None, Some(_)) => false,
    }
}

/// Whether one record and question can match both articles.
pub(crate) fn can_meet(one: (&Agreement, &Article), other: (&Agreement, &Article)) -> bool {
    let (a, b) = (&one.1.when, &other.1.when);
    let operations = match (&one.0.operation, &other.0.operation) {
        (Some(a), Some(b)) => a == b,
        (Some(_) | None, None) | (None, Some(_)) => true,
    };
    operations
        && meet(&a.object_types, &b.object_types)
        && meet(&a.purposes, &b.purposes)
        && meet(&a.offences, &b.offences)
        && meet(&a.subjects, &b.subjects)
        && meet(&one.1.from, &other.1.from)
        && meet(&one.1.to, &other.1.to)
}

/// Whether whatever matches `special` matches `general` too, inside one agreement.
pub(crate) fn covers(general: &Article, special: &Article) -> bool {
    let (g, s) = (&general.when, &special.when);
    within(&s.object_types, &g.object_types)
        && within(&s.purposes, &g.purposes)
        && within(&s.offences, &g.offences)
        && within(&s.subjects, &g.subjects)
        && within(&s.flags, &g.flags)
        && within(&special.from, &general.from)
        && within(&special.to, &general.to)
        && limits_cover(g, s)
}

fn limits_cover(g: &When, s: &When) -> bool {
    let class = g.max_class.is_none_or(|max| s.max_class.is_some_and(|m| m <= max));
    let tlp = g.max_tlp.is_none_or(|max| s.max_tlp.is_some_and(|m| m <= max));
    let grade = g.min_grade.is_none_or(|min| s.min_grade.is_some_and(|m| m.at_least(min)));
    let penalty =
        g.min_penalty_months.is_none_or(|min| s.min_penalty_months.is_some_and(|m| m >= min));
    let designation = match g.designation {
        None | Some(DesignationRule::ActOnly) => true,
        rule @ Some(DesignationRule::BothOrUn | DesignationRule::Provider) => rule == s.designation,
    };
    class && tlp && grade && penalty && designation
}

/// Whether two agreements can both be effective between some pair of agencies.
pub(crate) fn share_a_pair(one: &Agreement, other: &Agreement) -> bool {
    let shared = one.parties.iter().filter(|party| {
        let mut others = other.parties.iter().filter(|other| other.signed);
        party.signed && others.any(|other| !other.agencies.is_disjoint(&party.agencies))
    });
    shared.count() >= 2
}
