//! What the loader has loaded, in its order, and what that exports: without `dlsym`, which is what others may ask us for.

use core::ffi::{CStr, c_int, c_void};

use super::elf::{Dynamic, Symbols};
use crate::base::addr::Addr;

/// A loaded object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object {
    /// What its file's addresses were moved by.
    bias: usize,
    dynamic: usize,
}

struct Walk<'a> {
    code: Addr,
    name: &'a CStr,
    /// The one that holds `code`.
    holder: Option<Object>,
    /// Where a later one has the function.
    next: usize,
}

/// The object that holds `code`.
pub(crate) fn holder(code: Addr) -> Option<Object> {
    walk(code, c"").holder
}

/// The function `name` of the first object behind the one that holds `code`; null if none has it.
pub(crate) fn next_function(code: Addr, name: &CStr) -> Addr {
    Addr(walk(code, name).next)
}

fn walk(code: Addr, name: &CStr) -> Walk<'_> {
    let mut walk = Walk { code, name, holder: None, next: 0 };
    // SAFETY: `look` gets our `walk`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut walk).cast()) };
    walk
}

unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, walk: *mut c_void) -> c_int {
    // SAFETY: the loader's record, for the time of this call.
    let info = unsafe { &*info };
    // SAFETY: `walk` passed it.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    // SAFETY: the object's program headers.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    let bias = info.dlpi_addr as usize;
    let section = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC);
    let object = Object { bias, dynamic: section.map_or(0, |header| bias.wrapping_add(header.p_vaddr as usize)) };
    if walk.holder.is_some() {
        walk.next = object.function(walk.name).0;
        return (walk.next != 0).into();
    }
    let holds = |header: &&libc::Elf64_Phdr| {
        let start = bias.wrapping_add(header.p_vaddr as usize);
        header.p_type == libc::PT_LOAD && (start..start.wrapping_add(header.p_memsz as usize)).contains(&walk.code.0)
    };
    if headers.iter().any(|header| holds(&header)) {
        walk.holder = Some(object);
        return walk.name.is_empty().into();
    }
    0
}

impl Object {
    /// Where its function `name` lies; null if it exports none.
    pub(crate) fn function(self, name: &CStr) -> Addr {
        if self.dynamic == 0 {
            return Addr::NULL;
        }
        // The loader makes addresses of what the file has, but for the kernel's own object, which nobody may write to.
        let at = |value: usize| if value < self.bias { value + self.bias } else { value };
        // SAFETY: a loaded object's: it stays for the time of the call, since the caller is about to call it.
        let symbols = unsafe { Symbols::of(self.dynamic as *const Dynamic, self.bias, at) };
        Addr(symbols.map_or(0, |symbols| symbols.function(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objects_functions_are_found_and_those_of_the_ones_behind_it() {
        let here = Addr::of(an_objects_functions_are_found_and_those_of_the_ones_behind_it as fn() as *const c_void);
        let Some(program) = holder(here) else { panic!("the test is loaded") };
        assert!(program.function(c"getpid").is_null(), "it only asks for it");
        // SAFETY: a constant string.
        let said = Addr::of(unsafe { libc::dlsym(libc::RTLD_NEXT, c"getpid".as_ptr()) });
        assert!(next_function(here, c"getpid") == said);
        assert!(holder(said).is_some_and(|libc| libc != program && libc.function(c"getpid") == said));
        assert!(next_function(said, c"getpid").is_null() && next_function(here, c"no such function").is_null());
        assert!(holder(Addr(16)).is_none());
    }
}
