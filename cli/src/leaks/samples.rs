//! Which stack made a block: the profiler's tables, read from outside. It knows each block that it sampled.

use std::collections::HashMap;

use crate::profile::book::Function;
use crate::profile::pprof;
use crate::profile::sites::passes_on;
use crate::profile::symbols::{Named, Resolver};
use crate::remote::Remote;
use crate::remote::bytes::u32_at;
use crate::remote::maps::Mapping;
use crate::remote::memory::Memory;

/// A stack, named.
#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) thread: String,
    /// Innermost first.
    pub(crate) frames: Vec<Named>,
}

pub(crate) struct Samples<'a> {
    remote: &'a Remote,
    maps: &'a [Mapping],
    tables: u64,
    /// The site of each sampled block.
    sites: HashMap<u64, u32>,
    stacks: HashMap<u32, Option<Stack>>,
    resolver: Resolver,
}

impl<'a> Samples<'a> {
    /// `None`: the profiler was never on.
    pub(crate) fn read(remote: &'a Remote, maps: &'a [Mapping]) -> Option<Samples<'a>> {
        let layout = &remote.layout;
        let tables = remote.memory.word(layout.profile_at).filter(|&tables| tables != 0)?;
        let count = usize::try_from(layout.sample_count).ok().filter(|&count| count <= 1 << 24)?;
        let places = remote.memory.words(tables + layout.profile_places, count)?;
        let size = usize::try_from(layout.sample_size).ok().filter(|size| (8..=4096).contains(size))?;
        let samples = remote.memory.read(tables + layout.profile_samples, count * size)?;
        let sites = places
            .into_iter()
            .zip(samples.chunks_exact(size))
            .filter(|(place, _)| *place > 1)
            .map(|(place, sample)| (place, u32_at(sample, layout.sample_site as usize)))
            .collect();
        let root = remote.memory.process().map(crate::process::root).unwrap_or_default();
        Some(Samples { remote, maps, tables, sites, stacks: HashMap::new(), resolver: Resolver::below(root) })
    }

    /// The number of the stack that made the block at `at`, if that was sampled.
    pub(crate) fn site(&self, at: u64) -> Option<u32> {
        self.sites.get(&at).copied()
    }

    pub(crate) fn stack(&mut self, site: u32) -> Option<Stack> {
        if let Some(stack) = self.stacks.get(&site) {
            return stack.clone();
        }
        let stack = self.look_up(site);
        self.stacks.insert(site, stack.clone());
        stack
    }

    fn look_up(&mut self, site: u32) -> Option<Stack> {
        let layout = &self.remote.layout;
        let at = self.tables + layout.profile_sites + u64::from(site) * layout.site_size;
        let frames = self.remote.memory.word(at + layout.site_frames)?;
        let words = self.tables + layout.profile_words + (frames >> 8) * 8;
        let addresses = self.remote.memory.words(words, (frames & 0xff) as usize)?;
        let name = self.remote.memory.read(at + layout.site_name, 16)?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        let frames = addresses.iter().flat_map(|&address| self.named(address.wrapping_sub(1))).collect();
        Some(Stack { thread: String::from_utf8_lossy(name).into_owned(), frames })
    }

    /// The calls at an address: that of a call, not behind it.
    fn named(&mut self, address: u64) -> Vec<Named> {
        let files = match &self.remote.memory {
            Memory::Core(core) => &core.files,
            Memory::Process(_) => self.maps,
        };
        let mapping = files.iter().find(|mapping| mapping.holds(address) && mapping.is_file());
        let mapping = mapping.map(|mapping| pprof::Mapping {
            start: mapping.start,
            offset: mapping.offset,
            file: mapping.name.clone(),
            build_id: String::new(),
        });
        self.resolver.resolve(mapping.as_ref(), address)
    }
}

impl Stack {
    /// The frame that is answerable for what it allocated, and its callers.
    pub(crate) fn site(&self) -> Option<(&Named, &[Named])> {
        let own = |frame: &&Named| {
            let (name, object, file) = (frame.function.clone(), frame.object.clone(), frame.file.clone());
            !passes_on(&Function { name, object, file })
        };
        let at = self.frames.iter().position(|frame| own(&frame)).unwrap_or(0);
        self.frames.get(at..)?.split_first()
    }
}

/// `make_order (orders.c:41)`.
pub(crate) fn place(frame: &Named) -> String {
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match frame.line {
        0 if frame.object.is_empty() => frame.function.clone(),
        0 => format!("{} ({})", frame.function, base(&frame.object)),
        line => format!("{} ({}:{line})", frame.function, base(&frame.file)),
    }
}
