//! When to try each partner again. Pure: the present and chance are parameters.

use super::carry::Trouble;
use model::ids::AgencyId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The pause after a first failure.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// LIMIT: the longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// LIMIT: partners tried at one time.
const AT_ONCE: usize = 32;

/// What one run along a lane did.
#[derive(Debug, Default)]
pub struct Run {
    /// Messages that left the outbox.
    pub carried: u64,
    /// What ended it early.
    pub trouble: Option<Trouble>,
}

#[derive(Debug, Default)]
struct Lane {
    busy: bool,
    failures: u32,
    due_at: Option<Instant>,
}

/// The lanes, one a partner.
#[derive(Debug, Default)]
pub struct Lanes(BTreeMap<AgencyId, Lane>);

impl Lanes {
    /// Whether this partner may be tried now.
    #[must_use]
    pub fn is_due(&self, partner: &AgencyId, now: Instant) -> bool {
        let busy = self.0.values().filter(|lane| lane.busy).count();
        let free = |lane: &Lane| !lane.busy && lane.due_at.is_none_or(|at| at <= now);
        busy < AT_ONCE && self.0.get(partner).is_none_or(free)
    }

    /// A run begins.
    pub fn begin(&mut self, partner: &AgencyId) {
        self.0.entry(partner.clone()).or_default().busy = true;
    }

    /// A run ended; the pause until the next one, if it failed and the pause is a new one.
    pub fn end(
        &mut self,
        partner: &AgencyId,
        run: Run,
        now: Instant,
        chance: u8,
    ) -> Option<Duration> {
        let lane = self.0.entry(partner.clone()).or_default();
        lane.busy = false;
        if run.trouble.is_none() || run.carried > 0 {
            lane.failures = 0;
        }
        if run.trouble.is_none() {
            lane.due_at = None;
            return None;
        }
        let pause = pause(lane.failures, chance);
        let told = lane.failures < 10 || lane.failures.checked_rem(60) == Some(0);
        lane.failures = lane.failures.saturating_add(1);
        lane.due_at = now.checked_add(pause);
        told.then_some(pause)
    }
}

/// Doubles with each failure, between three and five quarters of itself by chance.
fn pause(failures: u32, chance: u8) -> Duration {
    let doubled = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(PAUSE_MAX);
    let quarters = u32::from(chance).saturating_add(384);
    doubled.saturating_mul(quarters).checked_div(512).unwrap_or(PAUSE_MAX).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Run {
        Run { carried: 0, trouble: Some(Trouble::new("down", "it does not answer")) }
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_one_lane_does_not_hold_another() {
        let (mut lanes, start) = (Lanes::default(), Instant::now());
        let (down, up): (AgencyId, AgencyId) = ("xb".parse().unwrap(), "xc".parse().unwrap());
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            lanes.begin(&down);
            assert!(!lanes.is_due(&down, start) && lanes.is_due(&up, start));
            let told = lanes.end(&down, failed(), start, 128);
            last = told.unwrap_or(last);
            assert!(!lanes.is_due(&down, start));
        }
        assert_eq!(last, PAUSE_MAX);
        assert!(lanes.is_due(&down, start + PAUSE_MAX));
        assert_eq!(pause(0, 0), Duration::from_millis(150));
        lanes.begin(&down);
        assert_eq!(lanes.end(&down, Run::default(), start, 0), None);
        assert!(lanes.is_due(&down, start));
    }

    #[test]
    fn no_more_lanes_are_busy_than_the_limit() {
        let mut lanes = Lanes::default();
        for number in 0..AT_ONCE {
            lanes.begin(&format!("x{number}").parse().unwrap());
        }
        assert!(!lanes.is_due(&"one-more".parse().unwrap(), Instant::now()));
    }
}
