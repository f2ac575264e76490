//! The pattern with its observation expressions answered: what the search works on. Pure.

use super::super::compile::Ready;
use super::super::observe::Observation;
use std::collections::BTreeMap;

/// Times that fit: seen first at the latest then, seen last at the earliest then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) first_max: i64,
    pub(super) last_min: i64,
}

impl Window {
    pub(super) const ALL: Self = Self { first_max: i64::MAX, last_min: i64::MIN };

    pub(super) fn narrowed(self, first_max: i64, last_min: i64) -> Self {
        Self { first_max: self.first_max.min(first_max), last_min: self.last_min.max(last_min) }
    }
}

/// What answers an observation expression.
pub(super) struct Leaf {
    pub(super) answers: BTreeMap<usize, Answer>,
    /// Sorted by when they were seen last.
    times: Vec<Seen>,
    /// The longest any of them lasted.
    length: i64,
}

pub(super) struct Answer {
    pub(super) part: usize,
    pub(super) expression: String,
    pub(super) objects: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) observation: usize,
}

impl Leaf {
    fn new(answers: BTreeMap<usize, Answer>, observations: &[Observation<'_>]) -> Self {
        let seen = |index: &usize| {
            let observation = observations.get(*index)?;
            let (first, last) = (observation.first.micros(), observation.last.micros());
            Some(Seen { first, last, observation: *index })
        };
        let mut times: Vec<Seen> = answers.keys().filter_map(seen).collect();
        times.sort_by_key(|seen| (seen.last, seen.first));
        let lengths = times.iter().map(|seen| seen.last.saturating_sub(seen.first));
        let length = lengths.max().unwrap_or(0);
        Self { answers, times, length }
    }

    /// Those in the window; no more are looked at than could be in it.
    pub(super) fn within(&self, window: Window) -> impl Iterator<Item = Seen> + '_ {
        let start = self.times.partition_point(|seen| seen.last < window.last_min);
        let could = move |seen: &&Seen| seen.last.saturating_sub(self.length) <= window.first_max;
        let rest = self.times.get(start..).unwrap_or_default();
        let fits = move |seen: &&Seen| seen.first <= window.first_max;
        rest.iter().take_while(could).filter(fits).copied()
    }
}

/// The pattern with its observation expressions answered.
pub(super) enum Plan {
    Leaf(usize),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    /// All of the first before all of the second.
    FollowedBy(Box<(Plan, Plan)>),
    Within(Box<Plan>, i64),
    Repeats(Box<Plan>, u64),
    StartStop(Box<Plan>, Window),
}

/// Answers every observation expression; alternatives that are plain become one.
pub(super) fn plan(
    ready: &Ready,
    observations: &[Observation<'_>],
    parts: &mut usize,
    leaves: &mut Vec<Leaf>,
) -> Plan {
    let mut all = |nodes: &[Ready], leaves: &mut Vec<Leaf>| -> Vec<Plan> {
        nodes.iter().map(|node| plan(node, observations, parts, leaves)).collect()
    };
    match ready {
        Ready::And(nodes) => Plan::And(all(nodes, leaves)),
        Ready::FollowedBy(nodes) => {
            let mut plans = all(nodes, leaves).into_iter();
            let first = plans.next().unwrap_or_else(|| Plan::And(Vec::new()));
            plans.fold(first, |left, right| Plan::FollowedBy(Box::new((left, right))))
        }
        Ready::Simple(..) => {
            let answers = answers(ready, observations, parts);
            leaf(Leaf::new(answers, observations), leaves)
        }
        Ready::Or(nodes) => {
            let (mut plain, mut alternatives) = (BTreeMap::new(), Vec::new());
            for node in nodes {
                if let Ready::Simple(..) = node {
                    for (index, answer) in answers(node, observations, parts) {
                        plain.entry(index).or_insert(answer);
                    }
                } else {
                    alternatives.push(plan(node, observations, parts, leaves));
                }
            }
            alternatives.insert(0, leaf(Leaf::new(plain, observations), leaves));
            Plan::Or(alternatives)
        }
        Ready::Within(inner, length) => {
            Plan::Within(Box::new(plan(inner, observations, parts, leaves)), *length)
        }
        Ready::Repeats(inner, times) => {
            Plan::Repeats(Box::new(plan(inner, observations, parts, leaves)), *times)
        }
        Ready::StartStop(inner, start, stop) => {
            let inner = Box::new(plan(inner, observations, parts, leaves));
            // Before `stop` is one microsecond earlier at the latest. From STOP to START is never.
            let first_max = stop.micros().saturating_sub(1);
            let window = if start < stop {
                Window { first_max, last_min: start.micros() }
            } else {
                Window { first_max: i64::MIN, last_min: i64::MAX }
            };
            Plan::StartStop(inner, window)
        }
    }
}

fn leaf(leaf: Leaf, leaves: &mut Vec<Leaf>) -> Plan {
    leaves.push(leaf);
    Plan::Leaf(leaves.len().saturating_sub(1))
}

fn answers(
    ready: &Ready,
    observations: &[Observation<'_>],
    parts: &mut usize,
) -> BTreeMap<usize, Answer> {
    let mut answers = BTreeMap::new();
    let Ready::Simple(question, expression) = ready else { return answers };
    let part = *parts;
    *parts = part.saturating_add(1);
    for (index, observation) in observations.iter().enumerate() {
        let objects = question.answered(observation);
        if !objects.is_empty() {
            let objects = objects.into_iter().map(str::to_owned).collect();
            answers.insert(index, Answer { part, expression: expression.clone(), objects });
        }
    }
    answers
}
