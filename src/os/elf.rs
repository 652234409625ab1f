//! What a loaded object exports, read from its own tables: no lock of the loader's, no allocation.

use core::ffi::{CStr, c_char};

/// An entry of a dynamic section: what it is, and its value.
pub(super) type Dynamic = [usize; 2];

const DT_NULL: usize = 0;
const DT_HASH: usize = 4;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_GNU_HASH: usize = 0x6fff_fef5;
const STT_FUNC: u8 = 2;

/// The dynamic symbols of one object.
pub(super) struct Symbols {
    bias: usize,
    names: *const c_char,
    table: *const libc::Elf64_Sym,
    count: usize,
}

impl Symbols {
    /// Those of the object with this dynamic section; `at` makes an address of what that gives as one.
    ///
    /// # Safety
    /// The object stays loaded, `bias` above its file's addresses, and `at` is right.
    pub(super) unsafe fn of(mut dynamic: *const Dynamic, bias: usize, at: impl Fn(usize) -> usize) -> Option<Symbols> {
        let (mut names, mut table, mut count) = (0, 0, 0);
        loop {
            // SAFETY: the section ends with DT_NULL.
            let [tag, value] = unsafe { *dynamic };
            match tag {
                DT_NULL => break,
                DT_STRTAB => names = at(value),
                DT_SYMTAB => table = at(value),
                // SAFETY: the second word of this table is the number of symbols.
                DT_HASH => count = unsafe { *(at(value) as *const u32).add(1) } as usize,
                // SAFETY: what the tag says.
                DT_GNU_HASH if count == 0 => count = unsafe { count_hashed(at(value) as *const u32) },
                _ => {}
            }
            // SAFETY: this was not the last.
            dynamic = unsafe { dynamic.add(1) };
        }
        let found = Symbols { bias, names: names as *const c_char, table: table as *const libc::Elf64_Sym, count };
        (names != 0 && table != 0).then_some(found)
    }

    /// Where the function `name` lies, 0 if there is none.
    pub(super) fn function(&self, name: &CStr) -> usize {
        for index in 0..self.count {
            // SAFETY: `count` entries are there.
            let symbol = unsafe { &*self.table.add(index) };
            // SAFETY: names are offsets into the string table, whose strings end in zero.
            let is_it = || unsafe { CStr::from_ptr(self.names.add(symbol.st_name as usize)) } == name;
            if symbol.st_shndx != 0 && symbol.st_info & 0xF == STT_FUNC && is_it() {
                return self.bias.wrapping_add(symbol.st_value as usize);
            }
        }
        0
    }
}

/// How many symbols an object has, by its GNU hash table: buckets of first indices, and chains whose last word is odd.
///
/// # Safety
/// `table` is such a table.
unsafe fn count_hashed(table: *const u32) -> usize {
    // SAFETY: the caller's, here and below.
    let word = |index: usize| unsafe { *table.add(index) } as usize;
    let (buckets, first, filter) = (word(0), word(1), word(2));
    let start = 4 + 2 * filter;
    let mut last = (start..start + buckets).map(word).max().unwrap_or(0);
    if last < first {
        return first;
    }
    while word(start + buckets + last - first) & 1 == 0 {
        last += 1;
    }
    last + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_counted_by_the_longest_chain() {
        // Two buckets, symbols from 3 on, one word of filter: bucket 0 has 3 and 4, bucket 1 has 5, 6 and 7.
        let table = [2, 3, 1, 0, 0, 0, 3, 5, 2, 3, 2, 4, 5];
        // SAFETY: a whole table.
        assert_eq!(unsafe { count_hashed(table.as_ptr()) }, 8);
        // SAFETY: one without symbols.
        assert_eq!(unsafe { count_hashed([1, 1, 1, 0, 0, 0, 0].as_ptr()) }, 1);
    }
}
