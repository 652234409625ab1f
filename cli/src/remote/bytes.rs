//! Numbers out of another process's memory.

/// The page size of this machine: another one's core files are not read.
pub(crate) fn page_size() -> u64 {
    // SAFETY: asks for a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

/// The eight bytes at `offset`; 0 where there are none.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let word = bytes.get(offset..offset + 8).and_then(|word| word.try_into().ok());
    word.map_or(0, u64::from_ne_bytes)
}

/// The four bytes at `offset`, likewise.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let word = bytes.get(offset..offset + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_ne_bytes)
}
