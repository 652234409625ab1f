//! `Commons`: where large blocks lie when closed pages have taken all the mappings they may: side by side in mappings that stay as they are. So one that
//! is freed between two others parts them only for as long as it is held back, closed, and the kernel's number of mappings is never reached.

use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::meta;
use crate::os;
use crate::os::closed;
use crate::os::lock::Mutex;
use crate::os::names::{self, Name};
use crate::region::{self, Region};
use crate::superslab;

/// Bytes of a field, and of the longest block in one.
const FIELD: usize = 64 << 20;
const MOST: usize = FIELD / 4;

/// A record of meta.
struct Field {
    region: Region,
    base: Addr,
    /// Bytes that blocks have, or had and are held back.
    used: usize,
    next: Addr,
}

/// # Invariants
/// - F1: the newest field's record, each of which links to an older one's; whoever holds the lock is the only one to look at them.
struct Fields(Addr);

static FIELDS: Aside<Mutex<Fields>> = Aside(Mutex::new(Fields(Addr::NULL)));

/// `bytes` bytes, whole granules, at a multiple of `align`, all zero. `None`: they are too many, addresses are limited, or there is no memory.
pub(super) fn take(bytes: usize, align: usize) -> Option<Addr> {
    if bytes > MOST || align > MOST || !closed::has_addresses() || os::quota::has_limit() {
        return None;
    }
    let mut fields = FIELDS.lock();
    let at = match fields.place(bytes, align) {
        Some(at) => at,
        None => {
            fields.add()?;
            fields.place(bytes, align)?
        }
    };
    drop(fields);
    // Whoever had a pointer into it may have written there since.
    if !os::purge(at, bytes) {
        // SAFETY: open pages that are the caller's alone.
        unsafe { at.as_ptr::<u8>().write_bytes(0, bytes) };
    }
    Some(at)
}

/// Takes back what `take` gave, of which some may be closed.
pub(super) fn give(at: Addr, bytes: usize) {
    // Refused, it is lost: nobody could use it.
    if os::unguard(at, bytes) {
        dress(at, bytes);
        FIELDS.lock().put(at, bytes);
    }
}

impl Fields {
    /// All fields. Each is looked at by nobody else until it is let go of.
    fn all(&mut self) -> impl Iterator<Item = &mut Field> {
        let mut next = self.0;
        core::iter::from_fn(move || {
            // SAFETY: null or a field's record, ours alone by F1; each comes by once.
            let field = unsafe { next.as_ptr::<Field>().as_mut() }?;
            next = field.next;
            Some(field)
        })
    }

    fn place(&mut self, bytes: usize, align: usize) -> Option<Addr> {
        self.all().find_map(|field| {
            let at = field.region.acquire(bytes / GRANULE, align)?;
            field.used += bytes;
            Some(at)
        })
    }

    #[cold]
    fn add(&mut self) -> Option<()> {
        let record = meta::alloc(size_of::<Field>())?;
        let Some((base, region)) = lay_out() else {
            meta::free(record, size_of::<Field>());
            return None;
        };
        // SAFETY: a record of this size, ours alone.
        unsafe { record.as_ptr::<Field>().write(Field { region, base, used: 0, next: self.0 }) };
        self.0 = record;
        Some(())
    }

    fn put(&mut self, at: Addr, bytes: usize) {
        let Some(field) = self.all().find(|field| field.region.has_any_of(at, 1)) else { return };
        field.region.release(at, bytes / GRANULE);
        field.used -= bytes;
        // One that is empty stays for the next block.
        if field.used == 0 && self.all().filter(|field| field.used == 0).count() > 1 {
            self.end(at);
        }
    }

    /// Ends the field that holds `at`, which is empty.
    #[cold]
    fn end(&mut self, at: Addr) {
        let (mut before, mut found) = (None, None);
        for field in self.all() {
            if field.region.has_any_of(at, 1) {
                found = Some(field);
                break;
            }
            before = Some(field);
        }
        let Some(field) = found.filter(|field| os::unmap(field.base, FIELD)) else { return };
        field.region.end();
        let (record, next) = (Addr::of(field), field.next);
        match before {
            Some(before) => before.next = next,
            None => self.0 = next,
        }
        meta::free(record, size_of::<Field>());
    }
}

/// Says what is mapped there, and of what pages it is to be.
pub(super) fn dress(base: Addr, mapped: usize) {
    names::give(base, mapped, Name::Large);
    superslab::advise_large(base, mapped);
}

fn lay_out() -> Option<(Addr, Region)> {
    let base = os::map_aligned(Addr::NULL, FIELD, GRANULE)?;
    let region = region::extent(base, FIELD).and_then(Region::new);
    if region.is_none() {
        os::unmap(base, FIELD);
    }
    dress(base, FIELD);
    Some((base, region?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_block_freed_is_room_for_others_and_all_of_them_are_zero() {
        let bytes = 5 * GRANULE;
        let one = |at: Addr| {
            // SAFETY: a block of the test's.
            let word = unsafe { &mut *at.as_ptr::<u64>() };
            core::mem::replace(word, 1)
        };
        let mut blocks: std::vec::Vec<_> = (0..600).map_while(|_| take(bytes, GRANULE)).collect();
        assert!(blocks.len() == 600 && blocks.iter().all(|&at| one(at) == 0));
        let fields = FIELDS.lock().all().count();
        assert_eq!(fields, 600usize.div_ceil(FIELD / bytes));
        for _ in 0..3 {
            let (mut kept, mut freed) = (std::vec::Vec::new(), std::vec::Vec::new());
            for (n, &at) in blocks.iter().enumerate() {
                if n % 2 == 0 { kept.push(at) } else { freed.push(at) }
            }
            freed.iter().for_each(|&at| give(at, bytes));
            kept.extend(freed.iter().map_while(|_| take(bytes, GRANULE)).inspect(|&at| assert_eq!(one(at), 0)));
            blocks = kept;
            assert!(blocks.len() == 600 && FIELDS.lock().all().count() == fields);
        }
        blocks.sort_unstable_by_key(|at| at.0);
        assert!(blocks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= bytes));
        blocks.iter().for_each(|&at| give(at, bytes));
        assert!(FIELDS.lock().all().map(|field| field.used).eq([0]));
        assert!(take(MOST + GRANULE, GRANULE).is_none() && take(bytes, 2 * MOST).is_none());
    }
}
