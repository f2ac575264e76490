//! The bounds of every door, in one place, and the count of messages an address may send.
//!
//! The counting is pure: the present is a parameter.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// LIMIT: bytes of a partner's message. WHY: 1,000 records of 16 KiB, sealed, in base64.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// LIMIT: bytes of a TAXII request's body.
pub const TAXII_BYTES_MAX: usize = 8 * 1024 * 1024;
/// LIMIT: bytes of a MISP request's body. WHY: an event comes whole, its attachments in base64.
pub const MISP_BYTES_MAX: usize = 32 * 1024 * 1024;
/// LIMIT: bytes of an answer to a MISP client; what is larger is asked for in pages.
pub const MISP_ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// LIMIT: events put together for one answer to a MISP client.
pub const MISP_EVENTS_MAX: usize = 10_000;
/// LIMIT: events in the short index, which reads no parts.
pub const MISP_INDEX_MAX: usize = 100_000;
/// LIMIT: sightings a partner pushed that one answer looks through.
pub const MISP_SIGHTINGS_MAX: usize = 50_000;
/// LIMIT: records that one event of an answer names.
pub const MISP_MEMBERS_MAX: usize = 20_000;
/// LIMIT: bytes of an officer's command; it is read only after the token has been checked.
pub const COMMAND_BYTES_MAX: usize = 64 * 1024 * 1024;
/// LIMIT: partners' messages read and worked on at one time.
pub const MESSAGES_AT_ONCE: usize = 8;
/// LIMIT: threads that work on requests.
pub const WORKERS_MAX: usize = 32;
/// LIMIT: bytes of a request's head.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// LIMIT: bytes of a request's path and query.
pub const ADDRESS_BYTES_MAX: usize = 4 * 1024;
/// LIMIT: time until a request's head is complete; also how long an idle connection stays open.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// LIMIT: time until a request's body is complete.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// LIMIT: time between two looks at whether a client reads its answer; stuck for a whole one, it is
/// cut off.
pub const STUCK_TIME_MAX: Duration = Duration::from_secs(120);
/// LIMIT: bytes of an oversized body that are read away so that the sender hears the answer.
pub const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// LIMIT: time a stopping node waits for requests in progress.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// LIMIT: messages an address may send at once.
const BURST: u32 = 400;
/// LIMIT: messages an address may send per second in the long run.
const PER_SECOND: u32 = 200;
/// LIMIT: addresses remembered.
const ADDRESSES_MAX: usize = 4_096;

/// Counts what each address sends; the allowance fills up again with time.
#[derive(Debug, Default)]
pub struct Allowance {
    seen: Mutex<BTreeMap<IpAddr, (u32, Instant)>>,
}

impl Allowance {
    /// Whether one more is allowed at `now`.
    pub fn take(&self, address: IpAddr, now: Instant) -> bool {
        let Ok(mut seen) = self.seen.lock() else { return false };
        if seen.len() >= ADDRESSES_MAX {
            seen.retain(|_, (_, at)| now.saturating_duration_since(*at) < Duration::from_secs(2));
        }
        // WHY: a flood from too many addresses at once is held back as a whole.
        if seen.len() >= ADDRESSES_MAX && !seen.contains_key(&address) {
            return false;
        }
        let (left, at) = seen.entry(address).or_insert((BURST, now));
        let passed = now.saturating_duration_since(*at).as_millis();
        let gained = passed.saturating_mul(u128::from(PER_SECOND)).checked_div(1_000).unwrap_or(0);
        if gained > 0 {
            *left = left.saturating_add(u32::try_from(gained).unwrap_or(BURST)).min(BURST);
            *at = now;
        }
        let allowed = *left > 0;
        *left = left.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_runs_out_and_fills_up_again() {
        let allowance = Allowance::default();
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let start = Instant::now();
        let taken = (0..BURST.saturating_mul(2)).filter(|_| allowance.take(one, start)).count();
        assert_eq!(taken, 400);
        assert!(allowance.take(other, start));
        assert!(allowance.take(one, start + Duration::from_secs(1)));
    }
}
