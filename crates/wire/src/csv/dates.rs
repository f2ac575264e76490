//! Dates as people write them in tables: read only in the order the map states. Pure.

use model::time::Timestamp;
use serde::Deserialize;

/// The order of a date's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order {
    /// 2025-04-03, alone or with a time.
    YearMonthDay,
    /// 03/04/2025 is the third of April.
    DayMonthYear,
    /// 03/04/2025 is the fourth of March.
    MonthDayYear,
    /// Seconds since 1970.
    UnixSeconds,
}

impl Order {
    /// All of them, as a map writes them.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("year-month-day", Self::YearMonthDay),
        ("day-month-year", Self::DayMonthYear),
        ("month-day-year", Self::MonthDayYear),
        ("unix-seconds", Self::UnixSeconds),
    ];

    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, order)| *order == self).map_or("", |(word, _)| word)
    }
}

/// Why a text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateFault {
    /// Not a date in this order.
    Form,
    /// A time of day whose zone nobody stated.
    Zone,
}

/// The instant a text names; a date alone is its midnight in UTC.
pub(super) fn instant(
    text: &str,
    order: Order,
    zone: Option<&str>,
) -> Result<Timestamp, DateFault> {
    let text = text.trim();
    if order == Order::UnixSeconds {
        let seconds: Option<i64> = text.parse().ok();
        let micros = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
        return micros.and_then(|m| Timestamp::from_micros(m).ok()).ok_or(DateFault::Form);
    }
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => {
            let (date, time) = text.split_at_checked(at).ok_or(DateFault::Form)?;
            (date, Some(time.get(1..).unwrap_or_default().trim()))
        }
        None => (text, None),
    };
    let day = day(date, order).ok_or(DateFault::Form)?;
    let Some(time) = time else {
        return format!("{day}T00:00:00Z").parse().map_err(|_| DateFault::Form);
    };
    let (clock, own_zone) = clock(time).ok_or(DateFault::Form)?;
    let zone = own_zone.or(zone).ok_or(DateFault::Zone)?;
    format!("{day}T{clock}{zone}").parse().map_err(|_| DateFault::Form)
}

/// The day a text names, as 2025-04-03.
pub(super) fn day(text: &str, order: Order) -> Option<String> {
    let text = text.trim();
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match order {
        Order::YearMonthDay => (first, second, third),
        Order::DayMonthYear => (third, second, first),
        Order::MonthDayYear => (third, first, second),
        Order::UnixSeconds => return None,
    };
    let digits = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    // WHY: two digits of a year are two centuries.
    let year = digits(year, 4).filter(|_| year.len() == 4)?;
    let written = format!("{year:04}-{:02}-{:02}", digits(month, 2)?, digits(day, 2)?);
    let valid: Result<Timestamp, _> = format!("{written}T00:00:00Z").parse();
    valid.ok().map(|_| written)
}

/// A time of day with its seconds, and the zone after it.
fn clock(text: &str) -> Option<(String, Option<&str>)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')));
    let (clock, zone) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let zone = match zone.trim() {
        "" => None,
        "UTC" | "GMT" | "Z" | "z" => Some("Z"),
        zone if is_zone(zone) => Some(zone),
        _ => return None,
    };
    let full = match clock.len() {
        5 => format!("{clock}:00"),
        4 => format!("0{clock}:00"),
        _ => clock.to_owned(),
    };
    Some((full, zone))
}

/// Whether a text is `Z` or an offset such as +02:00.
pub(super) fn is_zone(text: &str) -> bool {
    let offset = |(index, byte): (usize, u8)| match index {
        0 => matches!(byte, b'+' | b'-'),
        3 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    text == "Z" || (text.len() == 6 && text.bytes().enumerate().all(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_order_stated_and_no_other() {
        let read = |text, order| instant(text, order, None).map(|at| at.to_string());
        let day = |text: &str| Ok(format!("{text}T00:00:00Z"));
        assert_eq!(read("03/04/2025", Order::DayMonthYear), day("2025-04-03"));
        assert_eq!(read("03/04/2025", Order::MonthDayYear), day("2025-03-04"));
        assert_eq!(read("3.4.2025", Order::DayMonthYear), day("2025-04-03"));
        assert_eq!(read("13/04/2025", Order::MonthDayYear), Err(DateFault::Form));
        assert_eq!(read("03/04/25", Order::DayMonthYear), Err(DateFault::Form));
        assert_eq!(read("2025-02-29", Order::YearMonthDay), Err(DateFault::Form));
        assert_eq!(read("2025-04-03 10:15", Order::YearMonthDay), Err(DateFault::Zone));
        assert_eq!(
            instant("3/4/2025 9:15", Order::DayMonthYear, Some("+02:00")).unwrap().to_string(),
            "2025-04-03T07:15:00Z"
        );
        assert_eq!(
            read("2025-04-03T10:15:00+02:00", Order::YearMonthDay),
            Ok("2025-04-03T08:15:00Z".to_owned())
        );
        assert_eq!(read("0", Order::UnixSeconds), day("1970-01-01"));
        assert_eq!(read("", Order::UnixSeconds), Err(DateFault::Form));
    }
}
