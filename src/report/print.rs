//! The totals as text on stderr.
#![forbid(unsafe_code)]

use super::Totals;
use crate::stats::event::{Event, NAMES};
use crate::stats::text::Text;
use crate::tiny_heap;

/// Prints everything: `malloc_stats`, `hak_stats_print`, `HAKMEM_STATS=1`.
pub(crate) fn print() {
    let totals = Totals::take();
    let (pool, large) = (&totals.pool, &totals.large);
    let mut text = Text::stderr();
    text.str("hakmem: statistics\n");
    text.str("  live bytes ").num(totals.live_bytes()).str(", free in spans and caches ").num(totals.free_bytes());
    text.str(", mapped ").num(totals.mapped_bytes()).str(", metadata ").num(totals.meta_bytes).str("\n");
    text.str("  heaps ").num(totals.heaps).str(", batch nodes ran dry ").num(totals.nodes_ran_dry).str("\n");
    text.str("  spans: dirty ").num(totals.span_dirty_bytes).str(" bytes; purged inside them so far ");
    text.num(totals.span_purged_bytes).str(" bytes\n");
    text.str("  superslabs ").num(pool.superslabs).str(" (").num(pool.cached).str(" cached, ");
    text.num(pool.cached_dirty).str(" dirty slots in them); slots active ").num(pool.active);
    text.str(", empty ").num(pool.empty).str(", unused ").num(pool.unused).str("\n");
    text.str("  slabs acquired: stage 1 ").num(pool.stages[0]).str(", stage 2 ").num(pool.stages[1]);
    text.str(", stage 3 ").num(pool.stages[2]).str("; released ").num(pool.released);
    text.str("; slot hints dropped ").num(pool.hints_dropped).str("\n");
    text.str("  large: ").num(large.live_blocks).str(" blocks of ").num(large.live_bytes);
    text.str(" bytes; own mappings ").num(large.mapped_bytes).str(" bytes, of these cached ").num(large.cached_bytes);
    text.str("\n  class   size  spans      live    cached      free");
    names(&mut text);
    for (class, total) in totals.by_class().filter(|(_, total)| total.blocks > 0 || total.events.iter().any(|&n| n > 0))
    {
        text.str("  C").num(class.index() as u64).str(if class.index() < 10 { " " } else { "" });
        text.padded(class.block_size() as u64, 9).padded(total.spans, 7).padded(total.live(), 10);
        text.padded(total.cached, 10).padded(total.free, 10);
        for &count in &total.events {
            text.padded(count, 10);
        }
        text.str("\n");
    }
}

/// Prints T-HEAP's counters by class: `HAKMEM_TINY_HEAP_V2_STATS=1`.
///
/// Hits are not counted where they happen. What refills brought and no magazine still holds was allocated at least once,
/// so "allocs" and "hits" (allocations that met a filled magazine) are the least that can have been; blocks that went
/// round within a magazine come on top.
pub(crate) fn print_tiny_heap() {
    let totals = Totals::take();
    let mut text = Text::stderr();
    text.str("hakmem: T-HEAP by class (allocs and hits: at least)\n");
    text.str("  class   size      allocs        hits     refills     flushes       sends      cached\n");
    for (class, total) in totals
        .by_class()
        .filter(|(class, total)| class.is_tiny() && tiny_heap::is_on(*class) && total.events.iter().any(|&n| n > 0))
    {
        let event = |event: Event| total.events.get(event as usize).copied().unwrap_or(0);
        let allocs = event(Event::Refilled).saturating_sub(total.cached);
        text.str("  C").num(class.index() as u64).str(if class.index() < 10 { " " } else { "" });
        text.padded(class.block_size() as u64, 9).padded(allocs, 12);
        text.padded(allocs.saturating_sub(event(Event::Refill)), 12).padded(event(Event::Refill), 12);
        text.padded(event(Event::Flush), 12).padded(event(Event::RemoteSend), 12).padded(total.cached, 12).str("\n");
    }
}

fn names(text: &mut Text) {
    for name in NAMES {
        for _ in name.len()..10 {
            text.str(" ");
        }
        text.str(name);
    }
    text.str("\n");
}
