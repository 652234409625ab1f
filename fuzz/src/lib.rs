//! Random programs for the allocator, read from bytes: the operations of tests/model.rs, in a form that a fuzzer can change
//! piece by piece. Every byte of every block is written, and checked before it is resized or freed.

#[path = "../../cli/src/error.rs"]
#[allow(dead_code)]
mod error;
mod trace;
#[path = "../../cli/src/units.rs"]
#[allow(dead_code)]
mod units;

use std::alloc::{GlobalAlloc, Layout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use hakmem::HakMem;

pub use trace::traces;

unsafe extern "C" {
    fn malloc_trim(pad: usize) -> i32;
}

/// Bytes in use at a time, by one thread: more is freed first.
const HELD: usize = 24 << 20;

/// One operation; six bytes of the input.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Alloc {
        size: usize,
        count: usize,
        zeroed: bool,
    },
    Memalign {
        size: usize,
        shift: u32,
        zeroed: bool,
    },
    Free {
        from: usize,
        count: usize,
    },
    /// To another thread, which frees it at some time.
    FreeRemote {
        from: usize,
        count: usize,
    },
    Realloc {
        which: usize,
        size: usize,
    },
    /// A thread allocates, frees some of ours and ends; what it allocated lives on.
    ThreadExit {
        size: usize,
        count: usize,
        frees: usize,
    },
    Trim,
}

impl Op {
    fn read(bytes: [u8; 6]) -> Op {
        let [tag, a, b, c, d, e] = bytes.map(usize::from);
        // An exponent and a mantissa: every border between two boxes is one change away. Mostly small and mid sizes.
        let more = if b % 16 == 0 { b >> 5 } else { 0 };
        let size = ((((a & 15) + 17) << (a >> 4)) >> 4 << more).saturating_sub(1) + (c & 3);
        let (size, pick) = (size.clamp(1, 8 << 20), c << 8 | d);
        let count = 1 + e.min(1 + (1 << 17) / size);
        match tag % 16 {
            0..5 => Op::Alloc { size, count, zeroed: tag > 128 },
            5 => Op::Memalign { size, shift: d as u32 % 23, zeroed: tag > 128 },
            6..9 => Op::Free { from: pick, count: e },
            9..11 => Op::FreeRemote { from: pick, count: e },
            11..14 => Op::Realloc { which: pick, size },
            14 => Op::ThreadExit { size, count: count % 64, frees: d % 64 },
            _ => Op::Trim,
        }
    }

    /// The program that `input` is.
    pub fn program(input: &[u8]) -> impl Iterator<Item = Op> + '_ {
        input.chunks_exact(6).filter_map(|chunk| chunk.try_into().ok()).map(Op::read)
    }
}

struct Block {
    at: *mut u8,
    layout: Layout,
}

// SAFETY: whoever has the value owns the block.
unsafe impl Send for Block {}

impl Block {
    fn new(layout: Layout, zeroed: bool) -> Block {
        // SAFETY: the size is not zero.
        let at = unsafe { if zeroed { HakMem.alloc_zeroed(layout) } else { HakMem.alloc(layout) } };
        assert!(!at.is_null(), "out of memory: {layout:?}");
        assert!(at.addr().is_multiple_of(layout.align().max(16)), "{at:p} {layout:?}");
        let mut block = Block { at, layout };
        assert!(!zeroed || block.bytes().iter().all(|&byte| byte == 0), "not zero: {at:p} {layout:?}");
        block.fill();
        block
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the block is ours and this long; memory from the kernel or of a former block is initialised.
        unsafe { std::slice::from_raw_parts_mut(self.at, self.layout.size()) }
    }

    fn mark(at: *mut u8, size: usize) -> u8 {
        ((at.addr() ^ size.rotate_left(20)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
    }

    fn fill(&mut self) {
        let mark = Block::mark(self.at, self.layout.size());
        for (byte, index) in self.bytes().iter_mut().zip(0_u8..=u8::MAX) {
            *byte = mark ^ index;
        }
        let head = self.bytes().len().min(256);
        let (head, tail) = self.bytes().split_at_mut(head);
        for part in tail.chunks_mut(256) {
            part.copy_from_slice(&head[..part.len()]);
        }
    }

    /// That the first `kept` bytes are those of a block filled at `at` with `size`.
    fn check(&mut self, at: *mut u8, size: usize, kept: usize) {
        let mark = Block::mark(at, size);
        for part in self.bytes()[..kept].chunks(256) {
            let right = part.iter().zip(0_u8..=u8::MAX).all(|(&byte, index)| byte == mark ^ index);
            assert!(right, "contents of {at:p}, {size} bytes");
        }
    }

    fn free(mut self) {
        self.check(self.at, self.layout.size(), self.layout.size());
        // SAFETY: allocated with this layout, and owned.
        unsafe { HakMem.dealloc(self.at, self.layout) };
    }

    fn resize(&mut self, size: usize) {
        let (at, old) = (self.at, self.layout.size());
        self.check(at, old, old);
        // SAFETY: allocated with this layout, and owned; the new size is not zero.
        self.at = unsafe { HakMem.realloc(at, self.layout, size) };
        assert!(!self.at.is_null() && self.at.addr().is_multiple_of(self.layout.align().max(16)), "{:p}", self.at);
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("a layout");
        self.check(at, old, size.min(old));
        self.fill();
    }
}

fn natural(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a layout")
}

/// A thread's blocks.
#[derive(Default)]
struct Model {
    held: Vec<Block>,
    bytes: usize,
}

impl Model {
    fn keep(&mut self, block: Block) {
        self.bytes += block.layout.size();
        self.held.push(block);
        while self.bytes > HELD && self.held.len() > 1 {
            self.take(self.held.len() / 2).into_iter().for_each(Block::free);
        }
    }

    fn take(&mut self, from: usize) -> Option<Block> {
        let index = from.checked_rem(self.held.len())?;
        let block = self.held.swap_remove(index);
        self.bytes -= block.layout.size();
        Some(block)
    }

    fn take_some(&mut self, from: usize, count: usize) -> Vec<Block> {
        (0..count).map_while(|_| self.take(from)).collect()
    }

    fn apply(&mut self, op: Op, remote: &Sender<Block>) {
        match op {
            Op::Alloc { size, count, zeroed } => (0..count).for_each(|_| self.keep(Block::new(natural(size), zeroed))),
            Op::Memalign { size, shift, zeroed } => {
                self.keep(Block::new(Layout::from_size_align(size, 1 << shift).expect("a layout"), zeroed));
            }
            Op::Free { from, count } => self.take_some(from, count).into_iter().for_each(Block::free),
            Op::FreeRemote { from, count } => {
                for block in self.take_some(from, count) {
                    // Nobody listens any more: ours again.
                    if let Err(back) = remote.send(block) {
                        back.0.free();
                    }
                }
            }
            Op::Realloc { which, size } => {
                if let Some(mut block) = self.take(which) {
                    block.resize(size);
                    self.keep(block);
                }
            }
            Op::ThreadExit { size, count, frees } => {
                let theirs = self.take_some(0, frees);
                let work = move || {
                    let made: Vec<_> = (0..count).map(|_| Block::new(natural(size), false)).collect();
                    theirs.into_iter().for_each(Block::free);
                    made
                };
                thread::spawn(work).join().expect("a thread's checks").into_iter().for_each(|block| self.keep(block));
            }
            // SAFETY: the allocator's own, at any time.
            Op::Trim => _ = unsafe { malloc_trim(0) },
        }
    }
}

fn run(program: impl Iterator<Item = Op>, remote: &Sender<Block>, inbox: Option<&Receiver<Block>>) {
    let mut model = Model::default();
    for op in program {
        model.apply(op, remote);
        inbox.into_iter().flat_map(Receiver::try_iter).for_each(Block::free);
    }
    model.held.into_iter().for_each(Block::free);
}

/// One thread; its remote frees are done at the end by another one.
pub fn single(input: &[u8]) {
    let (send, receive) = channel();
    run(Op::program(input), &send, None);
    drop(send);
    if let Ok(first) = receive.recv() {
        thread::spawn(move || std::iter::once(first).chain(receive).for_each(Block::free)).join().expect("its checks");
    }
}

/// Three threads, each with a third of the program, that free for each other in a ring.
pub fn several(input: &[u8]) {
    const THREADS: usize = 3;
    let ends: [_; THREADS] = std::array::from_fn(|_| channel());
    let (mut senders, receivers): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    senders.rotate_left(1);
    let part = input.len().div_ceil(THREADS).next_multiple_of(6).max(6);
    thread::scope(|scope| {
        for (number, (send, receive)) in senders.into_iter().zip(receivers).enumerate() {
            let program = input.get(number * part..).unwrap_or_default();
            let program = Op::program(&program[..program.len().min(part)]);
            scope.spawn(move || {
                run(program, &send, Some(&receive));
                drop(send);
                receive.into_iter().for_each(Block::free);
            });
        }
    });
}

/// Without a fuzzer: random inputs for `seconds`, from `seed` on. Says how many.
pub fn drive(target: fn(&[u8]), seed: u64, seconds: u64) -> u64 {
    let (start, mut state, mut inputs) = (std::time::Instant::now(), seed | 1, 0);
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32
    };
    while start.elapsed().as_secs() < seconds {
        let input: Vec<u8> = (0..6 * (1 + next() % 200)).map(|_| next() as u8).collect();
        target(&input);
        inputs += 1;
    }
    inputs
}
