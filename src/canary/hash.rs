//! A hash of an address that only this process can compute: four rounds of AES where the machine has them, else SipHash-1-3.

use core::sync::atomic::Ordering;

use crate::base::addr::Addr;
use crate::os;
use crate::os::lock::Mutex;
use crate::os::sealed::SEALED;

static MAKING: Mutex<()> = Mutex::new(());

/// What `SEALED.kind` says of the keys there: round keys; of SipHash's key the first two words.
const UNMADE: u32 = 0;
const SIP: u32 = 1;
const AES: u32 = 2;

/// The hash of `at`.
#[inline(always)]
pub(crate) fn of(at: Addr) -> u64 {
    // Acquire pairs with the Release in `make`: the keys are there.
    match SEALED.kind.load(Ordering::Acquire) {
        AES => aes(at.0 as u64),
        SIP => sip(at.0 as u64),
        _ => make_and_hash(at),
    }
}

/// The same, if that takes no call.
#[inline(always)]
pub(crate) fn at_once(at: Addr) -> Option<u64> {
    // Acquire: as in `of`.
    (SEALED.kind.load(Ordering::Acquire) == AES).then(|| aes(at.0 as u64))
}

#[cold]
#[inline(never)]
fn make_and_hash(at: Addr) -> u64 {
    make();
    of(at)
}

/// Draws the keys, unless that was done: before the constructor ends.
pub(crate) fn make() {
    let _once = MAKING.lock();
    // Relaxed: the lock orders us after whoever made them.
    if SEALED.kind.load(Ordering::Relaxed) != UNMADE {
        return;
    }
    // SAFETY: nobody reads the keys before the store below; the lock keeps other writers out.
    unsafe { SEALED.keys.get().write(os::random()) };
    SEALED.kind.store(if has_aes() { AES } else { SIP }, Ordering::Release);
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[allow(unused_unsafe, reason = "a safe function since Rust 1.92")]
fn has_aes() -> bool {
    // SAFETY: every x86-64 has this leaf.
    unsafe { core::arch::x86_64::__cpuid(1) }.ecx & 1 << 25 != 0
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn has_aes() -> bool {
    false
}

/// By assembly: the library is built for every x86-64, and a function for those with AES could not be inlined.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn aes(word: u64) -> u64 {
    let hash: u64;
    // SAFETY: reads the keys, 80 bytes at a multiple of 16, on a processor that has these instructions (`AES`).
    unsafe {
        core::arch::asm!(
            "movq {x}, {word}",
            "pxor {x}, [{keys}]",
            "aesenc {x}, [{keys} + 16]",
            "aesenc {x}, [{keys} + 32]",
            "aesenc {x}, [{keys} + 48]",
            "aesenc {x}, [{keys} + 64]",
            "movq {hash}, {x}",
            x = out(xmm_reg) _,
            word = in(reg) word,
            keys = in(reg) SEALED.keys.get(),
            hash = lateout(reg) hash,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    hash
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn aes(word: u64) -> u64 {
    sip(word)
}

#[cold]
#[inline(never)]
fn sip(word: u64) -> u64 {
    // SAFETY: made, and not written any more.
    let [low, high, ..] = unsafe { *SEALED.keys.get() };
    sip_with(low, high, word)
}

/// SipHash-1-3 of one word.
fn sip_with(low: u64, high: u64, word: u64) -> u64 {
    let mut v = [
        low ^ 0x736F_6D65_7073_6575,
        high ^ 0x646F_7261_6E64_6F6D,
        low ^ 0x6C79_6765_6E65_7261,
        high ^ 0x7465_6462_7974_6573,
    ];
    for block in [word, 8 << 56] {
        v[3] ^= block;
        round(&mut v);
        v[0] ^= block;
    }
    v[2] ^= 0xFF;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn round(v: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *v;
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    *v = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hasher;

    #[test]
    fn sip_is_that_of_the_standard_library() {
        for word in [0, 1, 0x7F00_1234_5670, u64::MAX] {
            let mut standard = std::collections::hash_map::DefaultHasher::new();
            standard.write_u64(word);
            assert_eq!(sip_with(0, 0, word), standard.finish());
        }
    }

    #[test]
    fn a_hash_tells_nothing_of_its_neighbours() {
        let first = of(Addr(0x7F00_0000_0000));
        let mut bits = [0u32; 64];
        for step in 1..=256usize {
            let other = first ^ of(Addr(0x7F00_0000_0000 + 16 * step));
            for (bit, count) in bits.iter_mut().enumerate() {
                *count += (other >> bit & 1) as u32;
            }
        }
        // Each bit of the difference is a coin: 128 of 256, by six standard deviations.
        assert!(bits.iter().all(|&count| (80..176).contains(&count)), "{bits:?}");
        assert_eq!(first, of(Addr(0x7F00_0000_0000)));
    }
}
