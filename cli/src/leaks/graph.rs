//! Which block points to which, and which of them nothing reaches.

use super::blocks::{Bits, Blocks};

/// What live blocks hold that may be an address of a block, one block behind the other.
#[derive(Default)]
pub(crate) struct Words {
    /// Numbers of blocks with any, ascending, and where each one's end.
    pub(crate) sources: Vec<(u32, usize)>,
    pub(crate) words: Vec<u64>,
    /// Of each block by its number, where its words end, once that was asked for.
    ends: Vec<u64>,
}

impl Words {
    /// The other's numbers are as high as this one's last, or higher.
    pub(crate) fn append(&mut self, other: Words) {
        let before = self.words.len();
        self.words.extend(other.words);
        for (number, end) in other.sources {
            self.end_source(number, end + before);
        }
    }

    /// Notes that the words up to `end` are this block's: of one that was read in pieces, once.
    pub(crate) fn end_source(&mut self, number: u32, end: usize) {
        match self.sources.last_mut() {
            Some(last) if last.0 == number => last.1 = end,
            _ => self.sources.push((number, end)),
        }
    }

    /// From here on a block's words are found without a search.
    fn index(&mut self, count: u32) {
        self.ends = Vec::with_capacity(count as usize);
        let mut end = 0;
        for &(number, next) in &self.sources {
            self.ends.resize(number as usize, end);
            end = next as u64;
            self.ends.push(end);
        }
        self.ends.resize(count as usize, end);
        self.sources = Vec::new();
    }

    fn of(&self, number: u32) -> &[u64] {
        let end = |number: u32| self.ends.get(number as usize).map_or(0, |&end| end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.words.get(start..end(number)).unwrap_or_default()
    }
}

/// How a block came to be one that nothing reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing points to it.
    Lost,
    /// One of those that point to each other in a ring, standing for all.
    Ring,
    /// Only such blocks point to it.
    Held,
}

pub(crate) struct Leak {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    /// Blocks that are lost with it, and their bytes: of a `Held` none.
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Blocks that nothing reaches from `roots`.
pub(crate) fn leaks(blocks: &Blocks, mut words: Words, roots: &[u64]) -> Vec<Leak> {
    words.index(blocks.count);
    let words = &words;
    let mut reached = Bits::new(blocks.count);
    let mut open: Vec<u32> =
        roots.iter().filter_map(|&word| blocks.at(word)).filter(|&number| reached.set(number)).collect();
    flood(blocks, words, &mut open, &mut reached, |_| {});
    let lost: Vec<u32> = blocks.live().filter(|&number| !reached.get(number)).collect();
    let mut pointed = Bits::new(blocks.count);
    for &number in &lost {
        for target in words.of(number).iter().filter_map(|&word| blocks.at(word)).filter(|&target| target != number) {
            pointed.set(target);
        }
    }
    let mut leaks = Vec::new();
    // Those that nothing points to first: what is left after them are rings, and what hangs on rings.
    let heads = lost.iter().filter(|&&number| !pointed.get(number)).map(|&number| (number, Kind::Lost));
    let rings = ring_heads(blocks, words, &lost, &pointed).into_iter().map(|number| (number, Kind::Ring));
    for (number, kind) in heads.chain(rings) {
        if !reached.set(number) {
            continue;
        }
        let mut leak = Leak { number, kind, blocks: 0, bytes: 0 };
        let mut held = Vec::new();
        flood(blocks, words, &mut vec![number], &mut reached, |target| held.push(target));
        for target in held {
            leak.blocks += 1;
            leak.bytes += blocks.place(target).1;
            leaks.push(Leak { number: target, kind: Kind::Held, blocks: 0, bytes: 0 });
        }
        leaks.push(leak);
    }
    leaks.sort_by_key(|leak| leak.number);
    leaks
}

/// Visits all that is reached from `open` and was not yet.
fn flood(blocks: &Blocks, words: &Words, open: &mut Vec<u32>, reached: &mut Bits, mut visit: impl FnMut(u32)) {
    while let Some(number) = open.pop() {
        for target in words.of(number).iter().filter_map(|&word| blocks.at(word)) {
            if reached.set(target) {
                visit(target);
                open.push(target);
            }
        }
    }
}

/// An order for what something points to: of two rings, one of which points to the other, the one that points comes first, as it holds
/// the other. The order in which a walk leaves blocks, turned round, has that.
fn ring_heads(blocks: &Blocks, words: &Words, lost: &[u32], pointed: &Bits) -> Vec<u32> {
    let mut seen = Bits::new(blocks.count);
    let mut left = Vec::new();
    for &start in lost.iter().filter(|&&number| pointed.get(number)) {
        if !seen.set(start) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((number, next)) = path.last_mut() {
            let of = words.of(*number);
            match of.get(*next) {
                Some(&word) => {
                    *next += 1;
                    if let Some(target) = blocks.at(word).filter(|&target| seen.set(target)) {
                        path.push((target, 0));
                    }
                }
                None => {
                    left.push(*number);
                    path.pop();
                }
            }
        }
    }
    left.reverse();
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::large::Large;
    use crate::remote::spans::Spans;

    /// Blocks of 64 KiB, a granule each; `edges` from one to others.
    fn found(count: u64, edges: &[(u32, &[u64])], roots: &[u64]) -> Vec<(u32, Kind, u64)> {
        let base = |number: u64| 0x10_0000 * (number + 1);
        let large: Vec<Large> =
            (0..count).map(|number| Large { base: base(number), bytes: 65536, waits: false }).collect();
        let blocks = Blocks::new(&Spans::default(), &large, 65536).unwrap();
        let mut words = Words::default();
        for (number, targets) in edges {
            words.words.extend(targets.iter().map(|&target| base(target) + 40_000));
            words.sources.push((*number * 64, words.words.len()));
        }
        let roots: Vec<u64> = roots.iter().map(|&root| base(root)).collect();
        leaks(&blocks, words, &roots).into_iter().map(|leak| (leak.number / 64, leak.kind, leak.blocks)).collect()
    }

    #[test]
    fn what_is_reached_is_no_leak() {
        assert_eq!(found(3, &[(0, &[1]), (1, &[2])], &[0]), []);
        assert_eq!(found(2, &[], &[0]), [(1, Kind::Lost, 0)]);
    }

    #[test]
    fn what_a_lost_block_holds_is_lost_with_it() {
        let expected = [(0, Kind::Lost, 2), (1, Kind::Held, 0), (2, Kind::Held, 0)];
        assert_eq!(found(4, &[(0, &[1]), (1, &[2]), (2, &[3])], &[3]), expected);
    }

    #[test]
    fn rings_have_one_head_and_one_that_points_comes_first() {
        let ring = [(0, Kind::Ring, 1), (1, Kind::Held, 0)];
        assert_eq!(found(2, &[(0, &[1]), (1, &[0])], &[]), ring);
        assert_eq!(found(1, &[(0, &[0])], &[]), [(0, Kind::Lost, 0)]);
        // 2 and 3 are a ring that holds that of 0 and 1.
        let seen = found(4, &[(0, &[1]), (1, &[0]), (2, &[3]), (3, &[2, 0])], &[]);
        let heads: Vec<_> = seen.iter().filter(|(_, kind, _)| *kind != Kind::Held).collect();
        assert!(matches!(heads[..], [(2 | 3, Kind::Ring, 3)]), "{seen:?}");
    }
}
