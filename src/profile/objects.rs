//! What is loaded: the program and its libraries, their code's addresses, files and build ids, for who reads the profile.

use core::ffi::{CStr, c_int, c_void};

use crate::os::file::read_link;

const NAME: usize = 224;
const BUILD: usize = 32;
/// Objects that are told of. Frames of others have an address, and nothing else.
const COUNT: usize = 1024;

/// A run of pages of code.
pub(super) struct Object {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) offset: usize,
    /// What its file's addresses were moved by.
    pub(super) bias: usize,
    name: [u8; NAME],
    name_len: usize,
    build: [u8; BUILD],
    build_len: usize,
}

/// All zero is none.
pub(super) struct Objects {
    all: [Object; COUNT],
    len: usize,
}

impl Object {
    /// The file's path.
    pub(super) fn name(&self) -> &[u8] {
        self.name.get(..self.name_len).unwrap_or_default()
    }

    /// The linker's hash of it; empty if it made none.
    pub(super) fn build(&self) -> &[u8] {
        self.build.get(..self.build_len).unwrap_or_default()
    }
}

impl Objects {
    /// Looks at what is loaded now. Takes the loader's lock.
    pub(super) fn take(&mut self) {
        self.len = 0;
        // SAFETY: `look` gets `self`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(look), core::ptr::from_mut(self).cast()) };
    }

    pub(super) fn all(&self) -> &[Object] {
        self.all.get(..self.len).unwrap_or_default()
    }

    /// The number of the object that holds `at`, from 1; 0 if none does.
    pub(super) fn number(&self, at: usize) -> usize {
        self.all().iter().position(|object| (object.start..object.end).contains(&at)).map_or(0, |index| index + 1)
    }
}

unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, objects: *mut c_void) -> c_int {
    // SAFETY: the loader's record, for the time of this call.
    let info = unsafe { &*info };
    // SAFETY: `take` passed it.
    let objects = unsafe { &mut *objects.cast::<Objects>() };
    // SAFETY: the object's program headers.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    let bias = info.dlpi_addr as usize;
    // The program comes first, and may have its code in several pieces, as node has.
    let first = objects.len == 0;
    for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0) {
        let Some(object) = objects.all.get_mut(objects.len) else { return 1 };
        let start = bias.wrapping_add(header.p_vaddr as usize);
        // As the kernel maps it: whole pages, of which the smallest there are divide all.
        let before = start & 4095;
        object.start = start - before;
        object.end = start.wrapping_add(header.p_memsz as usize);
        object.offset = (header.p_offset as usize).wrapping_sub(before);
        object.bias = bias;
        let name: &[u8] = if info.dlpi_name.is_null() {
            b""
        } else {
            // SAFETY: the loader's string, of an object that is loaded.
            unsafe { CStr::from_ptr(info.dlpi_name) }.to_bytes()
        };
        object.name_len = match name {
            // The program's own file, which the loader has no name for.
            b"" if first => read_link(c"/proc/self/exe", &mut object.name).len(),
            b"" => copy(b"[vdso]", &mut object.name),
            name => copy(name, &mut object.name),
        };
        object.build_len = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_NOTE)
            .map(|header| {
                let at = bias.wrapping_add(header.p_vaddr as usize) as *const u8;
                // SAFETY: a loaded object's notes, which its headers say are there.
                let notes = unsafe { core::slice::from_raw_parts(at, header.p_memsz as usize) };
                copy(build_id(notes, header.p_align as usize), &mut object.build)
            })
            .find(|&len| len > 0)
            .unwrap_or(0);
        objects.len += 1;
    }
    0
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    from.len().min(to.len())
}

/// The hash among an object's notes: each has three numbers, its owner's name and what it says, the latter two padded.
fn build_id(mut notes: &[u8], align: usize) -> &[u8] {
    const BUILD_ID: u32 = 3;
    let number = |notes: &[u8], index: usize| {
        let bytes = notes.get(4 * index..4 * index + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize)
    };
    let pad = |len: usize| if align == 8 { (len + 7) & !7 } else { (len + 3) & !3 };
    while let (Some(name), Some(len), Some(kind)) = (number(notes, 0), number(notes, 1), number(notes, 2)) {
        let says = pad(12 + name);
        if kind == BUILD_ID as usize && notes.get(12..12 + name) == Some(b"GNU\0") {
            return notes.get(says..says + len).unwrap_or_default();
        }
        notes = notes.get(pad(says + len)..).unwrap_or_default();
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let mut notes = std::vec::Vec::new();
        for (kind, name, says) in [(1_u32, "GNU\0", &[9_u8; 16][..]), (3, "Go\0\0", &[8; 4]), (3, "GNU\0", &[7; 20])] {
            notes.extend((name.len() as u32).to_ne_bytes());
            notes.extend((says.len() as u32).to_ne_bytes());
            notes.extend(kind.to_ne_bytes());
            notes.extend(name.as_bytes());
            notes.extend(says);
        }
        assert_eq!(build_id(&notes, 4), [7; 20]);
        assert_eq!(build_id(notes.get(..60).unwrap_or_default(), 4), []);
    }

    #[test]
    fn the_test_itself_is_among_what_is_loaded() {
        // SAFETY: zeroes are valid.
        let mut objects = std::boxed::Box::new(unsafe { core::mem::zeroed::<Objects>() });
        objects.take();
        let here = the_test_itself_is_among_what_is_loaded as fn() as usize;
        let number = objects.number(here);
        let own = objects.all().get(number - 1).unwrap();
        assert_eq!(own.name(), std::env::current_exe().unwrap().as_os_str().as_encoded_bytes());
        assert!(objects.number(1) == 0 && objects.all().len() > 2);
    }
}
