//! Whose heap is whose: a heap knows an address in its thread's memory, and libc keeps the thread's number at a fixed distance from it.
//! That distance is found, not known: it is where all heaps have numbers of threads that exist.

use std::collections::HashMap;
use std::fs;

use super::Remote;
use super::bytes::u32_at;
use super::heaps::Heap;

/// How far from the word it is looked for, below and above.
const BELOW: u64 = 4096;
const ABOVE: u64 = 8192;

#[derive(Default)]
pub(crate) struct Threads {
    /// The distance, once it is found.
    distance: Option<i64>,
    /// Number, as the process itself has it, and name.
    names: HashMap<i32, String>,
    /// The same by the numbers that we see.
    known: HashMap<i32, (i32, String)>,
    looks: u32,
}

impl Threads {
    /// The thread of each heap: number and name; `None`: it has none, or it is not known.
    pub(crate) fn of(&mut self, remote: &Remote, heaps: &[Heap]) -> Vec<Option<(i32, String)>> {
        self.learn(remote);
        let with: Vec<&Heap> = heaps.iter().filter(|heap| heap.word != 0).collect();
        if self.distance.is_none() {
            self.distance = self.find(remote, &with);
        }
        let Some(distance) = self.distance else { return vec![None; heaps.len()] };
        let place = |heap: &Heap| (heap.word.wrapping_add_signed(distance), 4);
        let bytes = remote.memory.read_many(&with.iter().map(|heap| place(heap)).collect::<Vec<_>>());
        let tids: HashMap<u64, i32> =
            with.iter().zip(bytes.chunks_exact(4)).map(|(heap, tid)| (heap.at, u32_at(tid, 0) as i32)).collect();
        let thread = |heap: &Heap| {
            let tid = *tids.get(&heap.at)?;
            self.names.get(&tid).map(|name| (tid, name.clone()))
        };
        heaps.iter().map(thread).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// Numbers and names as they are now.
    fn learn(&mut self, remote: &Remote) {
        let Some(pid) = remote.memory.process() else {
            if let super::memory::Memory::Core(core) = &remote.memory {
                self.names = core.threads.iter().map(|thread| (thread.tid, core.program.clone())).collect();
            }
            return;
        };
        let Ok(folder) = fs::read_dir(format!("/proc/{pid}/task")) else { return };
        let tids: Vec<i32> = folder.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect();
        let own = crate::process::own_number(pid) == pid;
        // Threads are renamed soon after they begin, if at all: names are not read each time.
        let fresh = self.looks % 16 == 0;
        self.looks += 1;
        let mut known = HashMap::with_capacity(tids.len());
        for tid in tids {
            let thread = match self.known.remove(&tid).filter(|_| !fresh) {
                Some(thread) => thread,
                // In a container the process knows its threads by other numbers.
                None => (if own { tid } else { crate::process::own_number(tid) }, name(pid, tid)),
            };
            known.insert(tid, thread);
        }
        self.names = known.values().cloned().collect();
        self.known = known;
    }

    fn find(&self, remote: &Remote, heaps: &[&Heap]) -> Option<i64> {
        let mut fits: Option<Vec<i64>> = None;
        for heap in heaps.iter().take(8) {
            let start = heap.word.checked_sub(BELOW)?;
            // A page at a time: not all of it need be there.
            let page = remote.page_size;
            let mut found = Vec::new();
            let mut at = start / 4 * 4;
            while at < heap.word + ABOVE {
                let end = (at / page + 1) * page;
                let bytes = remote.memory.read(at, (end - at) as usize).unwrap_or_default();
                for (index, word) in bytes.chunks_exact(4).enumerate() {
                    if self.names.contains_key(&(u32_at(word, 0) as i32)) {
                        found.push((at + index as u64 * 4).wrapping_sub(heap.word) as i64);
                    }
                }
                at = end;
            }
            fits = Some(match fits {
                None => found,
                Some(before) => before.into_iter().filter(|distance| found.contains(distance)).collect(),
            });
        }
        // Of several the nearest: libc keeps it near the word.
        fits?.into_iter().min_by_key(|distance| distance.unsigned_abs())
    }
}

fn name(pid: i32, tid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/task/{tid}/comm")).unwrap_or_default();
    name.trim_end().chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}
