//! Reads a pattern by recursive descent. Pure.
//!
//! SOURCE: the parser rules of STIXPattern.g4 for STIX 2.1.
//! LIMIT: brackets nest no deeper than [`PATTERN_DEPTH_MAX`]; chains of one operator are loops.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a token that is not the one due is one fault, whichever of the many it is"
)]

use super::check::hash_fault;
use super::lex::{Lexer, PatternFault, PatternProblem, Token};
use super::syntax::{
    Comparison, Constant, Moment, Node, Operator, Order, Path, Qualifier, Step, Test,
};
use super::{COMPARISONS_MAX, PATH_STEPS_MAX, PATTERN_BYTES_MAX, PATTERN_DEPTH_MAX};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// WHY: producers leave stray bits in the last letter; every decoder in use ignores them.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Reads a pattern from all of `text`.
pub(super) fn parse(text: &str) -> Result<Node, PatternProblem> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(PatternProblem::at(text, 0, PatternFault::Size(text.len())));
    }
    let mut lexer = Lexer::new(text);
    let (token, start) = lexer.next()?;
    let mut parser = Parser { text, lexer, token, start, depth: 0, comparisons: 0 };
    let node = parser.followed()?;
    match parser.token {
        Token::End => Ok(node),
        _ => Err(parser.expected("the end, an operator or a qualifier")),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token that is next, and where it begins.
    token: Token<'a>,
    start: usize,
    depth: usize,
    comparisons: usize,
}

type Read<T> = Result<T, PatternProblem>;

impl<'a> Parser<'a> {
    fn fault(&self, at: usize, fault: PatternFault) -> PatternProblem {
        PatternProblem::at(self.text, at, fault)
    }

    fn expected(&self, wanted: &'static str) -> PatternProblem {
        let found = self.token.shown();
        self.fault(self.start, PatternFault::Expected { wanted, found })
    }

    fn step(&mut self) -> Read<Token<'a>> {
        let (token, start) = self.lexer.next()?;
        self.start = start;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn take(&mut self, token: &Token<'static>) -> Read<bool> {
        if &self.token != token {
            return Ok(false);
        }
        self.step().map(|_| true)
    }

    fn word(&mut self, word: &'static str) -> Read<bool> {
        self.take(&Token::Word(word))
    }

    fn sign(&mut self, sign: &'static str) -> Read<bool> {
        self.take(&Token::Sign(sign))
    }

    fn must_sign(&mut self, sign: &'static str, wanted: &'static str) -> Read<()> {
        if self.sign(sign)? { Ok(()) } else { Err(self.expected(wanted)) }
    }

    fn must_word(&mut self, word: &'static str, wanted: &'static str) -> Read<()> {
        if self.word(word)? { Ok(()) } else { Err(self.expected(wanted)) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > PATTERN_DEPTH_MAX {
            return Err(self.fault(self.start, PatternFault::Depth));
        }
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    /// One or more, with a word between.
    fn chain<T>(
        &mut self,
        word: &'static str,
        one: fn(&mut Self) -> Read<T>,
        many: fn(Vec<T>) -> T,
    ) -> Read<T> {
        let first = one(self)?;
        if self.token != Token::Word(word) {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.word(word)? {
            list.push(one(self)?);
        }
        Ok(many(list))
    }

    fn followed(&mut self) -> Read<Node> {
        self.chain("FOLLOWEDBY", Self::any_of, Node::FollowedBy)
    }

    fn any_of(&mut self) -> Read<Node> {
        self.chain("OR", Self::all_of, Node::Or)
    }

    fn all_of(&mut self) -> Read<Node> {
        self.chain("AND", Self::observation, Node::And)
    }

    fn observation(&mut self) -> Read<Node> {
        if self.sign("(")? {
            let inner = self.deeper(Self::followed)?;
            self.must_sign(")", "a closing `)`")?;
            return self.qualified(inner, None);
        }
        self.must_sign("[", "`[` or `(`")?;
        let comparison = self.deeper(Self::comparison)?;
        self.must_sign("]", "a closing `]`, `AND` or `OR`")?;
        self.qualified(Node::Simple(comparison), Some(Vec::new()))
    }

    /// Qualifiers; `seen` is kept only for those directly on one observation expression.
    fn qualified(&mut self, mut node: Node, mut seen: Option<Vec<&'static str>>) -> Read<Node> {
        let mut count: usize = 0;
        loop {
            let start = self.start;
            let (name, qualifier) = if self.word("WITHIN")? {
                ("WITHIN", self.within()?)
            } else if self.word("REPEATS")? {
                ("REPEATS", self.repeats()?)
            } else if self.word("START")? {
                ("START … STOP", self.start_stop()?)
            } else {
                return Ok(node);
            };
            count = count.saturating_add(1);
            if count > PATTERN_DEPTH_MAX {
                return Err(self.fault(start, PatternFault::Depth));
            }
            if let Some(seen) = &mut seen {
                if seen.contains(&name) {
                    return Err(self.fault(start, PatternFault::Twice(name)));
                }
                seen.push(name);
            }
            node = Node::Qualified(Box::new(node), qualifier);
        }
    }

    /// The number of a qualifier, which bears no minus sign.
    fn amount(&mut self, wanted: &'static str) -> Read<&'a str> {
        let text = match &self.token {
            Token::Int(text) | Token::Float(text) if !text.starts_with('-') => *text,
            _ => return Err(self.expected(wanted)),
        };
        self.step()?;
        Ok(text)
    }

    fn within(&mut self) -> Read<Qualifier> {
        let place = self.start;
        let text = self.amount("a number of seconds")?;
        // WHY: digits, a point and a plus sign are all there is; what overflows is endless.
        let seconds = text.parse::<f64>().unwrap_or(f64::INFINITY);
        self.must_word("SECONDS", "`SECONDS`")?;
        Ok(Qualifier::Within(seconds, place))
    }

    fn repeats(&mut self) -> Read<Qualifier> {
        let place = self.start;
        if matches!(self.token, Token::Float(_)) {
            return Err(self.expected("a whole number of times"));
        }
        let text = self.amount("a whole number of times")?;
        // WHY: more than any count there is means never, as the number itself would.
        let times = text.parse::<u64>().unwrap_or(u64::MAX);
        self.must_word("TIMES", "`TIMES`")?;
        Ok(Qualifier::Repeats(times, place))
    }

    fn start_stop(&mut self) -> Read<Qualifier> {
        let start = self.moment()?;
        self.must_word("STOP", "`STOP`")?;
        Ok(Qualifier::StartStop(start, self.moment()?))
    }

    fn moment(&mut self) -> Read<Moment> {
        let place = self.start;
        let Token::Time(text) = self.token else {
            return Err(self.expected("a time such as t'2026-11-23T12:00:00Z'"));
        };
        self.step()?;
        Ok(Moment { text: text.to_owned(), at: text.parse().ok(), place })
    }

    fn comparison(&mut self) -> Read<Comparison> {
        self.chain("OR", Self::conjunction, Comparison::Or)
    }

    fn conjunction(&mut self) -> Read<Comparison> {
        self.chain("AND", Self::test, Comparison::And)
    }

    fn test(&mut self) -> Read<Comparison> {
        if self.sign("(")? {
            let inner = self.deeper(Self::comparison)?;
            self.must_sign(")", "a closing `)`")?;
            return Ok(inner);
        }
        self.comparisons = self.comparisons.saturating_add(1);
        if self.comparisons > COMPARISONS_MAX {
            return Err(self.fault(self.start, PatternFault::Comparisons));
        }
        if self.word("NOT")? {
            self.must_word("EXISTS", "`EXISTS` after `NOT`")?;
            return self.exists(true);
        }
        if self.word("EXISTS")? {
            return self.exists(false);
        }
        let path = self.path()?;
        let negated = self.word("NOT")?;
        let (operator, place) = self.operator()?;
        if let Some(fault) = hash_fault(&path, &operator) {
            return Err(self.fault(place, fault));
        }
        Ok(Comparison::Test(Box::new(Test { path, negated, operator, place })))
    }

    fn exists(&mut self, negated: bool) -> Read<Comparison> {
        let place = self.start;
        let path = self.path()?;
        let operator = Operator::Exists;
        Ok(Comparison::Test(Box::new(Test { path, negated, operator, place })))
    }

    fn path(&mut self) -> Read<Path> {
        let kind = match &self.token {
            Token::Name(name) | Token::Hyphened(name) => (*name).to_owned(),
            _ => return Err(self.expected("a type of observable such as `file`")),
        };
        let start = self.start;
        self.step()?;
        self.must_sign(":", "`:` after the type")?;
        let mut steps = vec![self.key()?];
        loop {
            if self.sign(".")? {
                steps.push(self.key()?);
            } else if self.sign("[")? {
                steps.push(self.index()?);
            } else {
                return Ok(Path { kind, steps });
            }
            if steps.len() > PATH_STEPS_MAX {
                return Err(self.fault(start, PatternFault::Steps));
            }
        }
    }

    fn key(&mut self) -> Read<Step> {
        match &self.token {
            Token::Name(_) | Token::Text(_) => {}
            Token::Hyphened(_) => return Err(self.expected("a quote around a name with a hyphen")),
            _ => return Err(self.expected("the name of a property")),
        }
        Ok(Step::Key(match self.step()? {
            Token::Text(text) => text,
            Token::Name(name) => name.to_owned(),
            other => other.shown(),
        }))
    }

    fn index(&mut self) -> Read<Step> {
        let step = match &self.token {
            Token::Sign("*") => Step::Every,
            // An index beyond all numbers names nothing, and -1 names nothing either.
            Token::Int(text) => Step::Index(text.parse().unwrap_or(-1)),
            _ => return Err(self.expected("a number or `*`")),
        };
        self.step()?;
        self.must_sign("]", "a closing `]`")?;
        Ok(step)
    }

    fn operator(&mut self) -> Read<(Operator, usize)> {
        let token = match &self.token {
            Token::Word(word) | Token::Sign(word) => *word,
            _ => "",
        };
        let string: Option<fn(String) -> Operator> = match token {
            "LIKE" => Some(Operator::Like),
            "MATCHES" => Some(Operator::Matches),
            "ISSUBSET" => Some(Operator::IsSubset),
            "ISSUPERSET" => Some(Operator::IsSuperset),
            _ => None,
        };
        if let Some(make) = string {
            self.step()?;
            let place = self.start;
            return Ok((make(self.string()?), place));
        }
        let order = match token {
            "<" => Some(Order::Less),
            "<=" => Some(Order::LessOrEqual),
            ">" => Some(Order::Greater),
            ">=" => Some(Order::GreaterOrEqual),
            _ => None,
        };
        if !matches!(token, "=" | "!=" | "IN") && order.is_none() {
            return Err(self.expected("a comparison such as `=`, `IN` or `LIKE`"));
        }
        self.step()?;
        let place = self.start;
        let operator = match (order, token) {
            (Some(_), _) if matches!(self.token, Token::Flag(_)) => {
                return Err(self.expected("a constant that has an order"));
            }
            (Some(order), _) => Operator::Order(order, self.constant()?),
            (None, "=") => Operator::Equal(self.constant()?),
            (None, "!=") => Operator::NotEqual(self.constant()?),
            (None, _) => Operator::In(self.set()?),
        };
        Ok((operator, place))
    }

    fn string(&mut self) -> Read<String> {
        if !matches!(self.token, Token::Text(_)) {
            return Err(self.expected("a string in quotes"));
        }
        Ok(match self.step()? {
            Token::Text(text) => text,
            other => other.shown(),
        })
    }

    fn set(&mut self) -> Read<Vec<Constant>> {
        self.must_sign("(", "`(` before the list")?;
        let mut set = Vec::new();
        if self.sign(")")? {
            return Ok(set);
        }
        loop {
            set.push(self.constant()?);
            if self.sign(")")? {
                return Ok(set);
            }
            self.must_sign(",", "`,` or `)`")?;
        }
    }

    fn constant(&mut self) -> Read<Constant> {
        let constant = match &self.token {
            Token::Int(text) => text.parse().map_or_else(|_| fraction(text), Constant::Whole),
            Token::Float(text) => fraction(text),
            Token::Flag(flag) => Constant::Flag(*flag),
            Token::Text(text) => Constant::Text(text.clone()),
            Token::Hex(text) => Constant::Bytes(hex(text)),
            Token::Binary(text) => Constant::Bytes(BASE64.decode(text).map_err(|_| {
                let fault = PatternFault::Constant { wanted: "Base64", found: (*text).to_owned() };
                self.fault(self.start, fault)
            })?),
            Token::Time(text) => Constant::Time((*text).to_owned(), text.parse().ok()),
            Token::Word(_)
            | Token::Name(_)
            | Token::Hyphened(_)
            | Token::Sign(_)
            | Token::Stray(_)
            | Token::End => {
                return Err(self.expected("a constant such as 'text', 1 or true"));
            }
        };
        self.step()?;
        Ok(constant)
    }
}

/// WHY: the token is digits, a point and a sign, which always read; beyond the range of a double
/// they are infinite, which compares rightly with every number there is.
fn fraction(text: &str) -> Constant {
    Constant::Fraction(text.parse().unwrap_or(f64::INFINITY))
}

/// The bytes of pairs of hexadecimal digits; the lexer let nothing else through.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).unwrap_or_default();
        u8::from_str_radix(digits, 16).unwrap_or_default()
    };
    text.as_bytes().chunks(2).map(pair).collect()
}
