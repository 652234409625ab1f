//! `Core`: a core file, by the kernel or by gcore. What it left out of a file that was mapped is read from that file, if it is still there.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::bytes::{u32_at, u64_at};
use super::maps::Mapping;
use crate::error::{Context, Error, Result};

pub(crate) struct Core {
    pub(crate) path: PathBuf,
    file: File,
    segments: Vec<Segment>,
    pub(crate) mappings: Vec<Mapping>,
    /// Files that were mapped, kept in it or not.
    pub(crate) files: Vec<Mapping>,
    pub(crate) pid: i32,
    /// The program's name, as far as the kernel keeps it.
    pub(crate) program: String,
    pub(crate) threads: Vec<Thread>,
}

/// A thread as it was.
#[derive(Clone)]
pub(crate) struct Thread {
    pub(crate) tid: i32,
    /// The general registers in the order of `user_regs_struct`.
    #[allow(dead_code, reason = "for who looks for what they point to")]
    pub(crate) registers: Vec<u64>,
}

struct Segment {
    start: u64,
    end: u64,
    /// Where in the file, and how many bytes are there.
    offset: u64,
    kept: u64,
    /// The file that was mapped there, and from where on.
    mapped: Option<(File, u64)>,
}

/// No program has addresses above, but for one page of the kernel's.
const ADDRESSES: u64 = 1 << 48;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const ET_CORE: u16 = 4;
const NT_PRSTATUS: u32 = 1;
const NT_PRPSINFO: u32 = 3;
const NT_FILE: u32 = 0x4649_4c45;
/// `struct elf_prstatus`: the thread's number, and its registers.
const PRSTATUS_PID: usize = 32;
const PRSTATUS_REGISTERS: usize = 112;
/// `struct elf_prpsinfo`, likewise: the process's number and name.
const PRPSINFO_PID: usize = 24;
const PRPSINFO_NAME: usize = 40;

impl Core {
    /// `None`: the file is no core file.
    pub(crate) fn open(path: &Path) -> Result<Option<Core>> {
        let file = File::open(path).context(path.display())?;
        let mut header = [0; 64];
        read_file_at(&file, &mut header, 0);
        let kind = header.get(16..18).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
        if !header.starts_with(b"\x7fELF\x02\x01") || kind != Some(ET_CORE) {
            return Ok(None);
        }
        let headers = program_headers(&file, &header);
        let mut core = Core {
            path: path.to_owned(),
            file,
            segments: Vec::new(),
            mappings: Vec::new(),
            files: Vec::new(),
            pid: 0,
            program: String::new(),
            threads: Vec::new(),
        };
        for header in &headers {
            match u32_at(header, 0) {
                PT_LOAD => core.add_segment(header),
                PT_NOTE => core.read_notes(u64_at(header, 8), u64_at(header, 32)),
                _ => {}
            }
        }
        if core.segments.is_empty() {
            return Err(Error::new(format!("{}: a core file without memory in it", path.display())));
        }
        core.segments.sort_by_key(|segment| segment.start);
        core.mappings.sort_by_key(|mapping| mapping.start);
        core.name_mappings();
        core.add_files();
        Ok(Some(core))
    }

    fn add_segment(&mut self, header: &[u8]) {
        let flags = u32_at(header, 4);
        let (offset, start, kept, len) =
            (u64_at(header, 8), u64_at(header, 16), u64_at(header, 32), u64_at(header, 40));
        let Some(end) = start.checked_add(len).filter(|&end| end <= ADDRESSES) else { return };
        // Of a file that was cut short, or is damaged, what is there.
        let kept = kept.min(len).min(self.size().saturating_sub(offset));
        self.segments.push(Segment { start, end, offset, kept, mapped: None });
        let (read, write, execute) = (flags & 4 != 0, flags & 2 != 0, flags & 1 != 0);
        self.mappings.push(Mapping { start, end, read, write, execute, ..Mapping::default() });
    }

    fn read_notes(&mut self, offset: u64, len: u64) {
        let mut bytes = vec![0; usize::try_from(len.min(256 << 20)).unwrap_or(0)];
        read_file_at(&self.file, &mut bytes, offset);
        let mut rest = bytes.as_slice();
        while rest.len() >= 12 {
            let (name, size, kind) = (u32_at(rest, 0) as usize, u32_at(rest, 4) as usize, u32_at(rest, 8));
            let start = 12 + name.next_multiple_of(4);
            let Some(note) = rest.get(start..start.saturating_add(size)) else { return };
            match kind {
                NT_PRSTATUS => {
                    let registers = note.get(PRSTATUS_REGISTERS..).unwrap_or_default();
                    let registers = registers.chunks_exact(8).map(|word| u64_at(word, 0)).collect();
                    self.threads.push(Thread { tid: u32_at(note, PRSTATUS_PID) as i32, registers });
                }
                NT_PRPSINFO => {
                    self.pid = u32_at(note, PRPSINFO_PID) as i32;
                    let name = note.get(PRPSINFO_NAME..PRPSINFO_NAME + 16).unwrap_or_default();
                    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                    self.program = String::from_utf8_lossy(name).into_owned();
                }
                NT_FILE => self.read_files(note),
                _ => {}
            }
            rest = rest.get(start + size.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// A count, the unit of offsets, then start, end and offset of each, then the names.
    fn read_files(&mut self, note: &[u8]) {
        let (count, unit) = (u64_at(note, 0) as usize, u64_at(note, 8));
        let mut names = note.get(16 + count.saturating_mul(24)..).unwrap_or_default().split(|&byte| byte == 0);
        for index in 0..count {
            let at = 16 + index * 24;
            let (start, end, offset) = (u64_at(note, at), u64_at(note, at + 8), u64_at(note, at + 16) * unit);
            let Some(name) = names.next() else { return };
            let name = String::from_utf8_lossy(name).into_owned();
            self.files.push(Mapping { start, end, offset, name: name.clone(), ..Mapping::default() });
            for (segment, mapping) in self.segments.iter_mut().zip(&mut self.mappings) {
                if (start..end).contains(&segment.start) {
                    let offset = offset + (segment.start - start);
                    (mapping.name, mapping.offset) = (name.clone(), offset);
                    segment.mapped = File::open(&name).ok().map(|file| (file, offset));
                }
            }
        }
    }

    /// The kernel lists notes first, gcore last, so files may be known before the segments are.
    fn name_mappings(&mut self) {
        if self.segments.iter().any(|segment| segment.mapped.is_some()) {
            return;
        }
        let mut header = [0; 64];
        read_file_at(&self.file, &mut header, 0);
        for header in program_headers(&self.file, &header) {
            if u32_at(&header, 0) == PT_NOTE {
                let threads = std::mem::take(&mut self.threads);
                self.read_notes(u64_at(&header, 8), u64_at(&header, 32));
                self.threads = threads;
            }
        }
    }

    /// What gcore leaves out altogether: parts of files that nobody wrote to, as the library's tables of constants.
    fn add_files(&mut self) {
        /// No process has more; of a damaged list the first ones are enough.
        const MOST: usize = 1 << 14;
        for of in self.files.iter().take(MOST).cloned().collect::<Vec<_>>() {
            let covered = self.segments.iter().any(|segment| segment.start < of.end && of.start < segment.end);
            if covered || of.start >= of.end || of.end > ADDRESSES {
                continue;
            }
            if let Ok(file) = File::open(&of.name) {
                let (start, end) = (of.start, of.end);
                self.segments.push(Segment { start, end, offset: 0, kept: 0, mapped: Some((file, of.offset)) });
                self.mappings.push(Mapping { read: true, ..of });
            }
        }
        self.segments.sort_by_key(|segment| segment.start);
        self.mappings.sort_by_key(|mapping| mapping.start);
    }

    /// Bytes of the file: no block has more that are resident.
    pub(super) fn size(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Bytes that the file has of the segment that begins at `at`.
    pub(super) fn kept(&self, at: u64) -> u64 {
        let next = self.segments.partition_point(|segment| segment.start < at);
        self.segments.get(next).filter(|segment| segment.start == at).map_or(0, |segment| segment.kept)
    }

    /// The parts of a range that are in the file; the rest was never written, or is a file's.
    pub(crate) fn kept_parts(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let first = self.segments.partition_point(|segment| segment.end <= start);
        let within = self.segments.iter().skip(first).take_while(|segment| segment.start < end);
        let parts = within.map(|segment| {
            let kept = segment.start.saturating_add(segment.kept).min(segment.end);
            (segment.start.max(start), kept.min(end))
        });
        parts.filter(|(from, to)| from < to).collect()
    }

    pub(super) fn read_into(&self, at: u64, bytes: &mut [u8]) -> bool {
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let next = self.segments.partition_point(|segment| segment.end <= at);
            let Some(segment) = self.segments.get(next).filter(|segment| segment.start <= at) else { return false };
            let (into, left) = (at - segment.start, segment.end - at);
            let kept = segment.kept.saturating_sub(into);
            let whole = if kept > 0 { kept } else { left };
            let count = rest.len().min(usize::try_from(whole).unwrap_or(usize::MAX));
            let (now, later) = rest.split_at_mut(count);
            match &segment.mapped {
                _ if kept > 0 => read_file_at(&self.file, now, segment.offset + into),
                Some((file, offset)) => read_file_at(file, now, offset + into),
                None => now.fill(0),
            }
            (at, rest) = (at + count as u64, later);
        }
        true
    }
}

fn program_headers(file: &File, header: &[u8]) -> Vec<Vec<u8>> {
    const EXTENDED: u64 = 0xffff;
    let (offset, sections) = (u64_at(header, 32), u64_at(header, 40));
    let half = |at: usize| u64::from(u32_at(header, at) & 0xffff);
    let (size, mut count) = (half(54), half(56));
    if count == EXTENDED {
        // More than fit: the first section's `sh_info` says how many.
        let mut section = [0; 64];
        read_file_at(file, &mut section, sections);
        count = u64::from(u32_at(&section, 44));
    }
    let size = usize::try_from(size).unwrap_or(56).max(56);
    let mut bytes = vec![0; size.saturating_mul(usize::try_from(count).unwrap_or(0)).min(256 << 20)];
    if file.read_at(&mut bytes, offset).is_err() {
        return Vec::new();
    }
    bytes.chunks_exact(size).map(<[u8]>::to_vec).collect()
}

/// Reads as far as the file goes; what is behind is zero.
fn read_file_at(file: &File, bytes: &mut [u8], offset: u64) {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) | Err(_) => break,
            Ok(count) => done += count,
        }
    }
    if let Some(rest) = bytes.get_mut(done..) {
        rest.fill(0);
    }
}
