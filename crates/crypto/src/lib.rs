//! Names the cryptographic primitives; nothing else does.
//!
//! Pure: chance comes in as [`Entropy`], time as a number of seconds, storage as a reader trait.
//!
//! - [`hash`]: SHA-256, text encodings, salted field commitments.
//! - [`merkle`], [`frontier`], [`prove`], [`tiles`]: the RFC 9162 log tree, from leaf to C2SP tile.
//! - [`sign`], [`vkey`], [`note`], [`checkpoint`], [`split`]: Ed25519, C2SP signed notes, tree
//!   heads, cosignatures and the evidence that a log showed two faces.
//! - [`seal`], [`body`]: HPKE X-Wing key wraps and C2SP chunked encryption (Cobblestone-256).
//!
//! INVARIANT: no other crate of the workspace depends on a cryptographic library.
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

pub mod body;
pub mod checkpoint;
pub mod entropy;
pub mod frontier;
pub mod hash;
pub mod merkle;
pub mod note;
pub mod prove;
pub mod seal;
pub mod sign;
pub mod split;
pub mod tiles;
pub mod vkey;

pub use entropy::Entropy;
pub use model::ids::Digest;
