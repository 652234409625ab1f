//! The tables of the size classes, built and checked at compile time.
#![forbid(unsafe_code)]

use crate::base::addr::GRANULE;

/// Classes C0..C19: 16..128 by 16, then four per doubling to 1024 bytes.
pub(crate) const TINY_CLASSES: usize = 20;
/// Classes C0..C67: tiny, then mid, eight per doubling from 1152 bytes to 64 KiB.
pub(crate) const MID_CLASSES: usize = 68;
/// All classes: tiny, mid, then big, eight per doubling to 1 MiB.
pub(crate) const CLASSES: usize = 100;
/// Bytes from one class's bin to the next in a heap. Hot paths and page-map tags hold classes premultiplied by it.
pub(crate) const BIN_STRIDE: usize = 32;
/// Bytes of the largest tiny block.
pub(crate) const TINY_MAX: usize = 1024;
pub(crate) const MID_MAX: usize = 64 << 10;
pub(crate) const BIG_MAX: usize = 1 << 20;

/// Bytes of a block, by class.
pub(crate) static BLOCK_SIZE: [u32; CLASSES] = SIZES;
/// Slots of a span, by class: the fewest that hold enough blocks and leave little enough over (`has_room`).
pub(crate) static SLOTS: [u8; CLASSES] = build_slots();
/// Blocks of a span, by class.
pub(super) static CAPACITY: [u32; CLASSES] = build_capacity();
/// ceil(2^42 / size): `offset * r >> 42` is `offset / size` for every offset below 2^20 (a test tries all).
pub(crate) static RECIPROCAL: [u64; CLASSES] = build_reciprocal();
/// Offset of a tiny or mid size's bin, by (size + 15) / 16: 8 KiB, of which a program touches a line for each half KiB of
/// sizes that it uses. Mid sizes in a table of their own, by 128, cost them two instructions and a jump.
pub(super) static SMALL_BIN: [u16; MID_MAX / 16 + 1] = build_small_bin();

/// Sizes above `MID_MAX` that share an entry of `BIG_BIN`: big classes are multiples of it.
pub(super) const BIG_STEP: usize = 8 << 10;
/// Offset of a big size's bin, by (size - 1) / BIG_STEP.
pub(super) static BIG_BIN: [u16; BIG_MAX / BIG_STEP] = build_big_bin();

const SIZES: [u32; CLASSES] = build_sizes();

/// How many classes have blocks of `size` bytes at most.
pub(super) const fn classes_up_to(size: usize) -> usize {
    let mut class = 0;
    while class < CLASSES && SIZES[class] as usize <= size {
        class += 1;
    }
    class
}

const fn build_sizes() -> [u32; CLASSES] {
    let mut sizes = [0; CLASSES];
    let mut class = 0;
    while class < 8 {
        sizes[class] = 16 * (class as u32 + 1);
        class += 1;
    }
    while class < TINY_CLASSES {
        let (doubling, step) = ((class - 8) / 4, (class - 8) % 4 + 1);
        sizes[class] = (128 << doubling) + (32 << doubling) * step as u32;
        class += 1;
    }
    while class < CLASSES {
        let (doubling, step) = ((class - TINY_CLASSES) / 8, (class - TINY_CLASSES) % 8 + 1);
        sizes[class] = (1024 << doubling) + (128 << doubling) * step as u32;
        class += 1;
    }
    sizes
}

/// Whether `slots` are enough for a span of `class`: for 8 blocks with at most 1/32 left over; from 16 KiB on, where a span
/// is many pages to hold for a few blocks, for 4 with 1/16; of a big class for 1 with 1/10.
const fn has_room(class: usize, slots: usize) -> bool {
    let (bytes, size) = (slots * GRANULE, SIZES[class] as usize);
    let (blocks, over) = if class < TINY_CLASSES {
        (8, 32)
    } else if size <= 16 << 10 {
        (if slots < 2 { usize::MAX } else { 8 }, 32)
    } else if class < MID_CLASSES {
        (4, 16)
    } else {
        (1, 10)
    };
    bytes / size >= blocks && bytes % size * over <= bytes
}

const fn build_slots() -> [u8; CLASSES] {
    let mut all = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let mut slots = 1;
        while !has_room(class, slots) {
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

const fn build_small_bin() -> [u16; MID_MAX / 16 + 1] {
    let mut all = [0; MID_MAX / 16 + 1];
    let (mut index, mut class) = (1, 0);
    while index < all.len() {
        while (SIZES[class] as usize) < index * 16 {
            class += 1;
        }
        all[index] = (class * BIN_STRIDE) as u16;
        index += 1;
    }
    all
}

const fn build_big_bin() -> [u16; BIG_MAX / BIG_STEP] {
    let mut all = [0; BIG_MAX / BIG_STEP];
    let (mut index, mut class) = (MID_MAX / BIG_STEP, MID_CLASSES);
    while index < all.len() {
        while (SIZES[class] as usize) < (index + 1) * BIG_STEP {
            class += 1;
        }
        all[index] = (class * BIN_STRIDE) as u16;
        index += 1;
    }
    all
}

const _: () = {
    assert!(SIZES[TINY_CLASSES - 1] as usize == TINY_MAX && SIZES[TINY_CLASSES] == 1152, "tiny ends at 1024");
    assert!(SIZES[MID_CLASSES - 1] as usize == MID_MAX, "mid ends at 64 KiB");
    assert!(SIZES[CLASSES - 1] as usize == BIG_MAX, "big ends at 1 MiB");
    let slots = build_slots();
    let mut class = 0;
    while class < CLASSES {
        let size = SIZES[class] as usize;
        assert!(size % 16 == 0, "every block is 16-byte aligned, and SMALL_BIN tells classes apart");
        assert!(class < MID_CLASSES || size % BIG_STEP == 0, "BIG_BIN tells big classes apart");
        assert!(slots[class] <= 16, "a span is at most half a SuperSlab");
        class += 1;
    }
};
