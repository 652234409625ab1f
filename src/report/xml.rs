//! The totals as glibc's `malloc_info` writes them.
#![forbid(unsafe_code)]

use super::totals::Totals;
use crate::stats::level;
use crate::stats::text::Text;

/// Hands the document to `sink` in pieces. No lock is held meanwhile: the sink may allocate.
pub(crate) fn write_xml(sink: &mut dyn FnMut(&[u8])) {
    let totals = Totals::take();
    let mut text = Text::to(sink);
    text.str("<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
    let (mut free_blocks, mut below) = (0, 0);
    for (class, total) in totals.by_class() {
        let (size, count) = (class.block_size() as u64, total.free + total.cached);
        if count > 0 {
            text.str("  <size from=\"").num(below + 1).str("\" to=\"").num(size);
            text.str("\" total=\"").num(count * size).str("\" count=\"").num(count).str("\"/>\n");
        }
        free_blocks += count;
        below = size;
    }
    text.str("</sizes>\n");
    let system = totals.mapped_bytes();
    total(&mut text, "fast", 0, 0);
    total(&mut text, "rest", free_blocks, totals.free_bytes());
    space(&mut text, system);
    text.str("</heap>\n");
    total(&mut text, "fast", 0, 0);
    total(&mut text, "rest", free_blocks, totals.free_bytes());
    total(&mut text, "mmap", totals.large.live_blocks, totals.large.live_bytes);
    space(&mut text, system);
    text.str("</malloc>\n");
}

fn total(text: &mut Text, kind: &str, count: u64, size: u64) {
    text.str("<total type=\"").str(kind).str("\" count=\"").num(count).str("\" size=\"").num(size).str("\"/>\n");
}

fn space(text: &mut Text, system: u64) {
    let peak = level::MAPPED.peak();
    let sizes = [
        ("system", "current", system),
        ("system", "max", peak),
        ("aspace", "total", system),
        ("aspace", "mprotect", system),
    ];
    for (tag, kind, size) in sizes {
        text.str("<").str(tag).str(" type=\"").str(kind).str("\" size=\"").num(size).str("\"/>\n");
    }
}
