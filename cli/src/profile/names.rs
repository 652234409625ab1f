//! Names of functions as their programmers wrote them.

use cpp_demangle::{DemangleOptions, Symbol};

/// Without parameters and what a function returns, both of which C++ has and only fills the picture; without Rust's hash.
pub(crate) fn readable(symbol: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(symbol) {
        return format!("{name:#}");
    }
    let plain = without_clone(symbol);
    if plain.starts_with("_Z") || plain.starts_with("__Z") {
        let options = DemangleOptions::new().no_params().no_return_type();
        let name = Symbol::new(plain).ok().and_then(|symbol| symbol.demangle_with_options(&options).ok());
        if let Some(name) = name {
            return usual(&name);
        }
    }
    plain.to_owned()
}

/// C++'s names as one writes them: `std::string`, and no allocator where it is the usual one.
fn usual(name: &str) -> String {
    const STRING: &str = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    let mut name = name.replace(STRING, "std::string").replace("std::__cxx11::", "std::").replace("[abi:cxx11]", "");
    const USUAL: &str = ", std::allocator<";
    while let Some(begin) = name.find(USUAL) {
        let inside = name.get(begin + USUAL.len()..).unwrap_or_default();
        let Some(length) = closing(inside) else { break };
        name.replace_range(begin..begin + USUAL.len() + length + 1, "");
    }
    while name.contains("> >") {
        name = name.replace("> >", ">>");
    }
    name.replace(" >", ">")
}

/// Where the bracket ends that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(at, char)| {
        open += match char {
            '<' => 1,
            '>' => -1,
            _ => 0,
        };
        (open == 0).then_some(at)
    })
}

/// GCC's and LLVM's copies of a function are that function: `f.constprop.0`, `f.part.3.cold`, `malloc@@GLIBC_2.2.5`.
fn without_clone(symbol: &str) -> &str {
    let symbol = symbol.split('@').next().unwrap_or(symbol);
    const MARKS: [&str; 6] = [".constprop.", ".isra.", ".part.", ".cold", ".lto_priv.", ".llvm."];
    let end = MARKS.iter().filter_map(|mark| symbol.find(mark)).filter(|&at| at > 0).min();
    end.and_then(|end| symbol.get(..end)).unwrap_or(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_programmers_write_them() {
        for (symbol, name) in [
            ("malloc", "malloc"),
            ("calloc@@GLIBC_2.2.5", "calloc"),
            ("f.constprop.0.isra.0", "f"),
            (".text", ".text"),
            ("_ZN3app5StoreIiE3addEi", "app::Store<int>::add"),
            ("_ZN3app4growEv.part.0", "app::grow"),
            ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int>::push_back"),
            ("_ZN5ShelfISt6vectorIcSaIcEEE4fillEi", "Shelf<std::vector<char>>::fill"),
            ("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE7reserveEm", "std::string::reserve"),
            ("_ZN4shop6renderB5cxx11ERKNS_5OrderE", "shop::render"),
            ("_ZN4core3ptr4read17h0123456789abcdefE", "core::ptr::read"),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_Zbroken", "_Zbroken"),
        ] {
            assert_eq!(readable(symbol), name);
        }
    }
}
