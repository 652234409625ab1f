//! The page of `hakmem compare --html`: verdict, chart and table in one file that needs no other.

use crate::chart::{self, escape};
use crate::output::shorten;

use super::report::{METRICS, Report};

pub(crate) const STYLE: &str = "
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.25rem;font-weight:600;margin:0 0 .5rem;overflow-wrap:anywhere}
code{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:.95em}
.verdict{background:var(--panel);border-left:4px solid var(--a1);padding:.75rem 1rem;margin:1rem 0 1.5rem}
.failed{border-left-color:#d1242f}
svg{width:100%;height:auto}
.scroll{overflow-x:auto;margin-top:1.5rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.25rem .5rem;vertical-align:top;text-align:right;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left}
td small{line-height:1.2;color:var(--mute)}
.about{color:var(--mute);font-size:.87rem;overflow-wrap:anywhere}
";

pub(crate) fn html(report: &Report) -> String {
    let command = escape(&shorten(&report.command, 400));
    let title = escape(&shorten(&report.command, 60));
    let mut failures = String::new();
    for one in &report.allocators {
        if let Some(failure) = &one.failure {
            failures += &format!("<p class=\"verdict failed\">{}: {}</p>", escape(&one.name), escape(failure));
        }
    }
    for warning in &report.warnings {
        failures += &format!("<p class=\"verdict failed\">{}</p>", escape(warning));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Allocators compared: {title}</title>\n\
         <style>{}{STYLE}</style></head>\n<body><main>\n<h1>Allocators compared on <code>{command}</code></h1>\n\
         <p class=\"verdict\">{}</p>\n{failures}\n{}\n{}\n<p class=\"about\">{}</p>\n</main></body></html>\n",
        chart::style(&chart::names(&report.allocators), ":root"),
        escape(&report.verdict),
        chart::svg(&report.allocators, false),
        table(report),
        about(report)
    )
}

fn table(report: &Report) -> String {
    let mut rows = String::from("<tr><th>allocator</th>");
    for metric in &METRICS {
        rows += &format!("<th>{}</th><th>ratio</th>", metric.title);
    }
    rows += "</tr>\n";
    for one in &report.allocators {
        rows += &format!("<tr><td>{}</td>", escape(&shorten(&one.name, 32)));
        for metric in &METRICS {
            match one.spread(metric) {
                Some(spread) => {
                    rows += &format!(
                        "<td>{}<br><small>{} – {}</small></td><td>{}</td>",
                        (metric.text)(spread.median),
                        (metric.text)(spread.low),
                        (metric.text)(spread.high),
                        report.ratio(one, metric).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))
                    );
                }
                None => rows += "<td>–</td><td>–</td>",
            }
        }
        rows += "</tr>\n";
    }
    format!("<div class=\"scroll\"><table class=\"summary\">{rows}</table></div>")
}

fn about(report: &Report) -> String {
    let mut libraries = Vec::new();
    for one in &report.allocators {
        if let Some(library) = &one.library {
            libraries.push(format!("{}: <code>{}</code>", escape(&one.name), escape(library)));
        }
    }
    let machine = &report.machine;
    format!(
        "Bars are medians, whiskers the lowest and the highest of the rounds, dots the rounds; ratios are to the system's malloc. {} of {} rounds; in each, every \
         allocator ran the program once, in turn. Peak RSS is that of the largest process of the tree. A difference counts as more \
         than noise where Mann and Whitney's test gives it less than 5 % in all comparisons together and it is at least 1 %.<br>\
         {}. {} CPUs, Linux {}, glibc {}.",
        report.rounds_done,
        report.rounds,
        libraries.join("; "),
        machine.cpus,
        escape(&machine.kernel),
        escape(&machine.glibc)
    )
}
