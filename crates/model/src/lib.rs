//! Says what exists: the nouns of Entente and the invariants each keeps by itself.
//!
//! Pure. Nothing here decides, reads a clock or knows a wire format; see `policy` for the rules
//! and `wire` for the bytes.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod agreement;
pub mod custody;
pub mod decision;
pub mod entry;
pub mod event;
pub mod feed;
pub mod grading;
pub mod ids;
pub mod marking;
pub mod member;
pub mod posting;
pub mod record;
pub mod release;
pub mod request;
pub mod same_as;
pub mod time;
pub mod value;
pub mod verified;
pub mod vocabulary;
