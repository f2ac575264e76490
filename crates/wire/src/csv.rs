//! Tables (CSV, TSV) as STIX records by a map the officer wrote, and records as a table. Pure.
//!
//! Nothing is guessed when a table is read: delimiter, encoding, the meaning of each column and the
//! order of day and month stand in the map. [`survey`] guesses, for a map somebody reads first. A
//! bad row is rejected alone, with its line and the number of its cell. Formulas are texts.
//! SOURCE: RFC 4180; OWASP "CSV Injection" for what a spreadsheet takes for a formula.

mod cell;
mod dates;
mod encoding;
mod map;
mod own;
mod record;
mod row;
mod rows;
mod survey;
mod write;

pub use cell::CellType;
pub use map::{Map, MapProblem};
pub use own::{COLUMNS, NOT_GIVEN, header, read_own, safe, to_row};
pub use rows::read;
pub use survey::{Guess, Survey, survey};
pub use write::{Choice, write_map};

/// LIMIT: rows of one table.
pub const ROWS_MAX: u64 = 1_000_000;
/// LIMIT: columns of one table.
pub const COLUMNS_MAX: usize = 1_000;
/// LIMIT: bytes of one cell that is not a whole STIX object.
pub const CELL_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: lines of one cell; more is a quote nobody closed.
pub const CELL_LINES_MAX: usize = 1_000;
/// LIMIT: bytes a survey looks at.
pub const SURVEY_BYTES_MAX: usize = 4 * 1024 * 1024;
