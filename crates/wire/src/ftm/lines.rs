//! Files of entities, one a line. Memory: one line. Pure.

use super::entity::{Entity, Fault};
use crate::limits::OBJECT_BYTES_MAX;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

/// A line that is not an entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What a file held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Entities delivered.
    pub entities: u64,
    /// Lines rejected.
    pub rejected: u64,
}

enum Line {
    End,
    Whole,
    TooLong,
}

/// Reads entities and delivers each, or what is wrong with its line. Empty lines are passed over.
///
/// # Errors
/// The input cannot be read on; what was delivered before stands.
pub fn read(
    mut reader: impl BufRead,
    visit: &mut dyn FnMut(Result<Entity, Problem>) -> ControlFlow<()>,
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut buffer = Vec::new();
    let mut line: u64 = 0;
    loop {
        line = line.saturating_add(1);
        let entity = match next(&mut reader, &mut buffer)? {
            Line::End => return Ok(summary),
            Line::Whole if buffer.trim_ascii().is_empty() => continue,
            Line::Whole => Entity::parse(&buffer),
            Line::TooLong => Err(Fault {
                pointer: String::new(),
                column: None,
                reason: format!("the line is longer than {OBJECT_BYTES_MAX} bytes"),
                cure: "give one entity a line, each on a line of its own",
            }),
        };
        match &entity {
            Ok(_) => summary.entities = summary.entities.saturating_add(1),
            Err(_) => summary.rejected = summary.rejected.saturating_add(1),
        }
        if visit(entity.map_err(|fault| Problem { line, fault })).is_break() {
            return Ok(summary);
        }
    }
}

/// The next line without its end. INVARIANT: `buffer` never holds more than a line may have.
fn next(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let (mut seen, mut long) = (false, false);
    loop {
        let read = match reader.fill_buf() {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read.is_empty() {
            return Ok(match (seen, long) {
                (false, _) => Line::End,
                (true, true) => Line::TooLong,
                (true, false) => Line::Whole,
            });
        }
        seen = true;
        let end = memchr::memchr(b'\n', read);
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        long |= buffer.len().saturating_add(part.len()) > OBJECT_BYTES_MAX;
        if !long {
            buffer.extend_from_slice(part);
        }
        let used = part.len().saturating_add(usize::from(end.is_some()));
        reader.consume(used);
        if end.is_some() {
            return Ok(if long { Line::TooLong } else { Line::Whole });
        }
    }
}
