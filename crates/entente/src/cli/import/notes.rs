//! What an officer should know of records that were taken: no fault, but worth a look.

use node::Body;
use wire::stix::UpgradeProblem;

/// Notes named before the rest is only counted.
const NAMED_MAX: usize = 20;

/// Notes on records that were taken.
#[derive(Default)]
pub struct Notes {
    /// STIX 2.0 objects that have a 2.1 form now.
    pub upgraded: u64,
    /// STIX 2.0 objects that have none.
    pub not_upgraded: u64,
    /// Observables whose identifier is not the one STIX computes from their content.
    pub other_ids: u64,
    /// The first notes, in words.
    pub named: Vec<String>,
}

impl Notes {
    /// Looks at one object that was read.
    pub fn look(&mut self, object: &Body) {
        let Some(computed) = object.other_computed_id() else { return };
        self.other_ids = self.other_ids.saturating_add(1);
        self.name(|| {
            format!(
                "`{}` has an id of its own; from its content STIX computes {computed}",
                object.id()
            )
        });
    }

    /// Notes that an object has no 2.1 form.
    pub fn kept_as_is(&mut self, object: &Body, problem: &UpgradeProblem) {
        self.not_upgraded = self.not_upgraded.saturating_add(1);
        self.name(|| {
            format!("`{}` stays STIX 2.0: {problem}; help: {}", object.id(), problem.help())
        });
    }

    fn name(&mut self, words: impl FnOnce() -> String) {
        if self.named.len() < NAMED_MAX {
            self.named.push(words());
        }
    }

    /// Adds the notes of a part of a file.
    pub fn add(&mut self, more: Self, file: &str) {
        self.upgraded = self.upgraded.saturating_add(more.upgraded);
        self.not_upgraded = self.not_upgraded.saturating_add(more.not_upgraded);
        self.other_ids = self.other_ids.saturating_add(more.other_ids);
        let room = NAMED_MAX.saturating_sub(self.named.len());
        self.named.extend(more.named.into_iter().take(room).map(|note| format!("{file}: {note}")));
    }

    /// In words, for the end of a report; nothing where there is nothing to say.
    pub fn lines(&self) -> Vec<String> {
        let counts = [
            (self.upgraded, "STIX 2.0 objects upgraded to 2.1; the originals are kept"),
            (self.not_upgraded, "STIX 2.0 objects stay as they are"),
            (self.other_ids, "observables have another id than STIX computes from their content"),
        ];
        let counts = counts.into_iter().filter(|(number, _)| *number > 0);
        let mut lines: Vec<String> =
            counts.map(|(number, words)| format!("note: {number} {words}")).collect();
        lines.extend(self.named.iter().map(|note| format!("note: {note}")));
        lines
    }
}
