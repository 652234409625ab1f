//! What is said: a line for each part of what is resident, largest first.

use serde::Serialize;

use crate::top::report::{Class, Report, Thread};
use crate::units;

#[derive(Serialize, Default)]
pub(crate) struct Explained {
    pub(crate) rss_bytes: u64,
    /// What a trim would give now.
    pub(crate) trim_gives_bytes: u64,
    pub(crate) lines: Vec<Line>,
}

#[derive(Serialize, Default)]
pub(crate) struct Line {
    pub(crate) part: &'static str,
    pub(crate) bytes: u64,
    pub(crate) what: String,
    /// What the part is made of, where that says more.
    pub(crate) of: Vec<Detail>,
    /// The code that is answerable, where a profile says it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sites: Vec<Detail>,
    pub(crate) advice: Vec<Advice>,
}

#[derive(Serialize)]
pub(crate) struct Detail {
    pub(crate) bytes: u64,
    pub(crate) what: String,
}

#[derive(Serialize)]
pub(crate) struct Advice {
    pub(crate) gives_bytes: u64,
    pub(crate) what: String,
}

const PINNED: &str = "pinned";
const ASK_PROFILE: &str = "; --profile FILE names the code";

/// Details are named until they come to so much of a part, and so many at most.
const ENOUGH: f64 = 0.9;
const DETAILS: usize = 8;

impl Explained {
    /// Says which code made what keeps pages.
    pub(crate) fn name_sites(&mut self, sites: Vec<Detail>) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.part == PINNED) {
            line.sites = enough(sites);
            for advice in &mut line.advice {
                advice.what = advice.what.replace(ASK_PROFILE, "");
            }
        }
    }
}

pub(crate) fn explain(report: &Report) -> Explained {
    let resident = &report.resident;
    let mut lines = vec![
        live(report),
        rounding(report),
        pinned(report),
        magazines(report),
        loose(report),
        dirty(report),
        metadata(report),
        others(report),
    ];
    lines.retain(|line| line.bytes > 0);
    lines.sort_by_key(|line| std::cmp::Reverse(line.bytes));
    let trim = resident.loose_bytes + resident.dirty_bytes();
    Explained { rss_bytes: resident.rss_bytes, trim_gives_bytes: trim, lines }
}

fn live(report: &Report) -> Line {
    let totals = &report.totals;
    let (large, blocks) = (report.resident.large_bytes, totals.large_live_blocks);
    let mut of = classes(
        report,
        |class| class.live * class.block_size,
        |class, bytes| format!("{} in blocks of {}", units::bytes(bytes as f64), size(class)),
    );
    if large > 0 {
        of.push(Detail {
            bytes: large,
            what: format!("{} in {} large blocks", units::bytes(large as f64), units::count(blocks)),
        });
    }
    let advice = "this is what the program holds: HAKMEM_PROF=1 or hakmem profile says which code; hakmem leaks, what nothing points to";
    Line {
        part: "live",
        bytes: report.resident.live_bytes,
        what: format!("{} that the program holds", units::number(totals.live_blocks, "block")),
        of: enough(of),
        sites: Vec::new(),
        advice: vec![Advice { gives_bytes: 0, what: advice.to_owned() }],
    }
}

fn rounding(report: &Report) -> Line {
    let how = if report.resident.rounding_is_known { "" } else { ", about: what was asked for is not kept" };
    let mut of = classes(
        report,
        |class| class.rounding_bytes,
        |class, bytes| format!("{} in blocks of {}", units::bytes(bytes as f64), size(class)),
    );
    if report.resident.rounding_is_known {
        of.clear();
    }
    Line {
        part: "rounding",
        bytes: report.resident.rounding_bytes,
        what: format!("blocks are larger than what was asked for{how}"),
        of: enough(of),
        sites: Vec::new(),
        advice: vec![Advice {
            gives_bytes: 0,
            what: "a size just above a block's wastes most: who asks for 513 bytes gets 640".to_owned(),
        }],
    }
}

/// The one that nobody sees: a page is kept by a single block on it.
fn pinned(report: &Report) -> Line {
    let bytes = report.resident.pinned_bytes;
    let of = classes(
        report,
        |class| class.pinned_bytes,
        |class, bytes| {
            let resident = units::bytes(class.resident_bytes as f64);
            format!(
                "{} by {} of {}, which keep {resident} resident",
                units::bytes(bytes as f64),
                units::number(class.live, "block"),
                size(class)
            )
        },
    );
    let worst = report.classes.iter().max_by_key(|class| class.pinned_bytes).filter(|class| class.pinned_bytes > 0);
    let advice = worst.map(|class| {
        format!(
            "no trim gives this: free the blocks of {} that are left, or keep what lives long apart from what does not{ASK_PROFILE}",
            size(class)
        )
    });
    Line {
        part: PINNED,
        bytes,
        what: "free blocks on pages that a block in use keeps".to_owned(),
        of: enough(of),
        sites: Vec::new(),
        advice: advice.into_iter().map(|what| Advice { gives_bytes: 0, what }).collect(),
    }
}

fn magazines(report: &Report) -> Line {
    let bytes = report.resident.cached_bytes + report.resident.held_bytes;
    let of = threads(report, |thread| thread.cached_bytes + thread.remote_bytes);
    let mut advice = vec![Advice {
        gives_bytes: bytes,
        what: "hak_thread_flush() in each thread before it sleeps for long; a pool of fewer threads keeps less"
            .to_owned(),
    }];
    if report.totals.remote_pending_bytes > 0 {
        let pending = report.totals.remote_pending_bytes;
        let what = format!(
            "{} were freed by other threads and go home when their owner allocates; a trim takes them in",
            units::bytes(pending as f64)
        );
        advice.push(Advice { gives_bytes: pending.min(bytes), what });
    }
    Line {
        part: "at hand",
        bytes,
        what: "free blocks that threads keep for their next calls, or send home".to_owned(),
        of: enough(of),
        sites: Vec::new(),
        advice,
    }
}

fn loose(report: &Report) -> Line {
    let bytes = report.resident.loose_bytes;
    let of = classes(
        report,
        |class| class.loose_bytes,
        |class, bytes| format!("{} in spans of blocks of {}", units::bytes(bytes as f64), size(class)),
    );
    Line {
        part: "free pages",
        bytes,
        what: "whole free pages within spans".to_owned(),
        of: enough(of),
        sites: Vec::new(),
        advice: trim(
            bytes,
            "decay gives them back when their span was idle for half of HAKMEM_DECAY_MS and the program allocates",
        ),
    }
}

fn dirty(report: &Report) -> Line {
    let resident = &report.resident;
    let of = vec![
        detail(resident.dirty_slots_bytes, "in free pieces of 64 KiB"),
        detail(resident.dirty_kept_bytes, "in freed mappings that are kept for the next large block"),
    ];
    Line {
        part: "dirty",
        bytes: resident.dirty_bytes(),
        what: "free memory of no size, kept for what comes next".to_owned(),
        of: enough(of),
        sites: Vec::new(),
        advice: trim(
            resident.dirty_bytes(),
            "HAKMEM_DECAY_MS=0 keeps none, HAKMEM_SOFT_LIMIT bounds it; each fault later costs what was saved",
        ),
    }
}

/// So many bytes, and where: "in" or "of" what.
fn detail(bytes: u64, place: &str) -> Detail {
    Detail { bytes, what: format!("{} {place}", units::bytes(bytes as f64)) }
}

fn trim(bytes: u64, more: &str) -> Vec<Advice> {
    let advice = |what: &str| Advice { gives_bytes: bytes, what: what.to_owned() };
    vec![
        advice("malloc_trim(0) or hak_trim() gives it back now; HAKMEM_BACKGROUND=1 also while the program sleeps"),
        advice(more),
    ]
}

fn metadata(report: &Report) -> Line {
    let totals = &report.totals;
    let ended = if totals.heaps_orphaned > 0 {
        format!(", {} of threads that ended", totals.heaps_orphaned)
    } else {
        String::new()
    };
    Line {
        part: "metadata",
        bytes: report.resident.metadata_bytes,
        what: format!(
            "the allocator's own records: {}{ended}, and what it knows of blocks",
            units::number(totals.heaps, "heap")
        ),
        of: Vec::new(),
        sites: Vec::new(),
        advice: vec![Advice {
            gives_bytes: 0,
            what: "it grows with threads and with blocks, and is used again: nothing to do".to_owned(),
        }],
    }
}

fn others(report: &Report) -> Line {
    let resident = &report.resident;
    let of = vec![
        detail(resident.files_bytes, "of files: the program, its libraries, what it maps"),
        detail(resident.stacks_bytes, "of stacks"),
        detail(resident.brk_bytes, "of brk's heap, which the program or the loader asked for by itself"),
        detail(resident.other_bytes, "of other mappings, by the program itself or by other allocators in it"),
    ];
    Line {
        part: "not malloc's",
        bytes: resident.not_malloc_bytes(),
        what: "what malloc did not map".to_owned(),
        of: enough(of),
        sites: Vec::new(),
        advice: vec![Advice {
            gives_bytes: 0,
            what: "no option of malloc changes it; pmap -X PID lists it".to_owned(),
        }],
    }
}

/// Each class's part, in its own words.
fn classes(report: &Report, bytes: impl Fn(&Class) -> u64, words: impl Fn(&Class, u64) -> String) -> Vec<Detail> {
    let detail = |class: &Class| {
        let bytes = bytes(class);
        Detail { bytes, what: words(class, bytes) }
    };
    report.classes.iter().map(detail).collect()
}

fn threads(report: &Report, bytes: impl Fn(&Thread) -> u64) -> Vec<Detail> {
    let detail = |thread: &Thread| {
        let bytes = bytes(thread);
        let number = if thread.tid == 0 { String::new() } else { format!(" ({})", thread.tid) };
        Detail { bytes, what: format!("{} in {}{number}", units::bytes(bytes as f64), thread.name) }
    };
    report.threads.iter().map(detail).collect()
}

/// The largest, until they are most of it.
fn enough(mut details: Vec<Detail>) -> Vec<Detail> {
    details.retain(|detail| detail.bytes > 0);
    details.sort_by_key(|detail| std::cmp::Reverse(detail.bytes));
    let all: u64 = details.iter().map(|detail| detail.bytes).sum();
    let mut named = 0;
    let count = details.iter().take(DETAILS).take_while(|detail| {
        let goes_on = (named as f64) < all as f64 * ENOUGH;
        named += detail.bytes;
        goes_on
    });
    let count = count.count();
    details.truncate(count);
    details
}

fn size(class: &Class) -> String {
    match class.block_size {
        size if size < 1024 => format!("{size} bytes"),
        size => units::bytes(size as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::report::Resident;

    #[test]
    fn the_class_that_keeps_pages_is_named_first() {
        let class = |block_size, pinned_bytes| Class { block_size, pinned_bytes, live: 7, ..Class::default() };
        let resident = Resident {
            rss_bytes: 1000,
            pinned_bytes: 600,
            loose_bytes: 300,
            dirty_slots_bytes: 100,
            ..Resident::default()
        };
        let report =
            Report { classes: vec![class(48, 10), class(96, 560), class(224, 30)], resident, ..Report::default() };
        let explained = explain(&report);
        let parts: Vec<&str> = explained.lines.iter().map(|line| line.part).collect();
        assert_eq!((parts, explained.trim_gives_bytes), (vec!["pinned", "free pages", "dirty"], 400));
        let pinned = explained.lines.first().unwrap();
        assert_eq!(pinned.of.len(), 1);
        assert!(pinned.of.iter().all(|detail| detail.what.contains("7 blocks of 96 bytes")));
        assert!(pinned.advice.iter().all(|advice| advice.what.contains("96 bytes")));
    }
}
