//! The one table of switches: name, default, range and help stand here and nowhere else.
#![forbid(unsafe_code)]

use super::value::{Kind, Knob, Store};

macro_rules! kind {
    (number $default:literal, $min:literal..=$max:expr) => { Kind::Number { default: $default, min: $min, max: $max } };
    (bytes $default:literal) => { Kind::Bytes { default: $default } };
    (choice $default:literal of [$($name:literal),+]) => { Kind::Choice { default: $default, names: &[$($name),+] } };
    (text $default:literal) => { kind!(text $default of "") };
    (text $default:literal of $shape:literal) => {{
        static STORE: Store = Store::new();
        Kind::Text { default: $default, shape: $shape, store: &STORE }
    }};
}

macro_rules! is_live {
    () => {
        false
    };
    (live) => {
        true
    };
}

macro_rules! knobs {
    ($($(#[doc = $help:literal])+ $field:ident: $name:literal = $kind:ident ($($spec:tt)+) $($live:ident)?;)*) => {
        #[expect(non_camel_case_types, reason = "an index named as its getter")]
        #[derive(Clone, Copy)]
        enum Index { $($field),* }

        const COUNT: usize = [$($name),*].len();
        pub(crate) static KNOBS: [Knob; COUNT] =
            [$(Knob::new($name, kind!($kind $($spec)+), concat!($($help),+), is_live!($($live)?))),*];

        /// Getters, one for each knob: a number, a count of bytes, the index of a choice.
        #[allow(dead_code, reason = "made for every knob: of a text nobody asks whether it is the default")]
        pub(crate) mod get {
            $($(#[doc = $help])+ pub(crate) fn $field() -> i64 {
                super::KNOBS.get(super::Index::$field as usize).map_or(0, super::Knob::get)
            })*
        }

        /// The same for texts: the bytes, in a buffer of the caller's.
        #[allow(dead_code, reason = "made for every knob, and few are texts")]
        pub(crate) mod text {
            use crate::config::TEXT_MAX;

            $(pub(crate) fn $field(buffer: &mut [u8; TEXT_MAX]) -> &[u8] {
                super::KNOBS.get(super::Index::$field as usize).map_or(&[], |knob| knob.text(buffer))
            })*
        }
    };
}

// `live` behind a row: `hak_option_set` may change it while the program runs. That needs a box that asks for the value each
// time it uses it.
knobs! {
    /// 1: tiny blocks through T-HEAP, the per-thread magazines; 0: through the baseline boxes only
    tiny_heap_v2: "HAKMEM_TINY_HEAP_V2" = number (1, 0..=1);
    /// classes that T-HEAP serves, a bit each (C0 is bit 0); the others go through the baseline
    tiny_heap_v2_class_mask: "HAKMEM_TINY_HEAP_V2_CLASS_MASK" = number (0xFFFFF, 0..=0xFFFFF);
    /// 1: print T-HEAP's counters by class at exit
    tiny_heap_v2_stats: "HAKMEM_TINY_HEAP_V2_STATS" = number (0, 0..=1) live;
    /// 1: the baseline's FastCache works without the SLL behind it
    tiny_front_direct: "HAKMEM_TINY_FRONT_DIRECT" = number (0, 0..=1);
    /// frees of a class after which the baseline drains that class's SLL into its spans
    tiny_sll_drain_interval: "HAKMEM_TINY_SLL_DRAIN_INTERVAL" = number (1024, 1..=1_000_000);
    /// batch nodes for frees by other threads; when they run out each such free takes the owner's lock
    remote_nodes: "HAKMEM_REMOTE_NODES" = number (65_536, 0..=65_536);
    /// list nodes for the pool's lock-free slot lists; when they run out the locked search finds the slots
    slot_nodes: "HAKMEM_SLOT_NODES" = number (16_384, 0..=16_384);
    /// milliseconds that free memory which no slow path used stays resident; 0: none stays; -1: all stays
    decay_ms: "HAKMEM_DECAY_MS" = number (1000, -1..=3_600_000) live;
    /// 1: magazine depths and how fast idle memory goes are learned, within a budget; 0: defaults, no budget
    learn: "HAKMEM_LEARN" = number (1, 0..=1);
    /// 1: one line on stderr for each decision of the learner, with its evidence
    learn_log: "HAKMEM_LEARN_LOG" = number (0, 0..=1) live;
    /// what to start from, as hak_policy_print wrote it: decay=16,C19=1088
    policy: "HAKMEM_POLICY" = text ("");
    /// 1: a thread named "hakmem" gives free memory back while the program is idle
    background: "HAKMEM_BACKGROUND" = number (0, 0..=1);
    /// give everything free back when blocks and free memory come to more than this; 0: none
    soft_limit: "HAKMEM_SOFT_LIMIT" = bytes (0) live;
    /// requests fail with ENOMEM rather than map more than this; 0: none
    hard_limit: "HAKMEM_HARD_LIMIT" = bytes (0) live;
    /// give everything free back when the kernel reports memory pressure; auto: only the background thread asks; always: malloc asks too
    pressure: "HAKMEM_PRESSURE" = choice ("auto" of ["auto", "always", "never"]) live;
    /// empty SuperSlabs (2 MiB each) kept for reuse
    superslab_cache: "HAKMEM_SUPERSLAB_CACHE" = number (16, 0..=64) live;
    /// 1: every free is checked at once, blocks are chosen at random, zeroed when freed and held back for a while, with canaries behind them
    hardened: "HAKMEM_HARDENED" = number (0, 0..=1);
    /// bytes of freed blocks that each thread holds back before they are used again, with HAKMEM_HARDENED=1
    quarantine: "HAKMEM_QUARANTINE" = bytes (262_144);
    /// every Nth slow-path allocation of up to a page lies between guard pages; 0: none
    guard_rate: "HAKMEM_GUARD_RATE" = number (0, 0..=1_000_000_000);
    /// 1: reports show the stacks of the allocation and the free of the block, with HAKMEM_HARDENED or HAKMEM_GUARD_RATE
    trace: "HAKMEM_TRACE" = number (0, 0..=1);
    /// huge pages for SuperSlabs: auto: only in a large heap full of tiny blocks, if the system gives them unasked; always: asked for; never
    thp: "HAKMEM_THP" = choice ("auto" of ["auto", "always", "never"]) live;
    /// 1: one line on stderr for each slab taken from the shared pool, 64 at most
    ss_acquire_debug: "HAKMEM_SS_ACQUIRE_DEBUG" = number (0, 0..=1) live;
    /// 1: one line on stderr for each slab given back to the shared pool, 64 at most
    ss_free_debug: "HAKMEM_SS_FREE_DEBUG" = number (0, 0..=1) live;
    /// RTLD_DEEPBIND of dlopen, with which a plug-in finds libc's malloc beside ours: clear: taken out; keep: as the program says
    deepbind: "HAKMEM_DEEPBIND" = choice ("clear" of ["clear", "keep"]);
    /// statistics at exit: 1: as text to stderr; else to a file, as text, JSON or Prometheus text; see Statistics
    stats: "HAKMEM_STATS" = text ("0" of "0|1|text:PATH|json:PATH|prom:PATH") live;
    /// a signal after which the next slow path writes the statistics as HAKMEM_STATS says, and as text to stderr if it is 0
    stats_signal: "HAKMEM_STATS_SIGNAL" = choice ("none" of ["none", "USR1", "USR2", "HUP"]);
    /// 1: print this table to stderr at start
    help: "HAKMEM_HELP" = number (0, 0..=1);
}
