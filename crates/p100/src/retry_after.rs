//! `Retry-After`: seconds or an HTTP date, bounded.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};

/// Shorter is a burst, not a wait.
pub(crate) const SHORTEST: Duration = Duration::from_secs(1);
/// No header may park the whole account for longer; after that the provider is asked again.
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long to wait. A date is measured against the answer's own `Date`, so that a wrong clock here does not matter,
/// and against `now` where the answer has none. What cannot be read asks for nothing.
pub(crate) fn read(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a very long wait.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = http_date(value)?;
        let from = date.and_then(http_date).unwrap_or(now);
        Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO)
    };
    Some(asked.clamp(SHORTEST, LONGEST))
}

/// The one form that senders may write (RFC 9110, IMF-fixdate) is a date of mail too.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now: Timestamp = "2026-02-13T11:00:00Z".parse().unwrap();
        let date = Some("Fri, 13 Feb 2026 08:00:00 GMT");
        let cases: &[(&str, Option<&str>, Option<u64>)] = &[
            ("30", None, Some(30)),
            (" 30 ", None, Some(30)),
            ("0", None, Some(1)),
            ("900", None, Some(900)),
            ("901", None, Some(900)),
            ("99999999999999999999999999", None, Some(900)),
            ("Fri, 13 Feb 2026 11:01:30 GMT", None, Some(90)),
            ("Fri, 13 Feb 2026 10:59:00 GMT", None, Some(1)),
            ("Sat, 14 Feb 2026 11:00:00 GMT", None, Some(900)),
            // The answer's own clock is three hours behind ours.
            ("Fri, 13 Feb 2026 08:00:20 GMT", date, Some(20)),
            ("Fri, 13 Feb 2026 11:01:30 GMT", Some("nonsense"), Some(90)),
            ("", None, None),
            ("-5", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("Fri, 99 Feb 2026 11:00:00 GMT", None, None),
        ];
        for (value, date, seconds) in cases {
            assert_eq!(read(value, *date, now).map(|d| d.as_secs()), *seconds, "{value:?}");
        }
    }
}
