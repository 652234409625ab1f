//! Whose allocation it is: the innermost function that is not an allocator's or a standard library's, which only pass it on.

use super::book::{Book, Frame, Function, Stack};

/// Wrappers of malloc that many programs have.
const WRAPPERS: [&str; 10] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "strdup",
    "strndup",
    "memdup",
    "aligned_alloc",
    "posix_memalign",
    "memalign",
];
/// What programs put before those names.
const BEFORE: [&str; 9] = ["__libc_", "__gi_", "_pyobject_", "pyobject_", "__", "_", "g_", "x", "safe_"];

/// Of Rust, in whatever file it was compiled: names with their crate's in front.
const CRATES: [&str; 5] = ["alloc", "core", "std", "hashbrown", "__rustc"];

/// The beginnings of others: what languages call, Python's and Perl's own layers.
const BEGINNINGS: [&str; 9] =
    ["operator new", "__rust_", "__rdl_", "PyMem_", "_PyMem_", "_PyObject_GC_", "Perl_safesys", "__gnu_cxx::", "std::"];

/// Where standard libraries have their sources.
const SOURCES: [&str; 5] =
    ["/include/c++/", "/rustlib/src/", "/library/alloc/src/", "/library/core/src/", "/Objects/obmalloc.c"];

const OBJECTS: [&str; 5] = ["libc.so", "libstdc++.so", "libc++.so", "libhakmem.so", "ld-linux"];

/// Whether a function only passes an allocation on.
pub(crate) fn passes_on(function: &Function) -> bool {
    let name = function.name.trim_start_matches(['<', '&']);
    let of_crate = CRATES.iter().any(|of| name.strip_prefix(of).is_some_and(|rest| rest.starts_with("::")));
    let base = function.object.rsplit('/').next().unwrap_or_default();
    of_crate
        || is_wrapper(name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || SOURCES.iter().any(|folder| function.file.contains(folder))
        || function.file.starts_with("/rustc/")
        || OBJECTS.iter().any(|object| base.starts_with(object))
}

fn is_wrapper(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = BEFORE.iter().find_map(|before| name.strip_prefix(before)).unwrap_or(&name);
    WRAPPERS.contains(&plain.trim_end_matches(['0', '2', '_'])) || WRAPPERS.contains(&name.as_str())
}

/// The frame of a stack that is answerable; the innermost where none is.
pub(crate) fn site(book: &Book, stack: Stack) -> Option<(u32, Frame)> {
    let own = book.frames(stack).find(|(_, frame)| book.function(*frame).is_some_and(|function| !passes_on(function)));
    own.or_else(|| book.frames(stack).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_passes_on_is_known() {
        let function = |name: &str, object: &str, file: &str| Function {
            name: name.to_owned(),
            object: object.to_owned(),
            file: file.to_owned(),
        };
        for name in [
            "malloc",
            "xmalloc",
            "__libc_calloc",
            "g_malloc0",
            "PyMem_Malloc",
            "_PyObject_Malloc",
            "operator new",
            "alloc::alloc::alloc",
        ] {
            assert!(passes_on(&function(name, "/bin/x", "x.c")), "{name}");
        }
        assert!(passes_on(&function("<core::iter::Map<I,F> as std::Iter>::fold", "/bin/x", "")));
        assert!(passes_on(&function("_M_realloc_insert", "/bin/x", "/usr/include/c++/12/bits/vector.tcc")));
        assert!(passes_on(&function("getline", "/lib/libc.so.6", "")));
        for name in [
            "main",
            "allocate_order",
            "store::Index::add",
            "xml_parse",
            "corelib::f",
            "standard",
            "<app::T as core::Clone>::clone",
        ] {
            assert!(!passes_on(&function(name, "/bin/x", "x.c")), "{name}");
        }
    }
}
