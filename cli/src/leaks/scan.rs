//! Memory looked through for what may be the address of a block. All processors at once: the process stands still meanwhile.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;

use super::blocks::Blocks;
use super::graph::Words;
use super::ranges::Range;
use crate::remote::bytes::u64_at;
use crate::remote::memory::Memory;

/// Bytes that are read at a time: so many stay in a processor's cache.
const CHUNK: u64 = 256 << 10;
/// Pages that are asked for at a time.
const PAGES: u64 = 4096;
const THREADS: usize = 8;

/// What is found: in blocks, and elsewhere; and how many bytes were read.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) words: Words,
    pub(crate) roots: Vec<u64>,
    pub(crate) bytes: u64,
}

/// `ranges`: those of blocks in the order of their numbers.
pub(crate) fn scan(memory: &Memory, page: u64, blocks: &Blocks, ranges: &[Range]) -> Found {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let parts = split(ranges, total.div_ceil(threads as u64).next_multiple_of(page).max(page));
    let found: Vec<Found> = thread::scope(|scope| {
        let running: Vec<_> =
            parts.iter().map(|part| scope.spawn(move || Scanner::new(memory, page, blocks).all(part))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let mut all = Found::default();
    for part in found {
        all.words.append(part.words);
        all.roots.extend(part.roots);
        all.bytes += part.bytes;
    }
    all
}

/// In their order, so many bytes in each part.
fn split(ranges: &[Range], bytes: u64) -> Vec<Vec<Range>> {
    let mut parts: Vec<Vec<Range>> = vec![Vec::new()];
    let mut room = bytes;
    for &range in ranges {
        let mut rest = range;
        while rest.start < rest.end {
            if room == 0 {
                parts.push(Vec::new());
                room = bytes;
            }
            // Up to a page's end, so that no word is in two parts.
            let end = rest.end.min((rest.start + room).next_multiple_of(4096));
            if let Some(part) = parts.last_mut() {
                part.push(Range { end, ..rest });
            }
            room = room.saturating_sub(end - rest.start);
            rest.start = end;
        }
    }
    parts
}

struct Scanner<'a> {
    memory: &'a Memory,
    page: u64,
    blocks: &'a Blocks,
    pagemap: Option<File>,
    buffer: Vec<u8>,
    found: Found,
}

impl Scanner<'_> {
    fn new<'a>(memory: &'a Memory, page: u64, blocks: &'a Blocks) -> Scanner<'a> {
        let buffer = vec![0; CHUNK as usize];
        Scanner { memory, page, blocks, pagemap: memory.pagemap(), buffer, found: Found::default() }
    }

    fn all(mut self, ranges: &[Range]) -> Found {
        for range in ranges {
            for (start, end) in self.present(range.start, range.end) {
                let mut at = start;
                while at < end {
                    let next = end.min(at + CHUNK);
                    self.read(Range { start: at, end: next, run: range.run });
                    at = next;
                }
            }
        }
        self.found
    }

    /// The parts of a range that were ever written: to read the others would make pages of them.
    fn present(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        const PRESENT_OR_SWAPPED: u64 = 3 << 62;
        if let Memory::Core(core) = self.memory {
            return core.kept_parts(start, end);
        }
        let Some(pagemap) = &self.pagemap else { return vec![(start, end)] };
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let mut at = start / self.page;
        let last = end.div_ceil(self.page);
        let mut bytes = vec![0; PAGES.min(last - at) as usize * 8];
        while at < last {
            let count = PAGES.min(last - at);
            bytes.resize(count as usize * 8, 0);
            if pagemap.read_exact_at(&mut bytes, at * 8).is_err() {
                parts.push((start.max(at * self.page), end.min((at + count) * self.page)));
                at += count;
                continue;
            }
            for entry in bytes.chunks_exact(8) {
                if u64_at(entry, 0) & PRESENT_OR_SWAPPED != 0 {
                    let (from, to) = (start.max(at * self.page), end.min((at + 1) * self.page));
                    match parts.last_mut() {
                        Some(part) if part.1 == from => part.1 = to,
                        _ => parts.push((from, to)),
                    }
                }
                at += 1;
            }
        }
        parts
    }

    fn read(&mut self, Range { start, end, run }: Range) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = buffer.get_mut(..(end - start) as usize).unwrap_or_default();
        if self.memory.read_into(start, bytes) {
            self.found.bytes += end - start;
            match run {
                None => self.roots(start, bytes),
                Some(run) => self.blocks(start, bytes, run),
            }
        }
        self.buffer = buffer;
    }

    fn roots(&mut self, start: u64, bytes: &[u8]) {
        // Words lie at multiples of eight, whatever a stack pointer says.
        let skip = (start.next_multiple_of(8) - start) as usize;
        keep(bytes.get(skip..).unwrap_or_default(), self.blocks, &mut self.found.roots);
    }

    fn blocks(&mut self, start: u64, bytes: &[u8], (base, size, first): (u64, u64, u32)) {
        let near = near(self.blocks);
        let words = &mut self.found.words;
        for (line, at) in bytes.chunks(LINE).zip((start - base..).step_by(LINE)) {
            if !line.chunks_exact(8).any(|bytes| near(word(bytes))) {
                continue;
            }
            for (bytes, at) in line.chunks_exact(8).zip((at..).step_by(8)) {
                // Few words are: whose they are is only asked then.
                let number = first + (at / size) as u32;
                if near(word(bytes)) && self.blocks.is_live(number) {
                    words.words.push(word(bytes));
                    words.end_source(number, words.words.len());
                }
            }
        }
    }
}

/// Bytes that are looked at together: most hold no address at all.
const LINE: usize = 64;

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_ne_bytes)
}

/// Whether a word lies between the lowest and the highest block.
#[inline(always)]
fn near(blocks: &Blocks) -> impl Fn(u64) -> bool + Copy {
    let (low, span) = (blocks.low, blocks.high.saturating_sub(blocks.low));
    move |word| word.wrapping_sub(low) < span
}

/// Adds the words that may be addresses.
fn keep(bytes: &[u8], blocks: &Blocks, words: &mut Vec<u64>) {
    let near = near(blocks);
    words.extend(bytes.chunks_exact(8).map(word).filter(|&word| near(word)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_pages_and_all_of_it() {
        let range = |start, end| Range { start, end, run: None };
        let ranges = [range(0x1000, 0x5000), range(0x7008, 0x7ff8), range(0x10_0000, 0x10_3000)];
        for bytes in [0x1000, 0x2000, 0x100_0000] {
            let parts = split(&ranges, bytes);
            let all: Vec<(u64, u64)> = parts.iter().flatten().map(|range| (range.start, range.end)).collect();
            assert_eq!(all.iter().map(|(start, end)| end - start).sum::<u64>(), 0x4000 + 0xff0 + 0x3000);
            assert!(all.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{all:x?}");
            assert!(all.iter().all(|(start, end)| start < end && (end % 4096 == 0 || *end == 0x7ff8)), "{all:x?}");
        }
    }
}
