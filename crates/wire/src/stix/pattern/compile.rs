//! Prepares a pattern for matching: constants, networks, regular expressions. Pure.

use super::Pattern;
use super::address::Network;
use super::compare::{Like, answers};
use super::lex::{PatternFault, PatternProblem, short};
use super::observe::Observation;
use super::path::follow;
use super::regular::{REGULARS_MAX, Regular};
use super::search::{self, Match, SearchProblem};
use super::syntax::{Comparison, Constant, Moment, Node, Operator, Order, Path, Qualifier, Test};
use model::time::Timestamp;
use serde_json::Value;

/// LIMIT: observation expressions in one chain of `FOLLOWEDBY`.
pub const FOLLOWED_MAX: usize = 200;

/// A pattern that can be evaluated.
#[derive(Debug)]
pub struct Matcher {
    root: Ready,
}

/// An observation expression that can be evaluated.
#[derive(Debug)]
pub(super) enum Ready {
    Simple(Question, String),
    And(Vec<Ready>),
    Or(Vec<Ready>),
    FollowedBy(Vec<Ready>),
    /// Microseconds.
    Within(Box<Ready>, i64),
    Repeats(Box<Ready>, u64),
    StartStop(Box<Ready>, Timestamp, Timestamp),
}

/// A comparison expression that can be evaluated.
#[derive(Debug)]
pub(super) enum Question {
    One { path: Path, negated: bool, ask: Ask },
    And(Vec<Question>),
    Or(Vec<Question>),
}

/// What is asked of a value.
#[derive(Debug)]
pub(super) enum Ask {
    Equal(Constant),
    NotEqual(Constant),
    Order(Order, Constant),
    In(Vec<Constant>),
    Like(Like),
    Matches(Box<Regular>),
    IsSubset(Network),
    IsSuperset(Network),
    Exists,
}

impl Matcher {
    /// Prepares a pattern.
    ///
    /// # Errors
    /// What the grammar allows and nobody can evaluate: a date no calendar has, `REPEATS 0`,
    /// a regular expression that cannot be matched in linear time, an address that is none.
    pub fn new(pattern: &Pattern) -> Result<Self, PatternProblem> {
        match compile(&pattern.root) {
            Ok(root) => Ok(Self { root }),
            Err((fault, offset)) => Err(PatternProblem::at(&pattern.text, offset, fault)),
        }
    }

    /// Which observations the pattern binds; nothing if it does not match.
    ///
    /// # Errors
    /// More work than is ever spent on one question.
    pub fn find(&self, observations: &[Observation<'_>]) -> Result<Option<Match>, SearchProblem> {
        search::find(&self.root, observations)
    }
}

/// A fault and where it is.
type Bad = (PatternFault, usize);

/// Prepares a tree.
pub(super) fn compile(root: &Node) -> Result<Ready, Bad> {
    Compiler { regulars: 0 }.node(root)
}

struct Compiler {
    regulars: usize,
}

impl Compiler {
    fn nodes(&mut self, nodes: &[Node]) -> Result<Vec<Ready>, Bad> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn node(&mut self, node: &Node) -> Result<Ready, Bad> {
        Ok(match node {
            Node::Simple(comparison) => {
                Ready::Simple(self.comparison(comparison)?, node.to_string())
            }
            Node::And(parts) => Ready::And(self.nodes(parts)?),
            Node::Or(parts) => Ready::Or(self.nodes(parts)?),
            Node::FollowedBy(parts) if parts.len() > FOLLOWED_MAX => {
                return Err((PatternFault::Followed, 0));
            }
            Node::FollowedBy(parts) => Ready::FollowedBy(self.nodes(parts)?),
            Node::Qualified(inner, qualifier) => {
                let inner = Box::new(self.node(inner)?);
                match qualifier {
                    Qualifier::Within(seconds, place) if *seconds <= 0.0 => {
                        return Err((PatternFault::Zero("WITHIN"), *place));
                    }
                    // The cast saturates: an endless time is the longest there is.
                    Qualifier::Within(seconds, _) => {
                        Ready::Within(inner, (seconds * 1_000_000.0) as i64)
                    }
                    Qualifier::Repeats(0, place) => {
                        return Err((PatternFault::Zero("REPEATS"), *place));
                    }
                    Qualifier::Repeats(times, _) => Ready::Repeats(inner, *times),
                    Qualifier::StartStop(start, stop) => {
                        Ready::StartStop(inner, moment(start)?, moment(stop)?)
                    }
                }
            }
        })
    }

    fn comparison(&mut self, comparison: &Comparison) -> Result<Question, Bad> {
        let mut all = |parts: &[Comparison]| -> Result<Vec<Question>, Bad> {
            parts.iter().map(|part| self.comparison(part)).collect()
        };
        Ok(match comparison {
            Comparison::And(parts) => Question::And(all(parts)?),
            Comparison::Or(parts) => Question::Or(all(parts)?),
            Comparison::Test(test) => Question::One {
                path: test.path.clone(),
                negated: test.negated,
                ask: self.ask(test)?,
            },
        })
    }

    fn ask(&mut self, test: &Test) -> Result<Ask, Bad> {
        let constant = |constant: &Constant| match constant {
            Constant::Time(text, None) => Err((PatternFault::Calendar(text.clone()), test.place)),
            Constant::Time(_, Some(_))
            | Constant::Whole(_)
            | Constant::Fraction(_)
            | Constant::Flag(_)
            | Constant::Text(_)
            | Constant::Bytes(_) => Ok(constant.clone()),
        };
        let network = |text: &str| {
            Network::parse(text).ok_or_else(|| (PatternFault::Address(short(text)), test.place))
        };
        Ok(match &test.operator {
            Operator::Equal(value) => Ask::Equal(constant(value)?),
            Operator::NotEqual(value) => Ask::NotEqual(constant(value)?),
            Operator::Order(order, value) => Ask::Order(*order, constant(value)?),
            Operator::In(set) => Ask::In(set.iter().map(constant).collect::<Result<_, _>>()?),
            Operator::Like(text) => Ask::Like(Like::new(text)),
            Operator::Matches(text) => {
                self.regulars = self.regulars.saturating_add(1);
                if self.regulars > REGULARS_MAX {
                    return Err((PatternFault::Regulars, test.place));
                }
                let regular = Regular::new(text);
                Ask::Matches(Box::new(
                    regular.map_err(|words| (PatternFault::Regular(words), test.place))?,
                ))
            }
            Operator::IsSubset(text) => Ask::IsSubset(network(text)?),
            Operator::IsSuperset(text) => Ask::IsSuperset(network(text)?),
            Operator::Exists => Ask::Exists,
        })
    }
}

fn moment(moment: &Moment) -> Result<Timestamp, Bad> {
    let fault = || (PatternFault::Calendar(moment.text.clone()), moment.place);
    moment.at.ok_or_else(fault)
}

impl Question {
    /// The observables of an observation that answer the question, each alone.
    pub(super) fn answered<'a>(&self, observation: &Observation<'a>) -> Vec<&'a str> {
        let mut kinds = std::collections::BTreeSet::new();
        self.kinds(&mut kinds);
        let objects = kinds.into_iter().flat_map(|kind| observation.of_kind(kind));
        objects.filter(|(_, root)| self.holds(observation, root)).map(|(name, _)| name).collect()
    }

    fn kinds<'q>(&'q self, kinds: &mut std::collections::BTreeSet<&'q str>) {
        match self {
            Self::One { path, .. } => {
                if !is_domain_object(&path.kind) {
                    kinds.insert(&path.kind);
                }
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.kinds(kinds)),
        }
    }

    fn holds<'a>(&self, observation: &Observation<'a>, root: &'a Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(observation, root)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(observation, root)),
            Self::One { path, negated, ask } => {
                if root.get("type").and_then(Value::as_str) != Some(&path.kind) {
                    return false;
                }
                let found = follow(observation, root, &path.steps);
                match ask {
                    Ask::Exists => found.is_empty() == *negated,
                    Ask::Equal(_)
                    | Ask::NotEqual(_)
                    | Ask::Order(..)
                    | Ask::In(_)
                    | Ask::Like(_)
                    | Ask::Matches(_)
                    | Ask::IsSubset(_)
                    | Ask::IsSuperset(_) => found.iter().any(|value| answers(value, ask, *negated)),
                }
            }
        }
    }
}

/// Patterns speak of observables; a domain object in an observation is none.
fn is_domain_object(kind: &str) -> bool {
    use super::super::shapes::{Family, shape};
    shape(kind).is_some_and(|shape| shape.family != Family::Observable)
}
