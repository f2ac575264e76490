//! Instants and calendar periods. Pure: the present is always a parameter.
//!
//! SOURCE: RFC 3339 for instants, ISO 8601 durations for periods.

use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an instant or a period, or a sum leaves the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an RFC 3339 instant with a zone.
    #[error("`{0}` is not a time such as 2026-11-23T12:00:00Z")]
    Instant(String),
    /// Not an ISO 8601 duration.
    #[error("`{0}` is not a period such as P3Y, P30D or PT48H")]
    Period(String),
    /// The result lies outside the years -9999 to 9999.
    #[error("{0} and {1} together leave the calendar")]
    Range(Timestamp, Period),
}

/// An instant in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    ///
    /// # Errors
    /// Outside the calendar (years -9999 to 9999).
    pub fn from_micros(micros: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_microsecond(micros)
            .map(|_| Self(micros))
            .map_err(|_| TimeError::Instant(micros.to_string()))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// This instant plus a calendar period, counted in UTC.
    ///
    /// # Errors
    /// [`TimeError::Range`] when the sum leaves the calendar.
    pub fn plus(self, period: &Period) -> Result<Self, TimeError> {
        let range = || TimeError::Range(self, period.clone());
        let start = self.jiff().map_err(|_| range())?.to_zoned_datetime(TimeZone::UTC);
        let end = start.checked_add(period.span).map_err(|_| range())?;
        Ok(Self(end.timestamp().as_microsecond()))
    }

    fn jiff(self) -> Result<jiff::Timestamp, jiff::Error> {
        jiff::Timestamp::from_microsecond(self.0)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_microsecond()))
            .map_err(|_| TimeError::Instant(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jiff() {
            Ok(instant) => fmt::Display::fmt(&instant, f),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(instant: Timestamp) -> String {
        instant.to_string()
    }
}

/// A calendar period such as `P3Y`; remembers the text it was written with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    text: String,
    span: Span,
}

impl Period {
    /// The period as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Approximate length in seconds (a year as 365 days, a month as 30), for ordering only.
    #[must_use]
    pub fn seconds_nominal(&self) -> i64 {
        let days = i64::from(self.span.get_years())
            .saturating_mul(365)
            .saturating_add(i64::from(self.span.get_months()).saturating_mul(30))
            .saturating_add(i64::from(self.span.get_weeks()).saturating_mul(7))
            .saturating_add(i64::from(self.span.get_days()));
        days.saturating_mul(86_400)
            .saturating_add(i64::from(self.span.get_hours()).saturating_mul(3_600))
            .saturating_add(self.span.get_minutes().saturating_mul(60))
            .saturating_add(self.span.get_seconds())
    }
}

impl FromStr for Period {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Period(text.chars().take(80).collect());
        if !text.starts_with('P') {
            return Err(wrong());
        }
        let span: Span = text.parse().map_err(|_| wrong())?;
        if span.is_negative() {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), span })
    }
}

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Period {}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Period {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_counted_on_the_calendar() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let then = now.plus(&"P3Y".parse().unwrap()).unwrap();
        assert_eq!(then.to_string(), "2029-11-23T12:00:00Z");
        let leap: Timestamp = "2024-02-29T00:00:00Z".parse().unwrap();
        assert_eq!(leap.plus(&"P1Y".parse().unwrap()).unwrap().to_string(), "2025-02-28T00:00:00Z");
    }

    #[test]
    fn times_without_a_zone_and_backward_periods_are_refused() {
        assert!("2026-11-23T12:00:00".parse::<Timestamp>().is_err());
        assert!("-P1D".parse::<Period>().is_err());
        assert!("3 years".parse::<Period>().is_err());
    }
}
