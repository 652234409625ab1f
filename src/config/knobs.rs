//! The one table of switches: name, default, range and help stand here and nowhere else.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicI64, Ordering};

use super::value::{Kind, Knob, Place, Setting, Store};
use crate::base::aside::Aside;
use crate::base::label::Label;
use crate::os::sealed::{OPTIONS, SEALED};

macro_rules! kind {
    (number $default:literal, $min:literal..=$max:expr) => { Kind::Number { default: $default, min: $min, max: $max } };
    (bytes $default:literal) => { Kind::Bytes { default: $default } };
    (choice $default:literal of [$first:literal $(, $name:literal)*]) => {{
        const { assert!(same($default, $first), "the first of the names is the default") }
        Kind::Choice { names: Label::new(concat!($first $(, "|", $name)*)) }
    }};
    (text $default:literal) => { kind!(text $default of "") };
    (text $default:literal of $shape:literal) => {
        Kind::Text { default: Label::new($default), shape: Label::new($shape) }
    };
}

macro_rules! place {
    () => {
        Place::Start
    };
    (live) => {
        Place::Live
    };
    (test) => {
        Place::Test
    };
}

macro_rules! knobs {
    ($($(#[doc = $help:literal])+ $field:ident: $name:literal = $kind:ident ($($spec:tt)+) $($place:ident)?;)*) => {
        #[expect(non_camel_case_types, reason = "an index named as its getter")]
        #[derive(Clone, Copy)]
        enum Index { $($field),* }

        const COUNT: usize = [$($name),*].len();
        /// What stands here has no addresses in it, so that the loader writes nothing: most processes never touch it.
        static KNOBS: [Knob; COUNT] =
            [$(Knob::new($name, kind!($kind $($spec)+), concat!($($help),+), place!($($place)?))),*];
        /// Of those that are not live the default, with which their value is xored where nobody can write to it any more.
        const SEALED_DEFAULTS: [Option<i64>; COUNT] = [$(match place!($($place)?) {
            Place::Live => None,
            _ => Some(kind!($kind $($spec)+).default()),
        }),*];
        // The last is the tests'.
        const _: () = assert!(COUNT < OPTIONS, "each option has a place");
        static VALUES: [AtomicI64; COUNT] = [$(AtomicI64::new(kind!($kind $($spec)+).default())),*];
        /// Of each knob that is a text.
        static STORES: Aside<[Store; COUNT]> = Aside([const { Store::new() }; COUNT]);

        /// Getters, one for each knob: a number, a count of bytes, the index of a choice.
        #[allow(dead_code, reason = "made for every knob: of a text nobody asks whether it is the default")]
        pub(crate) mod get {
            $($(#[doc = $help])+ pub(crate) fn $field() -> i64 {
                super::value(super::Index::$field)
            })*
        }

        /// The same for texts: the bytes, in a buffer of the caller's.
        #[allow(dead_code, reason = "made for every knob, and few are texts")]
        pub(crate) mod text {
            use crate::config::value::TEXT_MAX;

            $(pub(crate) fn $field(buffer: &mut [u8; TEXT_MAX]) -> &[u8] {
                super::all().nth(super::Index::$field as usize).map_or(&[], |setting| setting.text(buffer))
            })*
        }
    };
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// All of them, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = Setting> {
    KNOBS.iter().zip(VALUES.iter().zip(&SEALED.options).zip(&SEALED_DEFAULTS)).zip(&*STORES).map(
        |((knob, ((live, sealed), default)), store)| match default {
            Some(default) => Setting { knob, value: sealed, flip: *default, store },
            None => Setting { knob, value: live, flip: 0, store },
        },
    )
}

/// The one of this name.
pub(super) fn find(name: &[u8]) -> Option<Setting> {
    all().find(|setting| setting.name().as_bytes() == name)
}

/// Their names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KNOBS.iter().map(Knob::name)
}

fn value(index: Index) -> i64 {
    // Relaxed: see `Setting::put`; a caller without a heap asked `ready` first.
    let load = |values: &[AtomicI64]| values.get(index as usize).map_or(0, |value| value.load(Ordering::Relaxed));
    match SEALED_DEFAULTS.get(index as usize) {
        Some(Some(default)) => load(&SEALED.options) ^ default,
        _ => load(&VALUES),
    }
}

// `live` behind a row: `hak_option_set` may change it while the program runs. That needs a box that asks for the value each
// time it uses it. `test`: a way for tests to what is there for when something runs out; no help or document for users names it.
knobs! {
    /// 1: blocks up to 1 KiB come from each thread's magazines (T-HEAP); 0: from the baseline, without them
    tiny_heap_v2: "HAKMEM_TINY_HEAP_V2" = number (1, 0..=1);
    /// which of the 20 sizes up to 1 KiB the magazines serve, a bit each (bit 0: 16 bytes); the baseline serves the others
    tiny_heap_v2_class_mask: "HAKMEM_TINY_HEAP_V2_CLASS_MASK" = number (0xFFFFF, 0..=0xFFFFF);
    /// 1: print the counters of those sizes at exit
    tiny_heap_v2_stats: "HAKMEM_TINY_HEAP_V2_STATS" = number (0, 0..=1) live;
    /// 1: the baseline works without the linked lists behind its caches
    tiny_front_direct: "HAKMEM_TINY_FRONT_DIRECT" = number (0, 0..=1);
    /// frees of one size after which the baseline empties its linked list of that size
    tiny_sll_drain_interval: "HAKMEM_TINY_SLL_DRAIN_INTERVAL" = number (1024, 1..=1_000_000);
    /// how many batches of blocks freed by other threads may be under way; beyond that each such free takes the owner's lock
    remote_nodes: "HAKMEM_REMOTE_NODES" = number (65_536, 0..=65_536) test;
    /// how many free pieces of 64 KiB are found without a lock; beyond that they are searched for under one
    slot_nodes: "HAKMEM_SLOT_NODES" = number (16_384, 0..=16_384) test;
    /// milliseconds after which free memory that was not used again has gone back to the kernel; 0: at once; -1: never
    decay_ms: "HAKMEM_DECAY_MS" = number (1000, -1..=3_600_000) live;
    /// free memory up to this stays, however long it is free, and what is more goes at once; 0: as HAKMEM_DECAY_MS says
    trim_threshold: "HAKMEM_TRIM_THRESHOLD" = bytes (0) live;
    /// 1: learn how many blocks each thread keeps at hand, within a budget; 0: fixed, no budget
    learn: "HAKMEM_LEARN" = number (1, 0..=1);
    /// 1: one line on stderr for each thing learned, with its evidence
    learn_log: "HAKMEM_LEARN_LOG" = number (0, 0..=1) live;
    /// what was learned before, as hak_policy_print wrote it: C18=1232,C19=1088
    policy: "HAKMEM_POLICY" = text ("");
    /// 1: a thread named "hakmem" gives free memory back while the program is idle
    background: "HAKMEM_BACKGROUND" = number (0, 0..=1);
    /// give all free memory back when blocks and free memory come to more than this; 0: no limit
    soft_limit: "HAKMEM_SOFT_LIMIT" = bytes (0) live;
    /// requests fail with ENOMEM rather than map more than this; 0: no limit
    hard_limit: "HAKMEM_HARD_LIMIT" = bytes (0) live;
    /// 1: many ranges of free memory go back by one call, process_madvise, from Linux 6.15 on; not in a sandbox that kills for a call it does not know
    purge_batch: "HAKMEM_PURGE_BATCH" = number (0, 0..=1) live;
    /// give all free memory back when the kernel says that memory is short; auto: only the background thread asks; always: malloc asks too
    pressure: "HAKMEM_PRESSURE" = choice ("auto" of ["auto", "always", "never"]) live;
    /// how many empty pieces of 2 MiB are kept for reuse
    superslab_cache: "HAKMEM_SUPERSLAB_CACHE" = number (16, 0..=64) live;
    /// light: check every free at once, zero freed blocks, put canaries behind them; 1: hold them back for a while too, and choose blocks at random
    hardened: "HAKMEM_HARDENED" = choice ("0" of ["0", "1", "light"]);
    /// bytes of freed blocks that each thread holds back before they are used again, with HAKMEM_HARDENED=1
    quarantine: "HAKMEM_QUARANTINE" = bytes (262_144);
    /// of the allocations up to 64 KiB for which a thread has no block at hand, one in N lies between guard pages, which ones is chance; 0: none
    guard_rate: "HAKMEM_GUARD_RATE" = number (0, 0..=1_000_000_000);
    /// 1: reports show where the block was allocated and where it was freed, with HAKMEM_HARDENED or HAKMEM_GUARD_RATE
    trace: "HAKMEM_TRACE" = number (0, 0..=1);
    /// 1: the heap profiler runs from the start, and a profile is written at exit
    prof: "HAKMEM_PROF" = number (0, 0..=1);
    /// bytes between samples on average; 1: every allocation is one
    prof_rate: "HAKMEM_PROF_RATE" = number (524_288, 1..=1_073_741_824);
    /// where profiles go: %p is the process's number, %n counts the profiles; .folded at the end: as folded stacks; .txt: a list of what is live
    prof_file: "HAKMEM_PROF_FILE" = text ("hakmem.%p.%n.pb") live;
    /// profiles are also written while live memory grows, each time by a tenth; this many of them stay: 0: none
    prof_peaks: "HAKMEM_PROF_PEAKS" = number (0, 0..=1000) live;
    /// how stacks are taken: dwarf: by the unwinder's tables; fp: by frame pointers, which program and libraries must keep
    prof_unwind: "HAKMEM_PROF_UNWIND" = choice ("dwarf" of ["dwarf", "fp"]);
    /// a signal upon which a running process starts the heap profiler; the next one writes a profile and stops it; with HAKMEM_PROF=1 each writes one
    prof_signal: "HAKMEM_PROF_SIGNAL" = choice ("none" of ["none", "USR1", "USR2", "HUP"]);
    /// a file to which every call of malloc and free is written, with its thread and time; %p is the process's number; what is there stays: .PID is added
    record: "HAKMEM_RECORD" = text ("");
    /// huge pages; auto: asked for where a large heap of small blocks grows that is all resident; always: asked for everywhere; never
    thp: "HAKMEM_THP" = choice ("auto" of ["auto", "always", "never"]) live;
    /// 1: mappings have names, which pmap and /proc/PID/smaps show, where the kernel takes them; a call more for each, and one a sandbox may kill for
    names: "HAKMEM_NAMES" = number (0, 0..=1);
    /// 1: one line on stderr for each slab taken from the shared pool, 64 at most
    ss_acquire_debug: "HAKMEM_SS_ACQUIRE_DEBUG" = number (0, 0..=1) live;
    /// 1: one line on stderr for each slab given back to the shared pool, 64 at most
    ss_free_debug: "HAKMEM_SS_FREE_DEBUG" = number (0, 0..=1) live;
    /// RTLD_DEEPBIND, which makes a plug-in use libc's malloc beside ours; clear: dlopen ignores it; keep: it does what the program says
    deepbind: "HAKMEM_DEEPBIND" = choice ("clear" of ["clear", "keep"]);
    /// statistics at exit; 1: as text to stderr; else to a file, as text, JSON or Prometheus text
    stats: "HAKMEM_STATS" = text ("0" of "0|1|text:PATH|json:PATH|prom:PATH") live;
    /// a signal upon which the process writes its statistics, at the next call for which a thread has no block at hand; to stderr if HAKMEM_STATS is 0
    stats_signal: "HAKMEM_STATS_SIGNAL" = choice ("none" of ["none", "USR1", "USR2", "HUP"]);
    /// 1: print this table to stderr at start
    help: "HAKMEM_HELP" = number (0, 0..=1);
}
