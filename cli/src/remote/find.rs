//! Finds the library's table of offsets in a process's memory: by what it begins with and its own address, not by symbols, which a stripped
//! program does not have, a core file leaves out, and a library that was replaced since has elsewhere.

use super::layout::{Layout, MAGIC, SIZE, VERSION};
use super::maps::Mapping;
use super::memory::Memory;
use crate::error::{Error, NOT_SERVED, Result};

/// Bytes looked through at a time.
const CHUNK: u64 = 1 << 20;
/// Of one mapping: what is larger is data of the program's own.
const MOST: u64 = 256 << 20;

pub(super) fn layout(memory: &Memory, name: &str) -> Result<Layout> {
    let maps = memory.maps()?;
    let is_library =
        |mapping: &&Mapping| mapping.name.rsplit('/').next().is_some_and(|file| file.starts_with("libhakmem"));
    let holds_data =
        |mapping: &&Mapping| mapping.is_file() && mapping.read && !mapping.execute && !mapping.is_special();
    let (mine, others): (Vec<&Mapping>, Vec<&Mapping>) = maps.iter().filter(holds_data).partition(is_library);
    let mut found = Vec::new();
    for mappings in [&mine, &others] {
        for mapping in mappings.iter().filter(|mapping| mapping.len() <= MOST) {
            find_in(memory, mapping, &mut found);
        }
        if !found.is_empty() {
            break;
        }
    }
    let no = |why: &str| Err(Error::with(NOT_SERVED, format!("{name} {why}")));
    if found.is_empty() {
        return if mine.is_empty() {
            no(
                "is not served by HAKMEM: no libhakmem.so is mapped, and no program with it linked in (hakmem doctor says why)",
            )
        } else {
            no(
                "has a libhakmem.so that can't be read from outside: it is older than this command, or its data is not in the file",
            )
        };
    }
    let known: Vec<Layout> = found
        .into_iter()
        .filter(|layout| layout.version == VERSION && layout.size >= SIZE as u64 && layout.is_sane())
        .collect();
    // Of two copies of the library the one that serves is the one that has heaps.
    let serves = |layout: &&Layout| memory.word(layout.heaps_at).is_some_and(|heap| heap != 0);
    match known.iter().find(serves).or(known.first()) {
        Some(layout) => Ok(layout.clone()),
        None => no("has a HAKMEM of another version than this command's"),
    }
}

fn find_in(memory: &Memory, mapping: &Mapping, found: &mut Vec<Layout>) {
    let mut at = mapping.start;
    while at < mapping.end {
        // So much more that a table across the border is whole.
        let len = (mapping.end - at).min(CHUNK + SIZE as u64);
        let Some(bytes) = memory.read(at, len as usize) else { return };
        for offset in (0..bytes.len().min(CHUNK as usize)).step_by(8) {
            if bytes.get(offset..).is_some_and(|rest| rest.starts_with(&MAGIC)) {
                let layout = bytes.get(offset..).and_then(Layout::parse);
                found.extend(layout.filter(|layout| layout.this_at == at + offset as u64));
            }
        }
        at += CHUNK;
    }
}
