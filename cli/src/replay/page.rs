//! The page of a replay: memory over the trace, latencies, and the table, in one file that needs no other.

use super::report::{FIGURES, Report, extra_title, nanoseconds};
use super::session::Measured;
use crate::chart::{self, escape, label, line, ticks};
use crate::compare::page::STYLE;
use crate::output::shorten;
use crate::units;

const MORE_STYLE: &str = "
h2{font-size:1rem;font-weight:600;margin:1.5rem 0 .25rem}
.legend span{margin-right:1.2em;white-space:nowrap}
.legend i{display:inline-block;width:1.1em;height:.28em;margin-right:.4em;vertical-align:middle;background:var(--c)}
svg .curve{fill:none;stroke-width:1.7;stroke-linejoin:round}
svg .live{fill:var(--mute);fill-opacity:.22}
";

const WIDTH: f64 = 960.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;

pub(super) fn html(report: &Report) -> String {
    let names: Vec<&str> = report.allocators.iter().map(|one| &*one.name).collect();
    let mut notes = String::new();
    for one in &report.allocators {
        if let Some(failure) = &one.failure {
            notes += &format!("<p class=\"verdict failed\">{}: {}</p>", escape(&one.name), escape(failure));
        }
    }
    let latency: String =
        ["malloc", "free"].iter().enumerate().map(|(call, name)| latency_chart(report, call, name)).collect();
    let latency = if latency.is_empty() {
        latency
    } else {
        format!("<h2>Latency of single calls</h2>{latency}{}", legend(report, false))
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Replay: {}</title>\n\
         <style>{}{STYLE}{MORE_STYLE}</style></head>\n<body><main>\n<h1>Replay of <code>{}</code></h1>\n<p>{}</p>{notes}\n\
         <h2>Resident memory over the trace</h2>{}{}\n{latency}\n{}\n<p class=\"about\">{ABOUT}</p>\n</main></body></html>\n",
        escape(&shorten(&report.title, 60)),
        chart::style(&names, ":root"),
        escape(&shorten(&report.title, 400)),
        escape(&report.about),
        memory_chart(report),
        legend(report, true),
        table(report),
    )
}

const ABOUT: &str = "The same calls under each allocator, in a process of its own; medians of the rounds. Memory is what is resident beyond what was \
     before the first call, looked at two hundred times, and when most was live. Calls are timed in rounds of their own.";

fn measured(report: &Report) -> impl Iterator<Item = (usize, &Measured)> {
    report.allocators.iter().enumerate().filter(|(_, one)| !one.runs.is_empty())
}

fn legend(report: &Report, live: bool) -> String {
    let mut out = String::from("<p class=\"legend\">");
    if live {
        out += "<span><i style=\"--c:var(--grid);height:.8em\"></i>live bytes</span>";
    }
    for (index, one) in measured(report) {
        out += &format!("<span><i style=\"--c:var(--a{index})\"></i>{}</span>", escape(&shorten(&one.name, 24)));
    }
    out + "</p>\n"
}

fn memory_chart(report: &Report) -> String {
    const HEIGHT: f64 = 360.0;
    const BOTTOM: f64 = HEIGHT - 30.0;
    const TOP: f64 = 12.0;
    let curves: Vec<(usize, &Measured, Vec<u64>)> =
        measured(report).map(|(index, one)| (index, one, one.resident())).collect();
    let all = curves.iter().flat_map(|(.., curve)| curve).chain(&report.live);
    let largest = all.copied().max().unwrap_or(0).max(1) as f64 * 1.04;
    let events = report.events.last().copied().unwrap_or(1).max(1) as f64;
    let at_x = |events_done: u64| LEFT + (WIDTH - LEFT - RIGHT) * events_done as f64 / events;
    let at_y = |bytes: u64| BOTTOM - (BOTTOM - TOP) * bytes as f64 / largest;
    let path = |values: &[u64]| -> String {
        let points = report.events.iter().zip(values);
        points.map(|(&done, &bytes)| format!("{:.1},{:.1} ", at_x(done), at_y(bytes))).collect()
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" id=\"memory\" \
         aria-label=\"Resident memory of each allocator over the trace, and live bytes\">"
    );
    for tick in ticks(largest, 1024.0) {
        let y = at_y(tick as u64);
        line(&mut out, "grid", LEFT, y, WIDTH - RIGHT, y);
        label(
            &mut out,
            LEFT - 6.0,
            y + 4.0,
            "mute",
            "end",
            &if tick > 0.0 { units::bytes(tick) } else { "0".to_owned() },
        );
    }
    for percent in [0, 25, 50, 75, 100] {
        let x = at_x((events * f64::from(percent) / 100.0) as u64);
        label(&mut out, x, BOTTOM + 18.0, "mute", "middle", &format!("{percent} %"));
    }
    out += &format!(
        "<polygon class=\"live\" points=\"{LEFT},{BOTTOM} {}{:.1},{BOTTOM}\"/>",
        path(&report.live),
        WIDTH - RIGHT
    );
    for (index, one, curve) in &curves {
        out += &format!(
            "<polyline class=\"curve\" style=\"stroke:var(--a{index})\" points=\"{}\"><title>{}</title></polyline>",
            path(curve),
            escape(&one.name)
        );
    }
    for (index, one, curve) in &curves {
        let peak = curve.iter().zip(&report.events).max_by_key(|(bytes, _)| **bytes);
        if let Some((&bytes, &done)) = peak {
            out += &format!(
                "<circle class=\"pt\" style=\"fill:var(--a{index});fill-opacity:1\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{}: {} at most</title></circle>",
                at_x(done),
                at_y(bytes),
                escape(&one.name),
                units::bytes(bytes as f64)
            );
        }
    }
    line(&mut out, "axis", LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM);
    out + "</svg>\n"
}

/// From the median to the longest, on a scale of powers of ten.
fn latency_chart(report: &Report, call: usize, name: &str) -> String {
    const HEIGHT: f64 = 220.0;
    const BOTTOM: f64 = HEIGHT - 28.0;
    const TOP: f64 = 34.0;
    let rows = report.latencies(call);
    let all = rows.iter().flat_map(|(_, figures)| figures.iter().map(|(_, ns)| *ns));
    let (Some(least), Some(most)) = (all.clone().min(), all.max()) else { return String::new() };
    let (low, high) = ((least.max(1) as f64).log10().floor(), (most.max(2) as f64).log10().ceil());
    let at_y = |ns: f64| BOTTOM - (BOTTOM - TOP) * (ns.max(1.0).log10() - low) / (high - low).max(1.0);
    let steps = rows.first().map_or(1, |(_, figures)| figures.len()) as f64;
    let at_x = |step: usize| LEFT + (WIDTH - LEFT - RIGHT) * (step as f64 + 0.5) / steps;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" id=\"latency-{name}\" \
         aria-label=\"How long single calls of {name} take under each allocator\">"
    );
    label(&mut out, LEFT, 18.0, "title", "start", name);
    for power in low as i32..=high as i32 {
        let ns = 10f64.powi(power);
        line(&mut out, "grid", LEFT, at_y(ns), WIDTH - RIGHT, at_y(ns));
        label(
            &mut out,
            LEFT - 6.0,
            at_y(ns) + 4.0,
            "mute",
            "end",
            &nanoseconds(ns as u64).replace(".00 ", " ").replace(".0 ", " "),
        );
    }
    for (step, (head, _)) in rows.first().map(|(_, figures)| figures.iter().enumerate()).into_iter().flatten() {
        label(&mut out, at_x(step), BOTTOM + 18.0, "mute", "middle", head);
    }
    for (one, figures) in &rows {
        let index = report.allocators.iter().position(|other| other.name == one.name).unwrap_or(0);
        let points = figures.iter().enumerate().map(|(step, (_, ns))| (at_x(step), at_y(*ns as f64), *ns));
        let path: String = points.clone().map(|(x, y, _)| format!("{x:.1},{y:.1} ")).collect();
        out += &format!("<polyline class=\"curve\" style=\"stroke:var(--a{index})\" points=\"{path}\"/>");
        for (x, y, ns) in points {
            out += &format!(
                "<circle class=\"pt\" style=\"fill:var(--a{index});fill-opacity:1\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{}: {}</title></circle>",
                escape(&one.name),
                nanoseconds(ns)
            );
        }
    }
    line(&mut out, "axis", LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM);
    out + "</svg>\n"
}

fn table(report: &Report) -> String {
    let mut rows = String::from("<tr><th>allocator</th>");
    for figure in &FIGURES {
        rows += &format!("<th>{}</th>", figure.title);
        rows += &extra_title(figure).map_or(String::new(), |title| format!("<th>{title}</th>"));
    }
    rows += "</tr>\n";
    for one in &report.allocators {
        rows += &format!("<tr><td>{}</td>", escape(&shorten(&one.name, 32)));
        for figure in &FIGURES {
            rows += &match one.spread(figure) {
                Some(spread) => format!(
                    "<td>{}<br><small>{} – {}</small></td>",
                    (figure.text)(spread.median),
                    (figure.text)(spread.low),
                    (figure.text)(spread.high)
                ),
                None => "<td>–</td>".to_owned(),
            };
            if extra_title(figure).is_some() {
                rows += &format!("<td>{}</td>", self::extra(report, one, figure));
            }
        }
        rows += "</tr>\n";
    }
    format!("<div class=\"scroll\"><table class=\"summary\">{rows}</table></div>")
}

fn extra(report: &Report, one: &Measured, figure: &super::report::Figure) -> String {
    report.extra(one, figure).unwrap_or("–".to_owned())
}
