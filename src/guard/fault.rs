//! What the handler of SIGSEGV says about an access to the region.
#![forbid(unsafe_code)]

use super::slots::{Place, Slot, State, place_at, region, region_bytes};
use crate::base::addr::Addr;
use crate::os::{self, Part, report};

/// Reports the access to `at` if that is in the region; anything else is left alone. In a signal handler: takes no lock.
pub(super) fn look(at: Addr) {
    let (region, page) = (region(), os::page_size());
    if region.is_null() || at.since(region) >= region_bytes(page) {
        return;
    }
    match place_at(region, at, page) {
        Place::Slot(.., slot) if slot.state() != State::Never => describe(slot, at),
        Place::Slot(..) => report(&[Part::Text("access: between guarded blocks")], at, at),
        Place::Between { below, above, near_below } => {
            // Of the blocks beside it the nearer one was meant, a live one first.
            let below = below.filter(|slot| slot.state() != State::Never);
            let above = above.filter(|slot| slot.state() != State::Never);
            let live = |slot: &&Slot| slot.state() == State::Live;
            let nearer = if near_below { below.or(above) } else { above.or(below) };
            match nearer.filter(live).or(below.filter(live)).or(above.filter(live)).or(nearer) {
                Some(slot) => describe(slot, at),
                None => report(&[Part::Text("access: between guarded blocks")], at, at),
            }
        }
    }
}

fn describe(slot: &Slot, at: Addr) {
    let (block, size) = (slot.at(), slot.size());
    let freed = slot.state() == State::Freed;
    let of = Part::Text(if freed { " a freed block of " } else { " a block of " });
    let size_part = Part::Number(size);
    let bytes = Part::Text(" bytes");
    if at < block {
        let before = block.since(at);
        report(
            &[Part::Text("access: "), Part::Number(before), Part::Text(" bytes before"), of, size_part, bytes],
            at,
            block,
        );
    } else if at.since(block) >= size {
        let past = at.since(block) - size;
        let text = " bytes past the end of";
        report(&[Part::Text("access: "), Part::Number(past), Part::Text(text), of, size_part, bytes], at, block);
    } else {
        let into = at.since(block);
        let text = Part::Text("access: use after free, at byte ");
        report(&[text, Part::Number(into), Part::Text(" of"), of, size_part, bytes], at, block);
    }
}
