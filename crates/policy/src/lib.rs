//! Decides what may be released to whom, with every reason; the same rules for local officers
//! and foreign members. Pure: no clock, no chance, no disk.
//!
//! | module | what it does |
//! |---|---|
//! | [`engine`] | agreements and vocabulary compiled to masks; verdicts and explained decisions |
//! | [`release`] | the only way out: strips what is withheld and builds `Released` |
//! | [`shapes`] | what many records have in common, compiled once; answered by `release::Inquiry` |
//! | [`explain`] | a decision in sentences |
//! | [`reasons`] | one table: code, sentence, cure |
//! | [`lint`] | what is wrong or doubtful in an agreement, before it is signed |
//! | [`diff`] | what changes between two versions of an agreement |
//!
//! SOURCE: docs/reference/agreement.md for the document, docs/reference/decisions.md for the order
//! of tests. INVARIANT: default is no; caveats only accumulate, redactions only add, retention
//! only shortens, levels only drop.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::disallowed_methods,
        clippy::wildcard_enum_match_arm,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod diff;
pub mod engine;
pub mod explain;
pub mod lint;
mod overlap;
pub mod reasons;
pub mod release;
pub mod shapes;
pub mod terms;
