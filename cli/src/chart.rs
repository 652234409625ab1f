//! The chart: a panel for each metric, a bar for each allocator, a whisker over its rounds, a dot for each. SVG with the
//! colours of light and dark in it.

use crate::compare::report::{METRICS, Measured, Metric};
use crate::output::shorten;
use crate::sample::Spread;

const WIDTH: f64 = 960.0;
const GAP: f64 = 28.0;
const ROW: f64 = 20.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 38.0;
const VALUE_WIDTH: f64 = 66.0;

/// Okabe and Ito's palette, told apart with any colour blindness; (light, dark).
const COLOURS: [(&str, &str, &str); 5] = [
    ("system", "#6b7280", "#a3acb8"),
    ("hakmem", "#d55e00", "#ff8b3d"),
    ("mimalloc", "#0072b2", "#56b4e9"),
    ("jemalloc", "#008a64", "#35c79b"),
    ("tcmalloc", "#a8487f", "#e08fbd"),
];
const OTHERS: [(&str, &str); 4] =
    [("#3b3fa8", "#9fa3ff"), ("#5b8a00", "#a6d64a"), ("#7a4a24", "#c9976b"), ("#00838f", "#4dd0da")];

/// CSS for a chart by itself (`root` is `svg`) or within a page (`:root`).
pub(crate) fn style(names: &[&str], root: &str) -> String {
    let (mut light, mut dark, mut others) = (String::new(), String::new(), OTHERS.iter().cycle());
    for (index, one) in names.iter().enumerate() {
        let known = COLOURS.iter().find(|(name, ..)| name == one).map(|(_, light, dark)| (*light, *dark));
        let (l, d) = known.or_else(|| others.next().copied()).unwrap_or(("#6b7280", "#a3acb8"));
        light += &format!("--a{index}:{l};");
        dark += &format!("--a{index}:{d};");
    }
    format!(
        "{root}{{color-scheme:light dark;--ground:#ffffff;--panel:#f6f8fa;--ink:#1f2328;--mute:#57606a;--grid:#d5dbe1;{light}}}
@media (prefers-color-scheme:dark){{{root}{{--ground:#0d1117;--panel:#161b22;--ink:#e6edf3;--mute:#9aa5b1;--grid:#30363d;{dark}}}}}
svg{{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}}
svg text{{fill:var(--ink);font-size:12px}}
svg .mute{{fill:var(--mute);font-size:11px}}
svg .title{{font-size:14px;font-weight:600}}
svg .strong{{font-weight:700}}
svg .grid{{stroke:var(--grid)}}
svg .axis{{stroke:var(--mute)}}
svg .spread{{stroke:var(--ink);stroke-width:1.2}}
svg .pt{{fill:var(--ink);fill-opacity:.55}}
svg .ground{{fill:var(--ground)}}
"
    )
}

pub(crate) fn names(all: &[Measured]) -> Vec<&str> {
    all.iter().map(|one| &*one.name).collect()
}

/// The chart as an SVG document with its own style, or as a part of a page that has it.
pub(crate) fn svg(all: &[Measured], alone: bool) -> String {
    let panel_width = (WIDTH - GAP) / 2.0;
    let panel_height = TOP + ROW * all.len() as f64 + BOTTOM;
    let rows = METRICS.len().div_ceil(2);
    let mut body = String::new();
    for (index, metric) in METRICS.iter().enumerate() {
        let left = (index % 2) as f64 * (panel_width + GAP);
        let top = (index / 2) as f64 * panel_height;
        panel(&mut body, all, metric, left, top, panel_width);
    }
    let height = panel_height * rows as f64;
    let (size, head) = if alone {
        let style = style(&names(all), "svg");
        (
            format!(" width=\"{WIDTH}\" height=\"{height}\""),
            format!("<style>{style}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>"),
        )
    } else {
        Default::default()
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\"{size} role=\"img\" id=\"chart\" \
         aria-label=\"Time, CPU, peak RSS and page faults of each allocator\">{head}{body}</svg>"
    )
}

fn panel(out: &mut String, all: &[Measured], metric: &Metric, left: f64, top: f64, width: f64) {
    let spreads: Vec<Option<Spread>> = all.iter().map(|one| one.spread(metric)).collect();
    let largest = spreads.iter().flatten().map(|spread| spread.high).fold(0.0, f64::max);
    let largest = if largest > 0.0 { largest } else { 1.0 };
    let names: Vec<String> = all.iter().map(|one| shorten(&one.name, 16)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let x0 = left + (longest as f64 * 8.2 + 14.0).max(70.0);
    let x1 = left + width - VALUE_WIDTH;
    let y0 = top + TOP;
    let y1 = y0 + ROW * all.len() as f64;
    let at = |value: f64| x0 + (x1 - x0) * value / largest;

    label(out, left, top + 16.0, "title", "start", metric.title);
    label(out, left, top + 33.0, "mute", "start", &format!("{}; less is better", metric.about));
    for tick in ticks(largest, metric.step_base) {
        let x = at(tick);
        line(out, "grid", x, y0 - 2.0, x, y1 + 2.0);
        let text =
            if tick > 0.0 { (metric.text)(tick).replace(".00 ", " ").replace(".0 ", " ") } else { "0".to_owned() };
        label(out, x, y1 + 16.0, "mute", "middle", &text);
    }
    for (row, ((one, name), spread)) in all.iter().zip(&names).zip(&spreads).enumerate() {
        let middle = y0 + ROW * row as f64 + ROW / 2.0;
        let strong = if one.name == "hakmem" { "strong" } else { "" };
        label(out, x0 - 7.0, middle + 4.0, strong, "end", name);
        let Some(spread) = spread else {
            label(
                out,
                x0 + 6.0,
                middle + 4.0,
                "mute",
                "start",
                if one.failure.is_some() { "failed" } else { "not measured" },
            );
            continue;
        };
        let hint = format!(
            "{}: {} ({} to {})",
            one.name,
            (metric.text)(spread.median),
            (metric.text)(spread.low),
            (metric.text)(spread.high)
        );
        *out += &format!(
            "<rect class=\"bar\" x=\"{x0:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" fill=\"var(--a{row})\"><title>{}</title></rect>",
            middle - 6.0,
            (at(spread.median) - x0).max(1.0),
            escape(&hint)
        );
        if spread.high > spread.low {
            line(out, "spread", at(spread.low), middle, at(spread.high), middle);
            for end in [spread.low, spread.high] {
                line(out, "spread", at(end), middle - 4.0, at(end), middle + 4.0);
            }
        }
        for value in one.values(metric) {
            *out += &format!("<circle class=\"pt\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"1.8\"/>", at(value));
        }
        label(out, at(spread.high) + 6.0, middle + 4.0, strong, "start", &(metric.text)(spread.median));
    }
    line(out, "axis", x0, y0 - 2.0, x0, y1 + 2.0);
}

/// Two to five round numbers from 0 on, all within the bars' length. `base`: round in 10s, or in 1024s.
pub(crate) fn ticks(largest: f64, base: f64) -> Vec<f64> {
    let mut unit = 1.0;
    if base > 10.0 {
        while largest >= unit * base {
            unit *= base;
        }
    }
    let top = largest / unit;
    let mut step = 10f64.powf((top / 3.0).log10().floor());
    for factor in [2.0, 2.5, 2.0, 2.0] {
        if top / step > 4.5 {
            step *= factor;
        }
    }
    (0..5).map(|index| f64::from(index) * step * unit).filter(|tick| *tick <= largest).collect()
}

pub(crate) fn label(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    *out += &format!("<text x=\"{x:.1}\" y=\"{y:.1}\"{class} text-anchor=\"{anchor}\">{}</text>", escape(text));
}

pub(crate) fn line(out: &mut String, class: &str, x1: f64, y1: f64, x2: f64, y2: f64) {
    *out += &format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

/// For text and attributes of HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            char if char.is_control() => out += "\u{fffd}",
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_round_and_within() {
        for (largest, base) in
            [(0.0037, 10.0), (1.0, 10.0), (9.99, 10.0), (123_456.0, 10.0), (1536.0, 1024.0), (5e6, 1024.0)]
        {
            let ticks = ticks(largest, base);
            assert!((2..=5).contains(&ticks.len()), "{largest}: {ticks:?}");
            assert!(ticks.first() == Some(&0.0) && ticks.iter().all(|tick| *tick <= largest), "{largest}: {ticks:?}");
        }
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<a href='x'>&\"\u{1}"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}");
    }
}
