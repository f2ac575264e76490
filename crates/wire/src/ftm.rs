//! FollowTheMoney entities in JSON lines: read one by one, written back equal in meaning. Pure.
//!
//! Schemas and properties are kept as they are named, also those nobody here knows: which of them
//! mean a name or a number is for whoever compares. One bad line is rejected alone.
//! SOURCE: FollowTheMoney `EntityProxy` (`id`, `schema`, `properties`); OpenSanctions entity files
//! (`caption`, `datasets`, `referents`, `target`, `first_seen`, `last_seen`, `last_change`).

mod entity;
mod lines;

pub use entity::{Entity, Fault};
pub use lines::{Problem, Summary, read};

/// LIMIT: bytes of the identifier of an entity.
pub const ID_BYTES_MAX: usize = 1_024;
/// LIMIT: bytes of the name of a schema or a property.
pub const NAME_BYTES_MAX: usize = 128;
