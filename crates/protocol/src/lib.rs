//! Answers one event with effects: a pure function of frozen facts, an event and the present.
//!
//! One file a verb. Nothing here reads a store, a clock or bytes; what leaves goes through
//! `policy::release` and comes out as `Released` values for `wire` to seal.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod denial;
pub mod effects;
pub mod facts;
mod govern;
mod ingest;
mod post;
mod recall;
mod receive;
mod retain;
mod share;
mod shelf;
mod step;
mod takedown;
mod view;

pub use denial::{Denial, Party};
pub use effects::{Change, Effects, Offered, Outgoing, Reply, Shared};
pub use facts::{Facts, Fault, Held};
pub use policy::engine::Engine as Rules;
pub use policy::release::{Refusal, Released};
pub use post::POSTED_MAX;
pub use share::{Offer, offer};
pub use shelf::{collections, rights, sight};
pub use step::step;
pub use view::{Example, Seen, examples, explain, officer_view, would_share};
