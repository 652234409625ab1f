//! What was learned, frozen into values that other boxes read; as text to print, and to start the next process from.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU16, Ordering};

use super::depth::LIMIT;
use crate::class::{CLASSES, ClassId};
use crate::config;
use crate::stats::text::Text;

/// Entries that a class's magazine may have in a heap newly born; 0: the default.
// Relaxed, all its uses: single values; nothing else is published with them.
static DEPTH: [AtomicU16; CLASSES] = [const { AtomicU16::new(0) }; CLASSES];
const DEPTH_MAX: usize = LIMIT as usize;
/// Bytes that one thread's magazines may hold beyond their default bounds, but for big classes': half of a usual second-level cache. Blocks
/// that come back from a deep magazine come in the order they were freed in; a span gives them in ascending order.
pub(crate) const DEEP_BYTES: usize = 1 << 20;

/// Entries and bytes of a tiny class's magazine by default: a first cache's worth.
const TINY_ENTRIES: usize = 511;
const TINY_BYTES: usize = 128 << 10;
/// Bytes of a mid class's.
const MID_BYTES: usize = 256 << 10;
/// Bytes of a big class's, but for one block at least.
const BIG_BYTES: usize = 512 << 10;

/// Whether anything is learned, and a budget holds.
pub(crate) fn is_on() -> bool {
    config::get::learn() == 1
}

/// Entries that the magazine of `class` may have unless something better was learned.
pub(crate) fn default_depth(class: ClassId) -> usize {
    let size = class.block_size().max(1);
    if class.is_tiny() {
        TINY_ENTRIES.min(TINY_BYTES / size)
    } else if class.is_big() {
        (BIG_BYTES / size).max(1)
    } else {
        MID_BYTES / size
    }
}

/// Entries that the magazine of `class` may have in a heap newly born.
pub(crate) fn depth_of(class: ClassId) -> usize {
    let learned = DEPTH.get(class.index()).map_or(0, |depth| depth.load(Ordering::Relaxed) as usize);
    default_depth(class).max(learned)
}

/// Entries that the bound of a magazine of `class`, `bound` now, may be raised to where it may hold `left` bytes more.
pub(crate) fn depth_limit(class: ClassId, bound: usize, left: usize) -> usize {
    let more = left.checked_div(class.block_size()).unwrap_or(0);
    (bound + more).min(DEPTH_MAX)
}

/// Raises the bound of `class` so that magazines hold `need` blocks; returns it.
pub(crate) fn deepen(class: ClassId, need: usize) -> usize {
    // A little more than was needed, lest the last block of a swing miss.
    let entries = (need + need / 16).min(DEPTH_MAX);
    publish(class, entries);
    log(|text| {
        text.str("C").num(class.index() as u64).str(" depth ").num(entries as u64);
        text.str(": the last swings needed ").num(need as u64).str(", the default is ");
        text.num(default_depth(class) as u64);
    });
    entries
}

/// Takes the bound of `class` back to its default; returns that.
pub(crate) fn undeepen(class: ClassId) -> usize {
    publish(class, 0);
    let entries = default_depth(class);
    log(|text| {
        text.str("C").num(class.index() as u64).str(" depth ").num(entries as u64).str(": idle, or outgrown");
    });
    entries
}

fn publish(class: ClassId, entries: usize) {
    if let Some(depth) = DEPTH.get(class.index()) {
        depth.store(entries as u16, Ordering::Relaxed);
    }
}

/// One line on stderr, if `HAKMEM_LEARN_LOG=1`.
pub(super) fn log(write: impl FnOnce(&mut Text)) {
    if config::get::learn_log() == 1 {
        let mut text = Text::stderr();
        text.str("hakmem: learn: ");
        write(&mut text);
        text.str("\n");
    }
}

/// Prints the policy as `HAKMEM_POLICY` takes it: `C18=1232,C19=1088`; empty when all is at its default.
pub(crate) fn print() {
    let mut text = Text::stderr();
    text.str("HAKMEM_POLICY=");
    let mut comma = "";
    for class in ClassId::all() {
        let depth = depth_of(class);
        if depth > default_depth(class) {
            text.str(comma).str("C").num(class.index() as u64).str("=").num(depth as u64);
            comma = ",";
        }
    }
    text.str("\n");
}

/// Takes the policy that `HAKMEM_POLICY` names. What can't be read is named once; the rest counts.
pub(crate) fn load() {
    let mut buffer = [0; config::TEXT_MAX];
    for item in config::text::policy(&mut buffer).split(|&byte| byte == b',').filter(|item| !item.is_empty()) {
        if !accept(item) {
            let mut text = Text::stderr();
            text.str("hakmem: HAKMEM_POLICY: ").bytes(item).str(" is not Cn=ENTRIES; left out\n");
        }
    }
}

fn accept(item: &[u8]) -> bool {
    let mut parts = item.splitn(2, |&byte| byte == b'=');
    let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(value) = number(value) else { return false };
    let Some(depth) = name.strip_prefix(b"C").and_then(number).and_then(|class| DEPTH.get(class)) else { return false };
    if !(1..=DEPTH_MAX).contains(&value) {
        return false;
    }
    depth.store(value as u16, Ordering::Relaxed);
    true
}

fn number(text: &[u8]) -> Option<usize> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |value, &byte| Some(value * 10 + (byte as char).to_digit(10)? as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_whole_or_not_at_all() {
        for item in ["decay=4", "C100=100", "C=1", "C19=0", "C19=2048", "C19=12x", "depth=3", "", "="] {
            assert!(!accept(item.as_bytes()), "{item}");
        }
        assert!(accept(b"C67=7") && depth_of(ClassId::from_index(67)) == 7);
    }

    #[test]
    fn the_document_lists_every_class() {
        let document = include_str!("../../docs/ARCHITECTURE.md");
        for class in ClassId::all() {
            let (size, blocks) = (class.block_size(), class.blocks_per_span());
            let row =
                format!("| C{} | {size} | {} | {blocks} | {} |", class.index(), class.slots(), default_depth(class));
            assert!(document.contains(&row), "docs/ARCHITECTURE.md, section 4, lacks {row}");
        }
    }

    #[test]
    fn default_depths_hold_at_least_four_blocks_and_one_big_one() {
        for class in ClassId::all() {
            assert!((if class.is_big() { 1 } else { 4 }..=511).contains(&default_depth(class)));
        }
    }
}
