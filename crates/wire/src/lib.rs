//! Turns bytes into `Verified` values and `Released` values into bytes; strict limits; errors
//! carry JSON pointers or line numbers. One file a format. Pure.
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

pub mod agreement;
pub mod canonical;
pub mod cases;
pub mod csv;
pub mod document;
pub mod envelope;
pub mod ftm;
pub mod json;
pub mod limits;
pub mod misp;
pub mod stix;
pub mod taxii;
pub mod ucdp;
pub mod un_list;
pub mod vocabulary;
