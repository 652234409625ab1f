//! Of box `span` who owns which: a span here is one block, which loom watches. `flush` and `transfer` do to owner and tag what the crate's do.

use std::cell::RefCell;
use std::rc::Rc;

use loom::cell::UnsafeCell;

use crate::base::addr::Addr;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::class::ClassId;
use crate::meta;
use crate::os::Misuse;

pub(crate) enum Stop {
    Misuse(Misuse),
    Astray { done: usize, owner: Addr },
}

pub(crate) struct Dirty;

/// Those of one class in one heap, a bit each. Zero: none.
pub(crate) struct Spans(u32);

/// What the page map and the record say.
struct Span {
    owner: AtomicUsize,
    tag: AtomicUsize,
}

/// Whether a block is at home; a cell, so that loom sees what its holder did before it came home.
type Home = Rc<UnsafeCell<bool>>;

thread_local! {
    static WORLD: RefCell<Vec<(&'static Span, Home)>> = const { RefCell::new(Vec::new()) };
}

/// Starts a new execution.
pub(crate) fn reset() {
    WORLD.take();
}

/// The blocks' addresses are their numbers, from 1 on.
fn find(block: Addr) -> (&'static Span, Home) {
    WORLD.with_borrow(|world| world[block.0 - 1].clone())
}

/// A span of the heap at `owner`, whose block is held, before there are threads.
pub(crate) fn make(owner: Addr, spans: &mut Spans) -> Addr {
    let record = meta::alloc(size_of::<Span>()).unwrap();
    // SAFETY: zeroes are valid, and it stays as long as the execution.
    let span: &'static Span = unsafe { &*record.as_ptr::<Span>() };
    span.owner.store(owner.0, Ordering::Relaxed);
    span.tag.store(owner.0, Ordering::Relaxed);
    WORLD.with_borrow_mut(|world| {
        spans.0 |= 1 << world.len();
        world.push((span, Rc::new(UnsafeCell::new(false))));
        Addr(world.len())
    })
}

/// Uses a block, as its holder.
pub(crate) fn hold(block: Addr) {
    // SAFETY: loom checks that nobody else is in the cell.
    find(block).1.with_mut(|home| assert!(!unsafe { *home }, "a block that is in use is free"));
}

/// Whose block it is, as the page map says.
pub(crate) fn owner(block: Addr) -> Addr {
    Addr(find(block).0.tag.load(Ordering::Relaxed))
}

/// Whether all blocks are at home.
pub(crate) fn all_home() -> bool {
    let homes: Vec<Home> = WORLD.with_borrow(|world| world.iter().map(|(_, home)| home.clone()).collect());
    // SAFETY: as above.
    homes.iter().all(|home| home.with(|home| unsafe { *home }))
}

impl Spans {
    pub(crate) fn has_partly_free(&self) -> bool {
        self.0 != 0
    }

    pub(crate) fn used(&self, _: ClassId) -> usize {
        0
    }
}

pub(crate) fn flush(owner: Addr, blocks: &[Addr]) -> Result<(), Stop> {
    for (done, &block) in blocks.iter().enumerate() {
        let (span, home) = find(block);
        if span.owner.load(Ordering::Relaxed) != owner.0 {
            let other = Addr(span.tag.load(Ordering::Relaxed));
            if other == owner {
                return Err(Stop::Misuse(Misuse { what: "a tag of a heap that has no such span", at: block }));
            }
            return Err(Stop::Astray { done, owner: other });
        }
        // SAFETY: loom checks that nobody else is in the cell.
        home.with_mut(|home| unsafe {
            assert!(!*home, "a block came home twice");
            *home = true;
        });
    }
    Ok(())
}

/// Moves the newest.
pub(crate) fn transfer(
    _: ClassId,
    (from, _): (&mut Spans, &mut Dirty),
    (to, _): (&mut Spans, &mut Dirty),
    owner: Addr,
) -> bool {
    let Some(index) = from.0.checked_ilog2() else { return false };
    (from.0, to.0) = (from.0 & !(1 << index), to.0 | 1 << index);
    let (span, _) = find(Addr(index as usize + 1));
    span.owner.store(owner.0, Ordering::Relaxed);
    span.tag.store(owner.0, Ordering::Relaxed);
    true
}
