//! Figures as people read them: three digits that count, and a unit.

/// `1.23 s`, `12.3 ms`, `45.6 µs`.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0} s"),
        v if v >= 1.0 => format!("{} s", digits(v)),
        v if v >= 1e-3 => format!("{} ms", digits(v * 1e3)),
        v if v > 0.0 => format!("{} µs", digits(v * 1e6)),
        _ => "0 s".to_owned(),
    }
}

/// From KiB: `512 KiB`, `12.3 MiB`, `1.50 GiB`.
pub(crate) fn kib(value: f64) -> String {
    match value {
        v if v >= 1024.0 * 1024.0 => format!("{} GiB", digits(v / 1024.0 / 1024.0)),
        v if v >= 1024.0 => format!("{} MiB", digits(v / 1024.0)),
        v => format!("{} KiB", digits(v)),
    }
}

pub(crate) fn bytes(value: f64) -> String {
    if value < 1024.0 { format!("{value:.0} B") } else { kib(value / 1024.0) }
}

/// `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 heap`, `12 heaps`.
pub(crate) fn number(value: u64, what: &str) -> String {
    format!("{} {what}{}", count(value), if value == 1 { "" } else { "s" })
}

/// Three digits that count.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A ratio as a change: `12 % less`, `3.4 % more`.
pub(crate) fn change(ratio: f64) -> String {
    let percent = (ratio - 1.0).abs() * 100.0;
    let figure = if percent >= 10.0 { format!("{percent:.0}") } else { format!("{percent:.1}") };
    format!("{figure} % {}", if ratio < 1.0 { "less" } else { "more" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (value, text) in [(0.0, "0 s"), (1.5e-5, "15.0 µs"), (0.0123, "12.3 ms"), (1.0, "1.00 s"), (123.4, "123 s")]
        {
            assert_eq!(seconds(value), text);
        }
        for (value, text) in [(512.0, "512 KiB"), (1536.0, "1.50 MiB"), (3.0 * 1024.0 * 1024.0, "3.00 GiB")] {
            assert_eq!(kib(value), text);
        }
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!((change(0.88), change(1.034)), ("12 % less".into(), "3.4 % more".into()));
    }
}
