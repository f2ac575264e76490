//! The MISP core format: events read as STIX records of the house, and written from them. Pure.
//!
//! Each attribute, object, report and sighting of an event becomes one record, because each has its
//! own audience in MISP. What STIX has no place for is kept in named fields `misp.…` of Entente's
//! extension, so that nothing an event says is lost.
//! SOURCE: draft-dulaunoy-misp-core-format; MISP galaxy, taxonomy and warninglist formats.

mod attribute;
mod audience;
mod draft;
mod event;
mod feed;
mod galaxy;
mod members;
mod object;
mod pattern;
mod read;
mod search;
mod tags;
mod types;
mod write;

pub use audience::{AudienceProblem, Audiences, Named};
pub use feed::{Feed, feed};
pub use read::read;
pub use search::{Scope, Search, SearchProblem, attributes};
pub use write::{Distribution, Written, write};

/// LIMIT: bytes of one event, all parts together.
pub const EVENT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The name of the source in identifiers made for parts without a UUID.
pub const SOURCE_NAME: &str = "misp";
