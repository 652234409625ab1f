//! From addresses to functions and lines, those that the compiler inlined among them.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use object::read::ReadCache;
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use super::debug_file;
use super::names::readable;
use super::pprof::Mapping;

/// One call on a stack, as it is shown.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    pub(crate) function: String,
    /// Source file, and line in it; empty and 0 where that is not known.
    pub(crate) file: String,
    pub(crate) line: u32,
    /// The file that was loaded.
    pub(crate) object: String,
    /// Its code is within its caller's.
    pub(crate) inlined: bool,
}

/// Files that were looked into.
#[derive(Default)]
pub(crate) struct Resolver {
    /// Below which a process's files are: of one in a container, `/proc/PID/root`.
    root: PathBuf,
    objects: HashMap<(String, String), Option<Binary>>,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

struct Binary {
    /// File offset, size and address of what is loaded.
    segments: Vec<(u64, u64, u64)>,
    lines: Option<Loader>,
    symbols: Vec<Symbol>,
}

/// Of the symbol table, by address.
struct Symbol {
    address: u64,
    size: u64,
    name: String,
}

impl Resolver {
    pub(crate) fn below(root: PathBuf) -> Resolver {
        Resolver { root, ..Resolver::default() }
    }

    /// The calls at an address, innermost first; never none.
    pub(crate) fn resolve(&mut self, mapping: Option<&Mapping>, address: u64) -> Vec<Named> {
        let Some(mapping) = mapping.filter(|mapping| !mapping.file.is_empty()) else {
            return vec![Named { function: format!("[{address:#x}]"), ..Named::default() }];
        };
        let offset = address.wrapping_sub(mapping.start).wrapping_add(mapping.offset);
        let key = (mapping.file.clone(), mapping.build_id.clone());
        if !self.objects.contains_key(&key) {
            let opened = self.open(mapping);
            self.objects.insert(key.clone(), opened);
        }
        let mut calls = match self.objects.get(&key) {
            Some(Some(binary)) => binary.calls(offset),
            _ => Vec::new(),
        };
        if calls.is_empty() {
            let base = mapping.file.rsplit('/').next().unwrap_or_default();
            calls.push(Named { function: format!("{base}+{offset:#x}"), ..Named::default() });
        }
        for call in &mut calls {
            call.object.clone_from(&mapping.file);
        }
        calls
    }

    fn open(&mut self, mapping: &Mapping) -> Option<Binary> {
        // The kernel's own page of code has no file.
        if !mapping.file.starts_with('/') {
            return None;
        }
        let mut path = self.root.clone().into_os_string();
        path.push(&mapping.file);
        let path = Path::new(&path);
        if !path.is_file() {
            self.warnings.push(format!("{} is not there any more: its functions have no names", mapping.file));
            return None;
        }
        let id = debug_file::build_id(path);
        if id.is_some_and(|id| !mapping.build_id.is_empty() && id != mapping.build_id) {
            self.warnings.push(format!("{} was built anew since: its functions have no names", mapping.file));
            return None;
        }
        Binary::open(path)
    }
}

impl Binary {
    fn open(path: &Path) -> Option<Binary> {
        let cache = ReadCache::new(File::open(path).ok()?);
        let elf = object::File::parse(&cache).ok()?;
        let segments = elf
            .segments()
            .map(|segment| {
                let (offset, size) = segment.file_range();
                (offset, size, segment.address())
            })
            .collect();
        let separate = debug_file::separate(path);
        let lines = match &separate {
            Some(debug) => Loader::new_with_sup(&debug.path, debug.shared.as_ref()).ok(),
            None => Loader::new_with_sup(path, debug_file::shared(path)).ok(),
        };
        let mut symbols = symbols(&elf);
        if let Some(debug) = separate {
            let cache = ReadCache::new(File::open(&debug.path).ok()?);
            symbols.extend(object::File::parse(&cache).ok().iter().flat_map(symbols_of));
        }
        // Of several at an address, the longest name is said first: `__libc_malloc` and `malloc` are one.
        symbols.sort_by(|a, b| a.address.cmp(&b.address).then(a.size.cmp(&b.size)));
        Some(Binary { segments, lines, symbols })
    }

    /// Those at an offset of the file, innermost first; names without lines where there is no debug information.
    fn calls(&self, offset: u64) -> Vec<Named> {
        let segment = self.segments.iter().find(|(start, size, _)| offset.wrapping_sub(*start) < *size);
        let Some((start, _, base)) = segment else { return Vec::new() };
        let address = offset - start + base;
        let mut calls = self.lines(address).unwrap_or_default();
        let symbol = self.symbol(address);
        // Assembly has lines and no functions.
        match (calls.last_mut(), symbol) {
            (Some(outer), Some(symbol)) if outer.function.is_empty() => outer.function = readable(symbol),
            (None, Some(symbol)) => calls.push(Named { function: readable(symbol), ..Named::default() }),
            _ => {}
        }
        calls.retain(|call| !call.function.is_empty());
        calls
    }

    fn lines(&self, address: u64) -> Option<Vec<Named>> {
        let mut frames = self.lines.as_ref()?.find_frames(address).ok()?;
        let mut calls = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref().and_then(|name| name.raw_name().ok());
            let location = frame.location.as_ref();
            calls.push(Named {
                function: name.map(|name| readable(&name)).unwrap_or_default(),
                file: location.and_then(|at| at.file).unwrap_or_default().to_owned(),
                line: location.and_then(|at| at.line).unwrap_or_default(),
                object: String::new(),
                inlined: true,
            });
        }
        if let Some(outer) = calls.last_mut() {
            outer.inlined = false;
        }
        Some(calls)
    }

    fn symbol(&self, address: u64) -> Option<&str> {
        let after = self.symbols.partition_point(|symbol| symbol.address <= address);
        let symbol = self.symbols.get(after.checked_sub(1)?)?;
        // Without a size, as hand-written assembly has it: up to the next.
        (symbol.size == 0 || address - symbol.address < symbol.size).then_some(symbol.name.as_str())
    }
}

fn symbols<'a>(elf: &impl Object<'a>) -> Vec<Symbol> {
    symbols_of(elf).collect()
}

fn symbols_of<'a>(elf: &impl Object<'a>) -> impl Iterator<Item = Symbol> {
    let all = elf.symbols().chain(elf.dynamic_symbols());
    let code = all.filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    let named = code.filter_map(|symbol| {
        let name = symbol.name().ok().filter(|name| !name.is_empty())?;
        Some(Symbol { address: symbol.address(), size: symbol.size(), name: name.to_owned() })
    });
    named.collect::<Vec<_>>().into_iter()
}
