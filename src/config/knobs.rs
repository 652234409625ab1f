//! The one table of switches: name, default, range and help stand here and nowhere else.
#![forbid(unsafe_code)]

#[allow(unused_imports, reason = "no switch is a text yet")]
use super::value::Store;
use super::value::{Kind, Knob};

macro_rules! kind {
    (number $default:literal, $min:literal..=$max:expr) => { Kind::Number { default: $default, min: $min, max: $max } };
    (bytes $default:literal) => { Kind::Bytes { default: $default } };
    (choice $default:literal of [$($name:literal),+]) => { Kind::Choice { default: $default, names: &[$($name),+] } };
    (text $default:literal) => {{
        static STORE: Store = Store::new();
        Kind::Text { default: $default, store: &STORE }
    }};
}

macro_rules! knobs {
    ($($(#[doc = $help:literal])+ $field:ident: $name:literal = $kind:ident ($($spec:tt)+);)*) => {
        #[expect(non_camel_case_types, reason = "an index named as its getter")]
        #[derive(Clone, Copy)]
        enum Index { $($field),* }

        const COUNT: usize = [$($name),*].len();
        pub(crate) static KNOBS: [Knob; COUNT] =
            [$(Knob::new($name, kind!($kind $($spec)+), concat!($($help),+))),*];

        /// Getters, one for each knob: a number, a count of bytes, the index of a choice.
        pub(crate) mod get {
            $($(#[doc = $help])+ pub(crate) fn $field() -> i64 {
                super::KNOBS.get(super::Index::$field as usize).map_or(0, super::Knob::get)
            })*
        }
    };
}

knobs! {
    /// 1: tiny blocks through T-HEAP, the per-thread magazines; 0: through the baseline boxes only
    tiny_heap_v2: "HAKMEM_TINY_HEAP_V2" = number (1, 0..=1);
    /// classes that T-HEAP serves, a bit each (C0 is bit 0); the others go through the baseline
    tiny_heap_v2_class_mask: "HAKMEM_TINY_HEAP_V2_CLASS_MASK" = number (0xFFFFF, 0..=0xFFFFF);
    /// 1: print T-HEAP's counters by class at exit
    tiny_heap_v2_stats: "HAKMEM_TINY_HEAP_V2_STATS" = number (0, 0..=1);
    /// 1: the baseline's FastCache works without the SLL behind it
    tiny_front_direct: "HAKMEM_TINY_FRONT_DIRECT" = number (0, 0..=1);
    /// frees of a class after which the baseline drains that class's SLL into its spans
    tiny_sll_drain_interval: "HAKMEM_TINY_SLL_DRAIN_INTERVAL" = number (1024, 1..=1_000_000);
    /// batch nodes for frees by other threads; when they run out each such free takes the owner's lock
    remote_nodes: "HAKMEM_REMOTE_NODES" = number (65_536, 0..=65_536);
    /// list nodes for the pool's lock-free slot lists; when they run out the locked search finds the slots
    slot_nodes: "HAKMEM_SLOT_NODES" = number (16_384, 0..=16_384);
    /// milliseconds that free memory which no slow path used stays resident; 0: none stays; -1: all stays
    decay_ms: "HAKMEM_DECAY_MS" = number (1000, -1..=3_600_000);
    /// empty SuperSlabs (2 MiB each) kept for reuse
    superslab_cache: "HAKMEM_SUPERSLAB_CACHE" = number (16, 0..=64);
    /// 1: one line on stderr for each slab taken from the shared pool, 64 at most
    ss_acquire_debug: "HAKMEM_SS_ACQUIRE_DEBUG" = number (0, 0..=1);
    /// 1: one line on stderr for each slab given back to the shared pool, 64 at most
    ss_free_debug: "HAKMEM_SS_FREE_DEBUG" = number (0, 0..=1);
    /// 1: print statistics to stderr at exit
    stats: "HAKMEM_STATS" = number (0, 0..=1);
    /// 1: print this table to stderr at start
    help: "HAKMEM_HELP" = number (0, 0..=1);
}
