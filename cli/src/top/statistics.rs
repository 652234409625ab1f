//! A report made of the library's own statistics: for a process whose memory may not be read, or a file that it wrote. Which page is
//! resident for what is not in there, so its figures are from above.

use serde_json::Value;

use super::report::{Class, Report, Resident, Totals};

/// Bytes of a slot.
const SLOT: u64 = 64 << 10;

/// `rss`: what the kernel says is resident; where it is not known, what the library estimates.
pub(crate) fn report(statistics: &Value, rss: Option<u64>) -> Report {
    let total =
        |name: &str| statistics.get("totals").and_then(|totals| totals.get(name)).and_then(Value::as_u64).unwrap_or(0);
    let text = |name: &str| statistics.get(name).and_then(Value::as_str).unwrap_or_default();
    let held = total("live_bytes") + total("cached_bytes");
    let free = total("free_bytes").saturating_sub(total("span_absent_bytes"));
    let (slots, kept) = (total("slots_empty") * SLOT, total("large_cached_bytes"));
    let metadata = total("metadata_bytes");
    let rss = rss.unwrap_or_else(|| total("resident_bytes"));
    Report {
        schema: 1,
        allocator: "hakmem".to_owned(),
        source: "statistics".to_owned(),
        pid: statistics.get("pid").and_then(Value::as_i64).and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0),
        program: text("program")
            .chars()
            .map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char })
            .collect(),
        time: statistics.get("time").and_then(Value::as_f64).unwrap_or(0.0),
        totals: Totals {
            live_bytes: total("live_bytes"),
            live_blocks: total("live_blocks"),
            cached_bytes: total("cached_bytes"),
            free_bytes: total("free_bytes"),
            remote_pending_bytes: total("remote_pending_bytes"),
            mapped_bytes: total("mapped_bytes"),
            large_live_bytes: total("large_live_bytes"),
            large_live_blocks: total("large_live_blocks"),
            heaps: total("heaps"),
            heaps_orphaned: total("heaps_orphaned"),
            ..Totals::default()
        },
        resident: Resident {
            rss_bytes: rss,
            live_bytes: total("live_bytes"),
            large_bytes: total("large_live_bytes"),
            cached_bytes: total("cached_bytes"),
            loose_bytes: free,
            dirty_slots_bytes: slots,
            dirty_kept_bytes: kept,
            metadata_bytes: metadata,
            other_bytes: rss.saturating_sub(held + free + slots + kept + metadata),
            ..Resident::default()
        },
        classes: statistics
            .get("classes")
            .and_then(Value::as_array)
            .map(|classes| classes.iter().map(class).collect())
            .unwrap_or_default(),
        threads: Vec::new(),
    }
}

fn class(class: &Value) -> Class {
    let figure = |name: &str| class.get(name).and_then(Value::as_u64).unwrap_or(0);
    Class {
        block_size: figure("block_size"),
        spans: figure("spans"),
        blocks: figure("blocks"),
        live: figure("live"),
        cached: figure("cached"),
        free: figure("free"),
        resident_bytes: figure("blocks") * figure("block_size"),
        ..Class::default()
    }
}
