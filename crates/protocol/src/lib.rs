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

pub mod change;
mod deliver;
pub mod denial;
mod effects;
pub mod facts;
mod govern;
mod ingest;
mod notice;
mod post;
mod recall;
mod receive;
mod retain;
mod same_as;
mod share;
mod shelf;
mod step;
mod takedown;
mod view;

pub use change::{
    Change, CollectionChange, DeliveryChange, PostingChange, RecordChange, RuleChange,
};
pub use deliver::{FINAL_REFUSALS_MAX, PATIENCE_SECONDS, REFUSALS_MAX};
pub use denial::{Denial, Party};
pub use effects::{Effects, GivenUp, Offered, Outgoing, Refusals, Reply, Shared, Subject};
pub use facts::{Facts, Fault, Held};
pub use notice::{NOTICE_RECORDS_MAX, owes_word, unannounced};
pub use policy::engine::Engine as Rules;
pub use policy::release::{Content, ESSENTIAL_REFS, Inquiry, One, Refusal, Released, Short};
pub use policy::shapes::{Catalogue, Own, ShapeNumber};
pub use post::POSTED_MAX;
pub use same_as::{LINKS_MAX, SUBJECT_MAX, Subject as SameSubject, subject as same_subject};
pub use share::{Offer, SHIPMENT_BYTES_MAX, ask, offer, offer_held};
pub use shelf::{collections, rights, sight};
pub use step::step;
pub use view::{Example, Seen, examples, explain, officer_view, officer_view_held, would_share};
