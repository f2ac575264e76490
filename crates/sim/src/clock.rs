//! Time: one true present, and what each node takes it to be. Pure.

use crate::SimError;
use model::time::Timestamp;

/// The true present and each node's error.
#[derive(Debug, Clone)]
pub struct Clock {
    now: Timestamp,
    skews_seconds: Vec<i64>,
}

impl Clock {
    /// A clock for this many nodes, all right.
    ///
    /// # Errors
    /// The instant is outside the calendar.
    pub fn new(start: &str, nodes: usize) -> Result<Self, SimError> {
        let now = start.parse().map_err(SimError::unusable)?;
        Ok(Self { now, skews_seconds: vec![0; nodes] })
    }

    /// The true present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What a node takes the present to be.
    #[must_use]
    pub fn at(&self, node: usize) -> Timestamp {
        let skew = self.skews_seconds.get(node).copied().unwrap_or(0);
        moved(self.now, skew)
    }

    /// Lets time pass.
    pub fn pass(&mut self, seconds: i64) {
        self.now = moved(self.now, seconds.max(0));
    }

    /// Sets a node's clock wrong (or right: 0).
    pub fn skew(&mut self, node: usize, seconds: i64) {
        if let Some(slot) = self.skews_seconds.get_mut(node) {
            *slot = seconds;
        }
    }

    /// Sets every clock right.
    pub fn correct(&mut self) {
        for slot in &mut self.skews_seconds {
            *slot = 0;
        }
    }
}

/// An instant some seconds later or earlier; the calendar's end stops it.
#[must_use]
pub fn moved(at: Timestamp, seconds: i64) -> Timestamp {
    let micros = at.micros().saturating_add(seconds.saturating_mul(1_000_000));
    Timestamp::from_micros(micros).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_keeps_its_error_as_time_passes() {
        let mut clock = Clock::new("2026-06-01T00:00:00Z", 2).unwrap();
        clock.skew(1, -3600);
        clock.pass(60);
        assert_eq!(clock.at(0).to_string(), "2026-06-01T00:01:00Z");
        assert_eq!(clock.at(1).to_string(), "2026-05-31T23:01:00Z");
        clock.correct();
        assert_eq!(clock.at(1), clock.now());
    }
}
