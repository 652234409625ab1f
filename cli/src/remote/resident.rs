//! Which pages are resident: of a process, what the kernel says; of a core file, what has anything but zeroes in it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::bytes::u64_at;
use super::memory::Memory;

/// Pages that are asked for at a time: of a process, of a core file, whose bytes are all looked at.
const PAGES: u64 = 4096;
const CORE_PAGES: u64 = 256;

pub(crate) struct Residency<'a> {
    memory: &'a Memory,
    page: u64,
    pagemap: Option<File>,
    count: u64,
    /// The pages from `start` on that were looked at last.
    start: u64,
    pages: Vec<bool>,
}

impl<'a> Residency<'a> {
    pub(crate) fn new(memory: &'a Memory, page: u64) -> Residency<'a> {
        let count = if memory.process().is_some() { PAGES } else { CORE_PAGES };
        Residency { memory, page, pagemap: memory.pagemap(), count, start: 1, pages: Vec::new() }
    }

    /// Whether the page at `at` is. Asked in ascending order it costs a call for many.
    pub(crate) fn is(&mut self, at: u64) -> bool {
        let reach = self.count * self.page;
        let start = at / reach * reach;
        if start != self.start {
            self.start = start;
            self.pages = self.look(start);
        }
        self.pages.get(((at - start) / self.page) as usize).copied().unwrap_or(false)
    }

    /// Bytes of `len` at `at` that are.
    pub(crate) fn bytes(&mut self, at: u64, len: u64) -> u64 {
        let end = at + len;
        let mut page = at / self.page * self.page;
        let mut sum = 0;
        while page < end {
            if self.is(page) {
                sum += (page + self.page).min(end) - page.max(at);
            }
            page += self.page;
        }
        sum
    }

    fn look(&self, start: u64) -> Vec<bool> {
        const PRESENT: u64 = 1 << 63;
        if self.memory.process().is_some() {
            let mut bytes = vec![0; self.count as usize * 8];
            let done = self.pagemap.as_ref().and_then(|file| file.read_at(&mut bytes, start / self.page * 8).ok());
            bytes.truncate(done.unwrap_or(0));
            return bytes.chunks_exact(8).map(|entry| u64_at(entry, 0) & PRESENT != 0).collect();
        }
        let page = self.page as usize;
        let len = self.count as usize * page;
        match self.memory.read(start, len) {
            Some(bytes) => bytes.chunks_exact(page).map(|bytes| !is_zero(bytes)).collect(),
            None => (0..self.count).map(|index| self.has_any(start + index * self.page, page)).collect(),
        }
    }

    fn has_any(&self, at: u64, len: usize) -> bool {
        self.memory.read(at, len).is_some_and(|bytes| !is_zero(&bytes))
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks_exact(64).all(|line| line.iter().fold(0, |sum, byte| sum | byte) == 0)
}
