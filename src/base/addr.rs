//! `Addr`: an address as a number, and the only place where numbers become pointers again.

/// The unit of ownership: the page map knows one owner for each 64 KiB.
pub(crate) const GRANULE: usize = 1 << GRANULE_SHIFT;
pub(crate) const GRANULE_SHIFT: u32 = 16;

/// An address. Comparing, offsetting and storing one touches no memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Addr(pub(crate) usize);

impl Addr {
    pub(crate) const NULL: Addr = Addr(0);

    pub(crate) fn of<T>(pointer: *const T) -> Addr {
        Addr(pointer.expose_provenance())
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The pointer at this address. Using it is the caller's proof; making it is not.
    pub(crate) fn as_ptr<T>(self) -> *mut T {
        core::ptr::with_exposed_provenance_mut(self.0)
    }

    pub(crate) const fn offset(self, bytes: usize) -> Addr {
        Addr(self.0.wrapping_add(bytes))
    }

    /// Bytes from `base` to this address; wraps to a huge number below `base`.
    pub(crate) const fn since(self, base: Addr) -> usize {
        self.0.wrapping_sub(base.0)
    }

    /// The number of the granule that holds this address.
    #[inline(always)]
    pub(crate) const fn granule(self) -> usize {
        self.0 >> GRANULE_SHIFT
    }

    /// Asks for the line at this address, whether there is memory or not.
    #[inline(always)]
    pub(crate) fn prefetch(self) {
        prefetch(self.as_ptr());
    }

    pub(crate) const fn is_aligned(self, to: usize) -> bool {
        self.0 & (to - 1) == 0
    }
}

/// Numbers as the addresses that they are.
pub(crate) fn slice(numbers: &[usize]) -> &[Addr] {
    // SAFETY: an `Addr` is a number, and nothing else.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) }
}

#[inline(always)]
fn prefetch(at: *const i8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint: it reads nothing and can't fault.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at)
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: likewise.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nostack, preserves_flags, readonly))
    }
    #[cfg(miri)]
    let _ = at;
}
