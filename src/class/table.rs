//! The tables of the size classes, built and checked at compile time.
#![forbid(unsafe_code)]

use super::{BIN_STRIDE, CLASSES, TINY_CLASSES, TINY_MAX};
use crate::base::addr::GRANULE;

/// Bytes of a block, by class.
pub(crate) static BLOCK_SIZE: [u32; CLASSES] = SIZES;
/// Slots of a span, by class: the fewest that hold 8 blocks and leave at most 1/32 over.
pub(crate) static SLOTS: [u8; CLASSES] = build_slots();
/// Blocks of a span, by class.
pub(super) static CAPACITY: [u32; CLASSES] = build_capacity();
/// ceil(2^42 / size): `offset * r >> 42` is `offset / size` for every offset below 2^20 (a test tries all).
pub(crate) static RECIPROCAL: [u64; CLASSES] = build_reciprocal();
/// Offset of a tiny size's bin, by (size + 15) / 16.
pub(super) static TINY_BIN: [u16; TINY_MAX / 16 + 1] = build_tiny_bin();

/// Offset of a mid size's bin, by (size - 1) / 256: mid classes are multiples of 256.
pub(super) static MID_BIN: [u16; GRANULE / 256] = build_mid_bin();

const SIZES: [u32; CLASSES] = build_sizes();

const fn build_sizes() -> [u32; CLASSES] {
    let mut sizes = [0; CLASSES];
    let mut class = 0;
    while class < 8 {
        sizes[class] = 16 * (class as u32 + 1);
        class += 1;
    }
    while class < CLASSES {
        let doubling = (class - 8) / 4;
        let step = (class - 8) % 4 + 1;
        sizes[class] = (128 << doubling) + (32 << doubling) * step as u32;
        class += 1;
    }
    sizes
}

const fn build_slots() -> [u8; CLASSES] {
    let mut all = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let size = SIZES[class] as usize;
        let mut slots = if class < TINY_CLASSES { 1 } else { 2 };
        while slots * GRANULE / size < 8 || (slots * GRANULE) % size * 32 > slots * GRANULE {
            slots += 1;
        }
        all[class] = slots as u8;
        class += 1;
    }
    all
}

const fn build_capacity() -> [u32; CLASSES] {
    let mut all = [0; CLASSES];
    let slots = build_slots();
    let mut class = 0;
    while class < CLASSES {
        all[class] = (slots[class] as usize * GRANULE) as u32 / SIZES[class];
        class += 1;
    }
    all
}

const fn build_reciprocal() -> [u64; CLASSES] {
    let mut all = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        all[class] = (1u64 << 42).div_ceil(SIZES[class] as u64);
        class += 1;
    }
    all
}

const fn build_tiny_bin() -> [u16; TINY_MAX / 16 + 1] {
    let mut all = [0; TINY_MAX / 16 + 1];
    let mut index = 1;
    while index <= TINY_MAX / 16 {
        let mut class = 0;
        while (SIZES[class] as usize) < index * 16 {
            class += 1;
        }
        all[index] = (class * BIN_STRIDE) as u16;
        index += 1;
    }
    all
}

const fn build_mid_bin() -> [u16; GRANULE / 256] {
    let mut all = [0; GRANULE / 256];
    let mut index = TINY_MAX / 256;
    while index < all.len() {
        let mut class = TINY_CLASSES;
        while (SIZES[class] as usize) < (index + 1) * 256 {
            class += 1;
        }
        all[index] = (class * BIN_STRIDE) as u16;
        index += 1;
    }
    all
}

const _: () = {
    assert!(SIZES[TINY_CLASSES - 1] == 1024 && SIZES[TINY_CLASSES] == 1280, "tiny ends at 1024");
    assert!(SIZES[CLASSES - 1] as usize == GRANULE, "mid ends at 64 KiB");
    let slots = build_slots();
    let mut class = 0;
    while class < CLASSES {
        assert!(SIZES[class].is_multiple_of(16), "every block is 16-byte aligned");
        assert!(class < TINY_CLASSES || SIZES[class].is_multiple_of(256), "MID_BIN tells mid classes apart");
        assert!(slots[class] <= 16, "a span is at most half a SuperSlab");
        class += 1;
    }
};
