//! The limits of every engine, so that what one engine takes every engine takes. Pure.
//!
//! SOURCE: house.md section 2 ("limits on everything"); the embedded engine's own limits lie above.

/// LIMIT: longest key. Keys are identifiers and index values; long text is hashed before it is a
/// key.
pub const KEY_BYTES_MAX: usize = 4 * 1024;

/// LIMIT: longest value. Records have their own, smaller limits; attachments lie beside the store.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// LIMIT: puts and deletes in one batch, counted by distinct key.
pub const BATCH_OPERATIONS_MAX: usize = 100_000;

/// LIMIT: keys and values of one batch together.
pub const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;
