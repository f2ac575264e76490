//! The edge: clock and chance. Everything below takes them as parameters.

use crate::failure::Failure;
use model::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present by the wall clock, UTC, to the microsecond.
///
/// # Errors
/// The clock stands before 1970 or beyond the calendar.
pub fn now() -> Result<Timestamp, Failure> {
    let wrong = |text: String| {
        Failure::node("clock_wrong", text, "set the machine's clock (UTC) and try again")
    };
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| wrong("the clock stands before 1970".to_owned()))?;
    let micros = i64::try_from(since.as_micros()).map_err(|e| wrong(e.to_string()))?;
    Timestamp::from_micros(micros).map_err(|e| wrong(e.to_string()))
}

/// Randomness of the operating system.
pub struct SystemEntropy;

impl node::Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            // WHY: a node without randomness must not go on; there is no value to return.
            std::process::abort();
        }
    }
}

/// The file of certificate authorities the environment names (`SSL_CERT_FILE`).
#[must_use]
pub fn authorities_path() -> Option<std::path::PathBuf> {
    std::env::var_os("SSL_CERT_FILE").map(std::path::PathBuf::from)
}
