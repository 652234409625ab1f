//! `Kind`: what a pointer of the program's points to. A granule's tag is told apart here and nowhere else; what it comes to is asked by exhaustive matches: in
//! `ask.rs`, and, of a free, in `sink.rs`.

use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::hardened;
use crate::heap::{self, Heap};
use crate::page_map::{self, Tag};

/// What the tag of a granule says of a pointer into it. Whether a block starts there each box knows of its own.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Nobody's, or a large block's that is free already.
    NotOurs,
    Large,
    /// A large block of a hardened process, between closed pages.
    Fenced,
    /// Between guard pages.
    Guarded,
    Reserve(Tag),
    /// A span's, in a hardened process.
    Hardened(Spanned),
    /// A span's: all of its block is the program's.
    Usual(Spanned),
}

/// A span's tag, as the page map says it.
#[derive(Clone, Copy)]
pub(crate) struct Spanned(Tag);

impl Spanned {
    #[inline(always)]
    pub(crate) fn class(self) -> ClassId {
        ClassId::from_index(self.0.class_index())
    }

    /// The heap whose span it is.
    #[inline(always)]
    pub(crate) fn heap(self) -> &'static Heap {
        // SAFETY: made of a span's tag only: its owner is a heap.
        unsafe { heap::at(self.0.owner()) }
    }
}

impl Kind {
    #[inline(always)]
    pub(crate) fn at(at: Addr) -> Kind {
        Kind::of(page_map::tag(at))
    }

    /// `tag`: what the page map said.
    #[inline(always)]
    pub(crate) fn of(tag: Tag) -> Kind {
        match tag {
            tag if tag.is_span() && hardened::is_on() => Kind::Hardened(Spanned(tag)),
            tag if tag.is_span() => Kind::Usual(Spanned(tag)),
            Tag::LARGE => Kind::Large,
            Tag::FENCED => Kind::Fenced,
            Tag::GUARD => Kind::Guarded,
            tag if tag.is_reserve() => Kind::Reserve(tag),
            _ => Kind::NotOurs,
        }
    }
}
