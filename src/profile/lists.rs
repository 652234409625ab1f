//! The profile as text: folded stacks, a line each, for flame graphs; and what is live, the most first, for whoever looks for a leak.
//! Names are for others to find: an address is shown by its file and what `addr2line` takes.
#![forbid(unsafe_code)]

use super::draw::{OBJECT, Weight};
use super::pprof::{Sink, Source, call_of, thread};
use super::sites::Name;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::stats::text::Text;

/// Stacks that the list shows.
const SHOWN: usize = 100;

impl Source<'_> {
    /// A line a stack: thread;outermost;…;innermost live-bytes.
    pub(super) fn write_folded(&self, sink: Sink<'_>) {
        let mut text = Text::to(sink);
        for (number, totals) in self.sites.each().filter(|(_, totals)| totals.live().bytes > 0) {
            match self.sites.stack(number) {
                Some((frames, name)) => {
                    write_name(name, &mut text);
                    for frame in frames.iter().rev() {
                        text.str(";");
                        self.write_call(frame, &mut text);
                    }
                }
                None => {
                    text.str("[stack not known]");
                }
            }
            text.str(" ").num(totals.live().bytes).str("\n");
        }
    }

    /// What is live, in all and by stack, the innermost call first. `room`: two places for each stack.
    #[inline(never)]
    pub(super) fn write_live(&self, room: &[AtomicUsize], sink: Sink<'_>) {
        let mut text = Text::to(sink);
        // As all are now: meanwhile they change. Relaxed, all: nobody else is in this room.
        let Some((sizes, numbers)) = room.split_at_checked(room.len() / 2) else { return };
        let (mut stacks, mut total) = (0, Weight { objects: 0, bytes: 0 });
        let live = self.sites.each().map(|(number, totals)| (number, totals.live())).filter(|(_, live)| live.bytes > 0);
        for ((bytes, site), (number, live)) in sizes.iter().zip(numbers).zip(live) {
            bytes.store(live.bytes as usize, Ordering::Relaxed);
            site.store(number as usize, Ordering::Relaxed);
            total = Weight { objects: total.objects + live.objects, bytes: total.bytes + live.bytes };
            stacks += 1;
        }
        write_weight(total, &mut text);
        text.str(" live, of ").num(stacks as u64).str(" stacks; a sample each ").num(self.rate).str(" bytes\n");
        let all = || sizes.iter().zip(numbers).take(stacks);
        let read =
            |(bytes, site): (&AtomicUsize, &AtomicUsize)| (bytes.load(Ordering::Relaxed), site.load(Ordering::Relaxed));
        let mut last = (usize::MAX, usize::MAX);
        for _ in 0..SHOWN {
            let Some(next) = all().map(read).filter(|&one| one < last).max() else { break };
            last = next;
            self.write_stack(next.1 as u32, &mut text);
        }
        if stacks > SHOWN {
            text.str("\nand ").num((stacks - SHOWN) as u64).str(" stacks with less\n");
        }
    }

    fn write_stack(&self, number: u32, text: &mut Text) {
        let Some(totals) = self.sites.totals(number) else { return };
        text.str("\n");
        write_weight(totals.live(), text);
        match self.sites.stack(number) {
            Some((frames, name)) => {
                text.str(" of thread ");
                write_name(name, text);
                for frame in frames {
                    text.str("\n    ");
                    self.write_call(frame, text);
                }
                text.str("\n");
            }
            None => {
                text.str(" [stack not known]\n");
            }
        }
    }

    fn write_call(&self, frame: &AtomicUsize, text: &mut Text) {
        let at = call_of(frame);
        match self.objects.number(at).checked_sub(1).and_then(|index| self.objects.all().get(index)) {
            Some(object) => {
                let base = object.name().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
                text.bytes(base).str("+0x").hex(at.wrapping_sub(object.bias) as u64);
            }
            None => {
                text.str("0x").hex(at as u64);
            }
        }
    }
}

fn write_name(name: Name, text: &mut Text) {
    let (name, len) = thread(name);
    text.bytes(name.get(..len).unwrap_or_default());
}

fn write_weight(Weight { objects, bytes }: Weight, text: &mut Text) {
    text.num(bytes).str(" bytes in ").num((objects + OBJECT / 2) / OBJECT).str(" blocks");
}
