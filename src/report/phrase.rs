//! Counts, shares, moments and absences in words.

/// `1 run`, `3 runs`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped(count as u64)) }
}

/// `109 482 240`: thousands apart by a narrow space that does not break.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `232 k`, `11.2 M`, `340 M`: a number of parameters.
pub(crate) fn millions(number: u64) -> String {
    let millions = number as f64 / 1e6;
    if millions < 1.0 {
        return format!("{:.0} k", number as f64 / 1e3);
    }
    if millions < 100.0 { format!("{millions:.1} M") } else { format!("{millions:.0} M") }
}

/// `12 %` of a fraction.
pub(crate) fn percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return "unknown".to_owned();
    }
    let percent = fraction * 100.0;
    if percent > 0.0 && percent < 0.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A p-value with two significant digits, or as a bound.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else if p < 0.1 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}

/// `a, b and c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `2018-10-11T09:30:00Z` of seconds since 1970-01-01 UTC.
#[must_use]
pub fn moment(unix: u64) -> String {
    let (days, seconds) = (unix / 86_400, unix % 86_400);
    // Days are counted in years that begin on 1 March, so that the leap day comes last; 719 468 days
    // lie between 0000-03-01 and 1970-01-01 in the Gregorian calendar, 146 097 in 400 of its years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `2018-10-11 09:30 UTC`, for the page.
pub(crate) fn readable_moment(unix: u64) -> String {
    moment(unix)[..16].replace('T', " ") + " UTC"
}

/// A word of a shell command, quoted when it must be.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1200, "run"), "1\u{202f}200 runs");
        assert_eq!(millions(109_482_240), "109 M");
        assert_eq!((millions(4_385_920), millions(231_600)), ("4.4 M".into(), "232 k".into()));
        assert_eq!((percent(0.024), percent(0.004)), ("2 %".into(), "0.4 %".into()));
        assert_eq!(listed(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(p_value(0.000_2), "<0.001");
        assert_eq!(shell_word("experiments/mini.yaml"), "experiments/mini.yaml");
        assert_eq!(shell_word("it's <b>"), r"'it'\''s <b>'");
    }

    /// GNU `date -u -d @SECONDS +%FT%TZ`.
    #[test]
    fn moments_are_those_of_date() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(moment(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(moment(1_767_225_600), "2026-01-01T00:00:00Z");
        assert_eq!(readable_moment(1_709_251_199), "2024-02-29 23:59 UTC");
    }
}
