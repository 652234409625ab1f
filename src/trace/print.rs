//! What a report says with the stacks it knows: where it was made, where the block was allocated, and where freed.
//! A line is `module+0xoffset`, for addr2line.
#![forbid(unsafe_code)]

use super::frames::{self, DEPTH, Module};
use super::tables::{self, Moment, READY};
use crate::base::addr::Addr;
use crate::os::file::read_link;
use crate::stats::text::Text;
use core::sync::atomic::Ordering;

/// Says more about the block at `at`; the report's own line is written already.
pub(super) fn witness(at: Addr) {
    // Taking and printing stacks could itself go wrong: at most once.
    // Relaxed: also keeps other threads from adding to the tables while they are read.
    READY.store(false, Ordering::Relaxed);
    let mut here = [Addr::NULL; DEPTH];
    frames::take(&mut here);
    show("  here:\n", &here);
    if let Some(stack) = tables::stack_of(at, Moment::Alloc) {
        show("  allocated:\n", &stack);
    }
    if let Some(stack) = tables::stack_of(at, Moment::Free) {
        show("  freed:\n", &stack);
    }
    // Release: as in `start`: who sees this store does not see that one.
    READY.store(true, Ordering::Release);
}

fn show(title: &str, stack: &[Addr; DEPTH]) {
    let mut text = Text::stderr();
    text.str(title);
    for frame in stack.iter().take_while(|frame| !frame.is_null()) {
        // A return address is behind the call: one byte less lies within it.
        let at = Addr(frame.0 - 1);
        let module = Module::of(at);
        text.str("    ");
        if module.name().is_empty() {
            program(&mut text);
        } else {
            text.bytes(module.name());
        }
        text.str("+0x").hex(at.0.wrapping_sub(module.bias) as u64).str("\n");
    }
}

/// The program's own file, which the loader has no name for.
fn program(text: &mut Text) {
    let mut path = [0u8; 256];
    match read_link(c"/proc/self/exe", &mut path) {
        [] => text.str("main"),
        path => text.bytes(path),
    };
}
