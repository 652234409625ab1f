//! The totals as text for people.
#![forbid(unsafe_code)]

use super::table::{BY_CLASS, TABLE};
use super::totals::Totals;
use crate::os;
use crate::stats::event::Event;
use crate::stats::text::Text;
use crate::tiny_heap;

/// Prints everything to stderr: `malloc_stats`, `hak_stats_print`, `HAKMEM_STATS=1`.
pub(crate) fn print() {
    write_text(&mut Text::stderr());
}

/// Figures of a line.
const ACROSS: usize = 3;

/// Writes the table of counters, box by box, and a line for each class in use.
pub(crate) fn write_text(text: &mut Text) {
    let totals = Totals::take();
    text.str("hakmem: statistics of process ").num(os::process_id()).str("\n");
    for (index, row) in TABLE.iter().enumerate() {
        // A section may go on further down in the table: where new rows are.
        let is_first = |row_index| TABLE.iter().take(row_index).all(|other| other.section() != row.section());
        if !is_first(index) {
            continue;
        }
        for (place, row) in TABLE.iter().filter(|other| other.section() == row.section()).enumerate() {
            if place % ACROSS == 0 {
                text.str(if place > 0 { "\n" } else { "" });
                text.str("  ").left(if place > 0 { "" } else { row.section() }, 11);
            }
            text.left(row.name(), 21).padded(row.value(&totals), 15).str("   ");
        }
        text.str("\n");
    }
    text.str("  class   size    used");
    for column in &BY_CLASS {
        for _ in column.name().len()..10 {
            text.str(" ");
        }
        text.str(column.name());
    }
    text.str("\n");
    for (class, total) in totals.in_use() {
        text.str("  C").num(class.index() as u64).str(if class.index() < 10 { " " } else { "" });
        text.padded(class.block_size() as u64, 9).str("  ").ratio(total.live(), total.blocks);
        for column in &BY_CLASS {
            text.padded(column.of_class(total), 10);
        }
        text.str("\n");
    }
}

/// Prints T-HEAP's counters by class: `HAKMEM_TINY_HEAP_V2_STATS=1`. What "at least" means: `ClassTotals::allocs`.
pub(crate) fn print_tiny_heap() {
    let totals = Totals::take();
    let mut text = Text::stderr();
    text.str("hakmem: T-HEAP by class (allocs and hits: at least)\n");
    text.str("  class   size      allocs        hits     refills     flushes       sends      cached\n");
    for (class, total) in totals.in_use().filter(|(class, _)| class.is_tiny() && tiny_heap::is_on(*class)) {
        text.str("  C").num(class.index() as u64).str(if class.index() < 10 { " " } else { "" });
        text.padded(class.block_size() as u64, 9).padded(total.allocs(), 12).padded(total.hits(), 12);
        for event in [Event::Refill, Event::Flush, Event::RemoteSend] {
            text.padded(total.event(event), 12);
        }
        text.padded(total.cached, 12).str("\n");
    }
}
