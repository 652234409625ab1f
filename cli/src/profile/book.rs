//! Profiles put together: every stack once, as a tree whose branches share their callers, and its figures in each profile.

use std::collections::HashMap;
use std::hash::Hash;

use super::pprof::Raw;
use super::symbols::{Named, Resolver};
use crate::error::{Error, Result};

/// What is counted of a stack, in the order of `Values`.
pub(crate) const KINDS: [(&str, &str); 6] = [
    ("inuse_space", "live bytes"),
    ("inuse_objects", "live blocks"),
    ("alloc_space", "allocated bytes"),
    ("alloc_objects", "allocated blocks"),
    ("peak_space", "bytes at the peak"),
    ("peak_objects", "blocks at the peak"),
];

/// Calls of a stack that the library keeps.
const DEPTH: usize = 64;

/// Live, allocated and at the peak: bytes and blocks of each.
pub(crate) type Values = [u64; KINDS.len()];

/// A function by name, the file that was loaded, and its source file.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) object: String,
    pub(crate) file: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Frame {
    pub(crate) function: u32,
    pub(crate) line: u32,
    pub(crate) inlined: bool,
}

/// A frame under its caller's node. Node 0 is under all, and no frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) parent: u32,
    pub(crate) frame: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stack {
    pub(crate) node: u32,
    pub(crate) thread: u32,
}

/// One profile's figures.
pub(crate) struct Snapshot {
    pub(crate) title: String,
    /// Its number; 0 where that is not known.
    pub(crate) process: i32,
    /// Seconds since 1970.
    pub(crate) time: f64,
    /// By the stack's number.
    pub(crate) values: HashMap<u32, Values>,
    pub(crate) period: u64,
    pub(crate) has_peak: bool,
    /// What it lacks.
    pub(crate) lost: Option<String>,
}

/// Things that are numbered in the order they come.
pub(crate) struct Numbered<T> {
    pub(crate) all: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    pub(crate) fn new() -> Numbered<T> {
        Numbered { all: Vec::new(), numbers: HashMap::new() }
    }

    pub(crate) fn number(&mut self, thing: T) -> u32 {
        if let Some(&number) = self.numbers.get(&thing) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }

    /// The same for what is known by another name than it is shown by: by the last one's.
    fn number_as(&mut self, known: T, shown: T) -> u32 {
        let number = self.number(known);
        if let Some(thing) = self.all.get_mut(number as usize) {
            *thing = shown;
        }
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.all.get(number as usize)
    }
}

pub(crate) struct Book {
    pub(crate) functions: Numbered<Function>,
    pub(crate) frames: Numbered<Frame>,
    pub(crate) nodes: Numbered<Node>,
    pub(crate) threads: Numbered<String>,
    pub(crate) stacks: Numbered<Stack>,
    pub(crate) snapshots: Vec<Snapshot>,
    /// Versions of a program are compared: what has the same name in another folder, or on another line, is the same.
    pub(crate) compared: bool,
}

impl Book {
    pub(crate) fn new() -> Book {
        let mut nodes = Numbered::new();
        nodes.number(Node { parent: 0, frame: u32::MAX });
        Book {
            functions: Numbered::new(),
            frames: Numbered::new(),
            nodes,
            threads: Numbered::new(),
            stacks: Numbered::new(),
            snapshots: Vec::new(),
            compared: false,
        }
    }

    /// Adds a profile, its addresses looked up.
    pub(crate) fn add(&mut self, raw: &Raw, resolver: &mut Resolver, title: String, process: i32) -> Result<()> {
        let columns = KINDS.map(|(kind, _)| raw.column(kind));
        if columns.iter().all(Option::is_none) {
            let kinds: Vec<&str> = raw.kinds.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::new(format!("{title}: no heap profile: it has {}", kinds.join(", "))));
        }
        let values = self.sum(raw, resolver, columns);
        self.snapshots.push(Snapshot {
            title,
            process,
            time: raw.time_nanos as f64 / 1e9,
            values,
            period: raw.period,
            has_peak: raw.column("peak_space").is_some(),
            lost: raw.comments.iter().find_map(|comment| lost(comment)),
        });
        Ok(())
    }

    /// A profile that was taken when most was live, as a part of the last of that process; `false`: there is none.
    pub(crate) fn add_peak(&mut self, raw: &Raw, resolver: &mut Resolver, process: i32) -> bool {
        let Some(at) = self.snapshots.iter().rposition(|snapshot| snapshot.process == process) else { return false };
        if self.snapshots.get(at).is_some_and(|snapshot| snapshot.has_peak) {
            return true; // the profile itself has it
        }
        let [bytes, blocks] = ["inuse_space", "inuse_objects"].map(|kind| raw.column(kind));
        let peak = self.sum(raw, resolver, [None, None, None, None, bytes, blocks]);
        let Some(snapshot) = self.snapshots.get_mut(at) else { return false };
        let live: u64 = snapshot.values.values().map(|[live, ..]| live).sum();
        let most: u64 = peak.values().map(|[.., bytes, _]| bytes).sum();
        snapshot.has_peak = true;
        if live >= most {
            // It grew by less than the tenth that makes a new one.
            snapshot.values.values_mut().for_each(|[live, blocks, _, _, at_peak, blocks_at_peak]| {
                (*at_peak, *blocks_at_peak) = (*live, *blocks);
            });
            return true;
        }
        for (stack, [.., bytes, blocks]) in peak {
            let [.., at_peak, blocks_at_peak] = snapshot.values.entry(stack).or_default();
            (*at_peak, *blocks_at_peak) = (bytes, blocks);
        }
        true
    }

    /// Each stack's figures, from these columns of its samples.
    fn sum(
        &mut self,
        raw: &Raw,
        resolver: &mut Resolver,
        columns: [Option<usize>; KINDS.len()],
    ) -> HashMap<u32, Values> {
        let own = raw.comments.iter().any(|comment| comment.starts_with("hakmem "));
        let mut frames_at: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut values: HashMap<u32, Values> = HashMap::new();
        for sample in &raw.samples {
            let mut node = 0;
            if own && sample.locations.len() >= DEPTH {
                let cut = Named { function: "[callers that were not kept]".to_owned(), ..Named::default() };
                let frame = self.frame(cut);
                node = self.nodes.number(Node { parent: 0, frame });
            }
            for &location in sample.locations.iter().rev() {
                let frames = frames_at.entry(location).or_insert_with(|| self.frames_of(raw, resolver, location));
                for &frame in frames.iter() {
                    node = self.nodes.number(Node { parent: node, frame });
                }
            }
            let thread = self.threads.number(sample.thread.clone());
            let stack = self.stacks.number(Stack { node, thread });
            let sums = values.entry(stack).or_default();
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum += column.and_then(|column| sample.values.get(column)).copied().unwrap_or(0);
            }
        }
        values
    }

    /// The frames at a location, outermost first.
    fn frames_of(&mut self, raw: &Raw, resolver: &mut Resolver, number: u64) -> Vec<u32> {
        let Some(location) = raw.locations.get(&number) else { return Vec::new() };
        let mapping = raw.mappings.get(&location.mapping);
        let calls = if location.lines.is_empty() {
            resolver.resolve(mapping, location.address)
        } else {
            let last = location.lines.len() - 1;
            let told = location.lines.iter().enumerate().map(|(index, &(function, line))| {
                let function = raw.functions.get(&function);
                Named {
                    function: function.map_or_else(String::new, |function| function.name.clone()),
                    file: function.map_or_else(String::new, |function| function.file.clone()),
                    line: line as u32,
                    object: mapping.map_or_else(String::new, |mapping| mapping.file.clone()),
                    inlined: index != last,
                }
            });
            told.collect()
        };
        calls.into_iter().rev().map(|call| self.frame(call)).collect()
    }

    fn frame(&mut self, call: Named) -> u32 {
        let Named { function: name, file, line, object, inlined } = call;
        if !self.compared {
            let function = self.functions.number(Function { name, object, file });
            return self.frames.number(Frame { function, line, inlined });
        }
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let known = Function { name: name.clone(), object: base(&object), file: base(&file) };
        let function = self.functions.number_as(known, Function { name, object, file });
        self.frames.number_as(Frame { function, line: 0, inlined }, Frame { function, line, inlined })
    }

    /// The function of a frame.
    pub(crate) fn function(&self, frame: Frame) -> Option<&Function> {
        self.functions.get(frame.function)
    }

    /// A stack's frames and their numbers, innermost first.
    pub(crate) fn frames(&self, stack: Stack) -> impl Iterator<Item = (u32, Frame)> {
        let mut at = stack.node;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at).filter(|_| at != 0)?;
            at = node.parent;
            Some((node.frame, *self.frames.get(node.frame)?))
        })
    }

    pub(crate) fn totals(&self, snapshot: &Snapshot) -> Values {
        let mut totals = Values::default();
        for values in snapshot.values.values() {
            for (total, value) in totals.iter_mut().zip(values) {
                *total += value;
            }
        }
        totals
    }
}

/// From the library's own comment, `hakmem 0.1.0: samples lost 0, blocks lost 7, stacks lost 0`: what is not zero.
fn lost(comment: &str) -> Option<String> {
    let (_, counts) = comment.strip_prefix("hakmem ")?.split_once(": ")?;
    let some: Vec<&str> =
        counts.split(", ").filter(|count| !count.ends_with(" lost 0") && count.contains(" lost ")).collect();
    (!some.is_empty()).then(|| some.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::pprof::{Function as Told, Location, Sample};

    /// main → outer → inner (inlined), and main → other, by two threads.
    pub(crate) fn sample_profile(live: u64) -> Raw {
        let mut raw = Raw::default();
        for kind in ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"] {
            raw.kinds.push((kind.to_owned(), String::new()));
        }
        for (id, name) in [(1, "main"), (2, "outer"), (3, "inner"), (4, "other")] {
            raw.functions.insert(id, Told { name: name.to_owned(), file: format!("{name}.c") });
        }
        let location = |lines| Location { mapping: 0, address: 1, lines };
        raw.locations.insert(1, location(vec![(1, 10)]));
        raw.locations.insert(2, location(vec![(3, 31), (2, 20)]));
        raw.locations.insert(3, location(vec![(4, 40)]));
        let sample = |locations: &[u64], thread: &str, live| Sample {
            locations: locations.to_vec(),
            values: vec![10, 1000, 1, live],
            thread: thread.to_owned(),
        };
        raw.samples = vec![sample(&[2, 1], "a", live), sample(&[3, 1], "b", 7), sample(&[3, 1], "b", 5)];
        raw.comments.push("hakmem 0.1.0: samples lost 0, blocks lost 7, stacks lost 0".to_owned());
        raw
    }

    #[test]
    fn stacks_share_their_callers_and_equal_ones_are_one() {
        let mut book = Book::new();
        for live in [100, 300] {
            book.add(&sample_profile(live), &mut Resolver::default(), "x".to_owned(), 1).unwrap();
        }
        assert_eq!((book.nodes.all.len(), book.stacks.all.len(), book.threads.all.len()), (1 + 4, 2, 2));
        let totals: Vec<u64> = book.snapshots.iter().map(|snapshot| book.totals(snapshot)[0]).collect();
        assert_eq!(totals, [112, 312]);
        let names: Vec<&str> =
            book.frames(book.stacks.all[0]).map(|(_, frame)| &*book.function(frame).unwrap().name).collect();
        assert_eq!(names, ["inner", "outer", "main"]);
        assert_eq!(
            book.frames(book.stacks.all[0]).map(|(_, frame)| frame.inlined).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(book.snapshots[0].lost.as_deref(), Some("blocks lost 7"));
    }

    #[test]
    fn the_peak_is_at_least_what_is_live() {
        let mut book = Book::new();
        assert!(!book.add_peak(&sample_profile(1), &mut Resolver::default(), 1));
        for (process, peak) in [(1, 900), (2, 50)] {
            book.add(&sample_profile(100), &mut Resolver::default(), "x".to_owned(), process).unwrap();
            assert!(book.add_peak(&sample_profile(peak), &mut Resolver::default(), process));
        }
        let totals: Vec<Values> = book.snapshots.iter().map(|snapshot| book.totals(snapshot)).collect();
        assert_eq!(
            totals.iter().map(|[live, .., peak, _]| (*live, *peak)).collect::<Vec<_>>(),
            [(112, 912), (112, 112)]
        );
    }

    #[test]
    fn what_is_no_heap_profile_is_refused() {
        let raw = Raw { kinds: vec![("cpu".to_owned(), "nanoseconds".to_owned())], ..Raw::default() };
        let error = Book::new().add(&raw, &mut Resolver::default(), "x.pb".to_owned(), 1).unwrap_err();
        assert_eq!(error.message, "x.pb: no heap profile: it has cpu");
    }
}
