//! Agreements and vocabulary compiled once; every question answered from masks. Pure.
//!
//! [`Engine::decide`] is the explained answer. Where many records or recipients are tried, compile
//! both sides once ([`Engine::prepare`], [`Engine::put`]) and call [`Engine::verdict`], which
//! allocates nothing; both forms come from the same verdict.
//!
//! Cost: `new` is linear in the text of the agreements; `put` in the articles of the agreements
//! between the two agencies; `prepare` in the fields of the record; `verdict` in those articles
//! of the pair that can match the record's type under the question's purpose and act.
//!
//! SOURCE: docs/reference/decisions.md (order of tests, effective agreements, lex specialis).

mod answer;
mod bits;
mod compile;
mod decide;
mod labels;
mod marks;
mod question;
mod record;
mod tables;
mod verdict;

pub use answer::{CHOSEN_SHOWN_MAX, Chosen, Failures, Verdict};
pub use bits::Bits;
pub use question::Question;
pub use record::Prepared;
pub use tables::{AGREEMENTS_PER_PAIR_MAX, FIELDS_MAX, FieldMask, WORDS_MAX, WordMask};

pub(crate) use marks::own_caveats;

use compile::{Posting, Rules};
use labels::Labels;
use model::agreement::{Agreement, Article};
use model::ids::{AgencyId, AgreementId, ArticleRef};
use model::vocabulary::Vocabulary;
use std::collections::BTreeMap;
use tables::Tables;

/// Why agreements and vocabulary do not compile together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// One finite domain holds more words than its mask.
    #[error("the agreements and the vocabulary name more than {limit} different {what}")]
    Limit {
        /// The domain, in plain words.
        what: &'static str,
        /// Its limit.
        limit: usize,
    },
    /// The same version of the same agreement was given twice.
    #[error("agreement `{agreement}` version {version} is given twice")]
    AgreementTwice {
        /// The agreement.
        agreement: AgreementId,
        /// The version.
        version: u32,
    },
    /// Two articles of one agreement carry the same id.
    #[error("agreement `{agreement}` has two articles `{article}`")]
    ArticleTwice {
        /// The agreement.
        agreement: AgreementId,
        /// The id.
        article: String,
    },
    /// Two parties of one agreement list the same agency, so its party is not known.
    #[error("agreement `{agreement}` lists agency `{agency}` under two parties")]
    AgencyTwice {
        /// The agreement.
        agreement: AgreementId,
        /// The agency.
        agency: AgencyId,
    },
    /// Two agencies share more agreements in force than a decision weighs at once.
    #[error("`{one}` and `{other}` share more than {limit} agreements in force")]
    PairLimit {
        /// One agency.
        one: AgencyId,
        /// The other.
        other: AgencyId,
        /// The limit.
        limit: usize,
    },
}

impl CompileError {
    /// What cures it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Limit { .. } => "use the house vocabulary instead of words of one's own",
            Self::AgreementTwice { .. } => "load each version once",
            Self::ArticleTwice { .. } => "give each article its own id",
            Self::AgencyTwice { .. } => "list the agency under the one party it acts for",
            Self::PairLimit { .. } => "end or consolidate agreements that no longer serve",
        }
    }
}

/// One article by number inside one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArticleKey {
    agreement: u32,
    article: u32,
}

/// Agreements and vocabulary, compiled. Immutable; a change of either is a new engine.
#[derive(Debug)]
pub struct Engine {
    stamp: u64,
    vocabulary: Vocabulary,
    agreements: Vec<Agreement>,
    rules: Vec<Rules>,
    postings: BTreeMap<AgencyId, Vec<Posting>>,
    tables: Tables,
    labels: Labels,
    special: FieldMask,
}

impl Engine {
    /// Compiles. Only agreements with status `in_force` can ever take effect; dates are looked
    /// at by each question.
    ///
    /// # Errors
    /// A limit is exceeded, or the agreements contradict each other in form.
    pub fn new(vocabulary: &Vocabulary, agreements: Vec<Agreement>) -> Result<Self, CompileError> {
        compile::engine(vocabulary, agreements)
    }

    /// Equal stamps mean equal numbering: what one engine compiled, the other understands.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The vocabulary it was compiled with.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The agreements it was compiled with, by id and version.
    #[must_use]
    pub fn agreements(&self) -> &[Agreement] {
        &self.agreements
    }

    /// The article a key stands for, with its agreement.
    #[must_use]
    pub fn article(&self, key: ArticleKey) -> Option<(&Agreement, &Article)> {
        let agreement = self.agreements.get(key.agreement as usize)?;
        Some((agreement, agreement.articles.get(key.article as usize)?))
    }

    /// The reference an article is cited by.
    #[must_use]
    pub fn reference(&self, key: ArticleKey) -> Option<ArticleRef> {
        let (agreement, article) = self.article(key)?;
        Some(ArticleRef { agreement: agreement.id.clone(), article: article.id.clone() })
    }

    /// Caveat names of a verdict's mask.
    pub fn caveat_names(&self, mask: &WordMask) -> impl Iterator<Item = &str> {
        mask.iter().filter_map(|id| self.tables.caveats.name(id)).collect::<Vec<_>>().into_iter()
    }

    /// Obligation names of a verdict's mask.
    pub fn obligation_names(&self, mask: &WordMask) -> impl Iterator<Item = &str> {
        let names = mask.iter().filter_map(|id| self.tables.obligations.name(id));
        names.collect::<Vec<_>>().into_iter()
    }
}
