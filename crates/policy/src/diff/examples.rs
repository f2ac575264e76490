//! Stored records whose decision two engines see differently. Pure.

use crate::engine::{Engine, Question};
use model::decision::Decision;
use model::ids::{AgencyId, RecordId};
use model::record::Record;
use model::request::Ask;

/// One record whose decision changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The record.
    pub record: RecordId,
    /// Who would receive it.
    pub recipient: AgencyId,
    /// What for.
    pub purpose: String,
    /// The decision as it was.
    pub before: Decision,
    /// The decision as it will be.
    pub after: Decision,
}

/// Up to `most` examples among `records` × `asks` whose decision differs, in their order. Cost: two
/// verdicts a pair, two explained decisions where they differ.
pub fn examples<'a>(
    before: &Engine,
    after: &Engine,
    records: impl IntoIterator<Item = &'a Record>,
    asks: &[Ask],
    most: usize,
) -> Vec<Example> {
    let put = |ask| (ask, before.put(ask), after.put(ask));
    let questions: Vec<(&Ask, Question, Question)> = asks.iter().map(put).collect();
    let mut out = Vec::new();
    for record in records {
        let (old, new) = (before.prepare(record), after.prepare(record));
        for (ask, was, will) in &questions {
            if out.len() >= most {
                return out;
            }
            let (one, other) = (before.verdict(&old, was), after.verdict(&new, will));
            // Two refusals for the same tests differ in nothing the recipient sees.
            if one.failed == other.failed && !one.failed.is_empty() {
                continue;
            }
            let (was, will) = (before.decide(record, ask), after.decide(record, ask));
            if was != will {
                out.push(Example {
                    record: record.id.clone(),
                    recipient: ask.recipient.clone(),
                    purpose: ask.purpose.clone(),
                    before: was,
                    after: will,
                });
            }
        }
    }
    out
}
