//! LIMIT: the bounds every decoder keeps, in one place. Pure.

/// Longest single object accepted, in bytes.
pub const OBJECT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 64;
/// Most members of one object or elements of one array.
pub const MEMBERS_MAX: usize = 200_000;
/// Longest agreement, vocabulary or member document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most articles in one agreement.
pub const ARTICLES_MAX: usize = 10_000;
/// Most problems listed for one document or file before the rest is only counted.
pub const PROBLEMS_MAX: usize = 1_000;
