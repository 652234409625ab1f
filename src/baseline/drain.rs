//! Drain: the SLL back into the spans, so that their used counts fall and empty slabs are seen and released.
#![forbid(unsafe_code)]

use super::tls_sll::TlsSll;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::heap::OwnHeap;
use crate::os::Defect;

/// Blocks that a stack has room for which may be a page.
const BATCH: usize = 12;

/// Empties `sll` into the spans of `heap`.
#[inline(always)] // one frame with the half of the FastCache, which is not in use at the same time
pub(super) fn drain(heap: OwnHeap, class: ClassId, sll: &TlsSll) {
    let mut batch = [Addr::NULL; BATCH];
    loop {
        let mut len = 0;
        for slot in &mut batch {
            let Some(block) = sll.pop(heap, class, Defect::FREE_STALE) else { break };
            *slot = block.addr();
            len += 1;
        }
        if len == 0 {
            return;
        }
        heap.flush(class, batch.get(..len).unwrap_or_default());
    }
}
