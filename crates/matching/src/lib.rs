//! Compares: normal forms of values, likeness of digests, lists of benign values. Pure.
//!
//! Two values are equal when their normal forms are: [`normalise`] is idempotent. [`Value::key`]
//! orders values so that networks, subdomains and the URLs of a host lie together in an index.
//! Nothing here knows a format, a store or who may see what.
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

pub mod net;
mod normal;
pub mod ssdeep;
pub mod tlsh;
mod value;
pub mod warninglist;

pub use normal::{VALUE_BYTES_MAX, guess, normalise};
pub use value::{Value, reach};
