//! `hakmem stats`: the statistics that the library writes as JSON, shown as tables. Of a process: asks it to write them.

use std::fs::{self, Metadata};
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value};

use crate::args::StatsArgs;
use crate::error::{Context, Error, Result};
use crate::output;
use crate::process;
use crate::signals;
use crate::table::Table;
use crate::units;

pub(crate) fn stats(args: StatsArgs) -> Result<u8> {
    let pid = args.target.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let pid = pid.and_then(|text| text.parse::<i32>().ok()).filter(|&pid| pid > 0);
    let source = match pid {
        Some(pid) => Source::Process(Asked::of(process::program_of(pid)?)?),
        None => Source::File(PathBuf::from(&args.target)),
    };
    loop {
        let report = match &source {
            Source::File(path) => read(path)?,
            Source::Process(asked) => asked.ask(Duration::from_secs(u64::from(args.timeout)))?,
        };
        let clear = args.watch.is_some() && !args.json && std::io::stdout().is_terminal();
        let text = if args.json { output::json(&report)? } else { text(&report) };
        output::print(&format!("{}{text}", if clear { "\x1b[H\x1b[2J" } else { "" }))?;
        match args.watch {
            Some(seconds) => std::thread::sleep(Duration::from_secs(u64::from(seconds))),
            None => return Ok(0),
        }
    }
}

enum Source {
    File(PathBuf),
    Process(Asked),
}

/// A process that writes its statistics on a signal.
pub(crate) struct Asked {
    pid: i32,
    signal: i32,
    file: PathBuf,
}

impl Asked {
    pub(crate) fn of(pid: i32) -> Result<Asked> {
        let environment = process::environment(pid)?;
        let value = |name| process::variable(&environment, name).map(|value| value.to_string_lossy().into_owned());
        let wanted = |what: &str| {
            let example =
                format!("HAKMEM_STATS=json:/tmp/hakmem.%p.json HAKMEM_STATS_SIGNAL=USR2 hakmem run -- {}", shown(pid));
            Error::new(format!("process {pid} {what}; start it with both of these set:\n    {example}"))
        };
        let target = value("HAKMEM_STATS").unwrap_or_default();
        let Some(pattern) = target.strip_prefix("json:").filter(|path| !matches!(*path, "" | "-" | "stderr")) else {
            return Err(wanted("was not told to write its statistics to a file as JSON (HAKMEM_STATS=json:PATH)"));
        };
        let Some(signal) = value("HAKMEM_STATS_SIGNAL").and_then(|name| signals::number(&name)) else {
            return Err(wanted("was not told a signal to write its statistics at (HAKMEM_STATS_SIGNAL)"));
        };
        // Without a handler the signal would end the process.
        if !process::catches(pid, signal)? {
            let name = signals::name(signal);
            return Err(Error::new(format!(
                "process {pid} does not handle {name}, which would end it: HAKMEM does not serve it (hakmem doctor {pid}), or the \
                 program took the signal for itself"
            )));
        }
        Ok(Asked { pid, signal, file: written_by(pid, pattern) })
    }

    /// Sends the signal and waits for the file to be another than before.
    pub(crate) fn ask(&self, patience: Duration) -> Result<Value> {
        let before = identity(fs::metadata(&self.file));
        // SAFETY: no memory is passed.
        if unsafe { libc::kill(self.pid, self.signal) } != 0 {
            return Err(process::cannot_look(self.pid, &std::io::Error::last_os_error()));
        }
        let deadline = Instant::now() + patience;
        while identity(fs::metadata(&self.file)) == before {
            if !process::exists(self.pid) {
                return Err(Error::new(format!("process {} has ended", self.pid)));
            }
            if Instant::now() >= deadline {
                let stale = if before.is_some() { "; what it wrote before is still there" } else { "" };
                return Err(Error::new(format!(
                    "process {} has not written its statistics within {} s: it does at the next call for which a thread \
                     has no block at hand, or for a large block (--timeout SECS waits longer){stale}\n    {}",
                    self.pid,
                    patience.as_secs(),
                    self.file.display()
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        read(&self.file)
    }
}

fn shown(pid: i32) -> String {
    let command = process::command(pid);
    if command.is_empty() { "PROG".to_owned() } else { output::shorten(&output::quote(&command), 60) }
}

/// The file as it is seen from here: the process may have another root, directory and number of its own.
fn written_by(pid: i32, pattern: &str) -> PathBuf {
    let own = process::own_number(pid);
    let mut path = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(char) = rest.next() {
        match (char, rest.peek()) {
            ('%', Some('p')) => path += &own.to_string(),
            ('%', Some('%')) => path.push('%'),
            _ => {
                path.push(char);
                continue;
            }
        }
        rest.next();
    }
    match path.strip_prefix('/') {
        Some(path) => Path::new(&format!("/proc/{pid}/root")).join(path),
        None => Path::new(&format!("/proc/{pid}/cwd")).join(path),
    }
}

/// What tells one writing from the next: each makes a new file, or changes the old one's times.
fn identity(metadata: std::io::Result<Metadata>) -> Option<(u64, i64, i64, u64)> {
    metadata.ok().map(|metadata| (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size()))
}

/// A file of statistics, checked to be one.
pub(crate) fn read(path: &Path) -> Result<Value> {
    let text = fs::read(path).context(path.display())?;
    let report: Value = serde_json::from_slice(&text).map_err(|error| {
        let what = if text.trim_ascii().is_empty() { "empty".to_owned() } else { format!("not JSON: {error}") };
        Error::new(format!("{}: {what}", path.display()))
    })?;
    if report.get("allocator").and_then(Value::as_str) != Some("hakmem")
        || !report.get("totals").is_some_and(Value::is_object)
    {
        return Err(Error::new(format!("{}: not statistics of HAKMEM", path.display())));
    }
    Ok(report)
}

fn total(report: &Value, name: &str) -> Option<u64> {
    report.get("totals")?.get(name)?.as_u64()
}

/// Which malloc served a process that wrote this at its end.
pub(crate) fn served(report: &Value) -> Option<String> {
    let version = report.get("version").and_then(Value::as_str).map(printable)?;
    Some(match total(report, "peak_active_bytes")? {
        0 => "the program's own: it asked HAKMEM for nothing".to_owned(),
        _ => format!("HAKMEM {version}"),
    })
}

/// What such a process had not freed: not what one thread freed of another's and that one had not taken back yet. Most
/// programs leave their last blocks to the kernel, so it is no reproach.
pub(crate) fn left_at_exit(report: &Value) -> Option<String> {
    let left = total(report, "live_bytes")?.saturating_sub(total(report, "remote_pending_bytes")?);
    Some(format!("{} at exit", units::bytes(left as f64)))
}

/// The hit rate of T-HEAP ("tiny") or of the mid pool ("mid"). From below: hits are not counted one by one, and blocks that
/// go round within a magazine would only raise it.
fn hits(report: &Value, box_name: &str) -> Option<String> {
    let allocs = total(report, &format!("{box_name}_allocs"))?;
    let hits = total(report, &format!("{box_name}_hits"))?;
    if allocs == 0 {
        return Some("nothing allocated, or nothing is known of it".to_owned());
    }
    let percent = hits as f64 / allocs as f64 * 100.0;
    let (hits, allocs) = (units::count(hits), units::count(allocs));
    Some(format!("hit rate at least {percent:.1} %: {hits} of {allocs} allocations known of found a block at hand"))
}

fn text(report: &Value) -> String {
    let word = |name| report.get(name).and_then(Value::as_str).map(printable);
    let mut out = format!("HAKMEM {}", word("version").unwrap_or_default());
    if let Some(pid) = report.get("pid").and_then(Value::as_u64) {
        out += &format!(", process {pid}");
    }
    if let Some(program) = word("program").filter(|program| !program.is_empty()) {
        out += &format!(" ({})", output::shorten(&program, 60));
    }
    if let Some(age) = age(report) {
        out += &format!(", {age}");
    }
    out += "\n\n";
    let mut rates = Table::new(&[crate::table::Align::Left; 2]);
    for (name, title) in [("tiny", "up to 1 KiB"), ("mid", "above")] {
        if let Some(hits) = hits(report, name) {
            rates.row([title, &hits]);
        }
    }
    out += &rates.text("");
    if let Some(totals) = report.get("totals").and_then(Value::as_object) {
        out += "\nmemory\n";
        out += &figures(totals, true);
        out += "\nevents and numbers\n";
        out += &figures(totals, false);
    }
    if let Some(classes) = report.get("classes").and_then(Value::as_array).filter(|classes| !classes.is_empty()) {
        out += "\nclasses\n";
        out += &rows(classes);
    }
    out
}

/// How long ago it was written.
fn age(report: &Value) -> Option<String> {
    let written = report.get("time")?.as_f64()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    let text = match now - written {
        age if age < 2.0 => "just now".to_owned(),
        age if age < 120.0 => format!("{age:.0} s ago"),
        age if age < 7200.0 => format!("{:.0} min ago", age / 60.0),
        age if age < 172_800.0 => format!("{:.0} h ago", age / 3600.0),
        age => format!("{:.0} days ago", age / 86_400.0),
    };
    Some(format!("written {text}"))
}

/// The totals that are bytes, or those that are not.
fn figures(totals: &Map<String, Value>, in_bytes: bool) -> String {
    let mut table = Table::of_figures(2);
    for (name, value) in totals.iter().filter(|(name, _)| name.ends_with("_bytes") == in_bytes) {
        let title = name.strip_suffix("_bytes").unwrap_or(name).replace('_', " ");
        table.row([printable(&title), cell(name, value)]);
    }
    table.text("  ")
}

/// Without what only --json has room for.
fn rows(classes: &[Value]) -> String {
    const LEFT_OUT: [&str; 6] = ["refilled", "flushed", "sent", "grows", "acquires", "releases"];
    let Some(first) = classes.first().and_then(Value::as_object) else { return String::new() };
    let columns: Vec<&String> = first.keys().filter(|name| !LEFT_OUT.contains(&name.as_str())).collect();
    let mut table = Table::of_figures(columns.len());
    table.row(columns.iter().map(|name| printable(&name.replace('_', " "))));
    for class in classes {
        table
            .row(columns.iter().map(|name| class.get(name.as_str()).map_or("-".to_owned(), |value| cell(name, value))));
    }
    table.text("  ")
}

fn cell(name: &str, value: &Value) -> String {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) if name.ends_with("_bytes") => units::bytes(count as f64),
            (Some(count), _) if name != "class" => units::count(count),
            (None, Some(share)) if name == "utilisation" => format!("{:.0} %", share * 100.0),
            _ => number.to_string(),
        },
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    }
}

/// A file may hold anything; a terminal should get none of it that is not text.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_named_in_the_path() {
        let pid = std::process::id() as i32;
        let path = |pattern| written_by(pid, pattern).to_string_lossy().into_owned();
        assert_eq!(path("/tmp/%p%%x%q"), format!("/proc/{pid}/root/tmp/{pid}%x%q"));
        assert_eq!(path("a.json"), format!("/proc/{pid}/cwd/a.json"));
    }

    #[test]
    fn figures_are_shown_with_their_units() {
        let report = serde_json::json!({
            "version": "0.1.0", "pid": 7, "program": "a\u{1b}b",
            "totals": { "live_bytes": 2048, "tiny_allocs": 1000, "tiny_hits": 998, "heaps": 1 },
            "classes": [{ "class": 3, "block_size": 64, "utilisation": 0.5 }],
        });
        let text = text(&report);
        for part in ["at least 99.8 %: 998 of 1,000", "live  2.00 KiB", "3", "50 %", "a\u{fffd}b"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(hits(&report, "mid"), None);
    }
}
