//! What a pattern says, as a tree. Pure.
//!
//! Chains of one operator are lists, so that the tree is as deep as its brackets and no deeper.

use model::time::Timestamp;
use std::fmt;

/// An observation expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `[…]`.
    Simple(Comparison),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Left before right, from left to right.
    FollowedBy(Vec<Node>),
    Qualified(Box<Node>, Qualifier),
}

/// What qualifies an observation expression.
#[derive(Debug, Clone)]
pub(super) enum Qualifier {
    /// Seconds, and where the number stands.
    Within(f64, usize),
    /// Times, and where the number stands.
    Repeats(u64, usize),
    StartStop(Moment, Moment),
}

/// A time of a pattern and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) text: String,
    /// Nothing if no calendar has it.
    pub(super) at: Option<Timestamp>,
    pub(super) place: usize,
}

impl PartialEq for Moment {
    /// WHY: where it stands is not what it says.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Qualifier {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Within(one, _), Self::Within(two, _)) => one == two,
            (Self::Repeats(one, _), Self::Repeats(two, _)) => one == two,
            (Self::StartStop(one, two), Self::StartStop(three, four)) => {
                (one, two) == (three, four)
            }
            (Self::Within(..) | Self::Repeats(..) | Self::StartStop(..), _) => false,
        }
    }
}

/// A comparison expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    Test(Box<Test>),
    And(Vec<Comparison>),
    Or(Vec<Comparison>),
}

/// One comparison.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) path: Path,
    pub(super) negated: bool,
    pub(super) operator: Operator,
    /// Where the right side stands; for `EXISTS`, the path.
    pub(super) place: usize,
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.negated, &self.operator) == (&other.path, other.negated, &other.operator)
    }
}

/// What is asked of the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operator {
    Equal(Constant),
    NotEqual(Constant),
    Order(Order, Constant),
    In(Vec<Constant>),
    Like(String),
    Matches(String),
    IsSubset(String),
    IsSuperset(String),
    Exists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// A whole number that fits.
    Whole(i128),
    Fraction(f64),
    Flag(bool),
    Text(String),
    Bytes(Vec<u8>),
    /// A time as written, and as an instant if the calendar has it.
    Time(String, Option<Timestamp>),
}

/// `kind:first.second[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) kind: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// Negative numbers are in the grammar and name nothing.
    Index(i64),
    Every,
}

impl Node {
    /// Visits every comparison with the number of its observation expression.
    pub(super) fn each_test<'a>(&'a self, visit: &mut dyn FnMut(&'a Test, usize)) {
        self.visit(visit, &mut 0);
    }

    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Test, usize), part: &mut usize) {
        match self {
            Self::Simple(comparison) => {
                comparison.each_test(&mut |test| visit(test, *part));
                *part = part.saturating_add(1);
            }
            Self::And(parts) | Self::Or(parts) | Self::FollowedBy(parts) => {
                parts.iter().for_each(|node| node.visit(visit, part));
            }
            Self::Qualified(inner, _) => inner.visit(visit, part),
        }
    }
}

impl Comparison {
    pub(super) fn each_test<'a>(&'a self, visit: &mut dyn FnMut(&'a Test)) {
        match self {
            Self::Test(test) => visit(test),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.each_test(visit));
            }
        }
    }
}

/// Writes a list with a word between.
fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, list: &[T], word: &str) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            write!(f, " {word} ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// How tightly a node binds.
fn rank(node: &Node) -> u8 {
    match node {
        Node::FollowedBy(_) => 0,
        Node::Or(_) => 1,
        Node::And(_) => 2,
        Node::Qualified(..) => 3,
        Node::Simple(_) => 4,
    }
}

/// A node inside another: in brackets unless it binds more tightly.
struct Inside<'a>(&'a Node, u8);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if rank(self.0) > self.1 { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = |parts: &'_ [Node], own: u8| -> Vec<String> {
            parts.iter().map(|part| Inside(part, own).to_string()).collect()
        };
        match self {
            Self::Simple(comparison) => write!(f, "[{comparison}]"),
            Self::FollowedBy(parts) => joined(f, &inside(parts, 0), "FOLLOWEDBY"),
            Self::Or(parts) => joined(f, &inside(parts, 1), "OR"),
            Self::And(parts) => joined(f, &inside(parts, 2), "AND"),
            Self::Qualified(inner, qualifier) => {
                write!(f, "{} ", Inside(inner, 3))?;
                match qualifier {
                    Qualifier::Within(seconds, _) => write!(f, "WITHIN {seconds} SECONDS"),
                    Qualifier::Repeats(times, _) => write!(f, "REPEATS {times} TIMES"),
                    Qualifier::StartStop(start, stop) => write!(f, "START {start} STOP {stop}"),
                }
            }
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t'{}'", self.text)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = |parts: &[Self]| -> Vec<String> {
            let bare = |part: &Self| matches!(part, Self::Test(_));
            let show = |p: &Self| if bare(p) { format!("{p}") } else { format!("({p})") };
            parts.iter().map(show).collect()
        };
        match self {
            Self::Test(test) => write!(f, "{test}"),
            Self::And(parts) => joined(f, &inside(parts), "AND"),
            Self::Or(parts) => joined(f, &inside(parts), "OR"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        let path = &self.path;
        match &self.operator {
            Operator::Exists => write!(f, "{not}EXISTS {path}"),
            Operator::Equal(constant) => write!(f, "{path} {not}= {constant}"),
            Operator::NotEqual(constant) => write!(f, "{path} {not}!= {constant}"),
            Operator::Order(order, constant) => {
                write!(f, "{path} {not}{} {constant}", order.sign())
            }
            Operator::In(set) => {
                write!(f, "{path} {not}IN (")?;
                joined(f, set, ",").and_then(|()| f.write_str(")"))
            }
            Operator::Like(text) => write!(f, "{path} {not}LIKE {}", Quoted(text)),
            Operator::Matches(text) => write!(f, "{path} {not}MATCHES {}", Quoted(text)),
            Operator::IsSubset(text) => write!(f, "{path} {not}ISSUBSET {}", Quoted(text)),
            Operator::IsSuperset(text) => write!(f, "{path} {not}ISSUPERSET {}", Quoted(text)),
        }
    }
}

/// A string as a pattern writes it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            // A fraction always shows its point, or it would read back as a whole number.
            Self::Fraction(number) if number.fract() == 0.0 => write!(f, "{number:.1}"),
            Self::Fraction(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Bytes(bytes) => {
                f.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
            Self::Time(text, _) => write!(f, "t'{text}'"),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind)?;
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if index > 0 { "." } else { "" };
                    if is_plain(key) {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{}", Quoted(key))?;
                    }
                }
                Step::Index(number) => write!(f, "[{number}]")?,
                Step::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key needs no quotes.
fn is_plain(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(key, "true" | "false")
}
