# shellcheck shell=bash
# Sourced by check_mutations.sh: the mutants.
#
# mutant FILE WHERE WHAT OLD NEW: in src/FILE, at the first place behind the text WHERE, or everywhere when that is '*', OLD
# becomes NEW; a model whose name begins with $models must fail.
#
# Not here, for they are no faults: the Acquire of the CAS in `pop` (the look before it saw the same head, generation and
# all); the generation in only one of `push` and `pop` (the other's is enough); the orderings of the tables of chunks (who
# knows a number got it through a stack or a lock).
# Nor that `begin` (page_map/pages.rs) lets two be at one page: it takes a third who enters, and then a model takes minutes; one with
# `live(0); purge()`, `live(1)` and `drop(struck)` in three threads caught it.
# Nor what loom can't see: that `OpenBatch::take` reads a later turn's address or entry and claims all the same is a load that runs ahead
# of a store, which its models leave out.

# Which files of src/ the models of a name run through.
declare -A runs=(
    [index_stack]='base/index_stack.rs'
    [batch_stack]='base/batch_stack.rs'
    [open_batch]='base/open_batch.rs'
    [lock]='os/lock.rs'
    [door]='base/door.rs'
    [profile]='profile/*'
    [gate]='base/gate.rs'
    [reserve]='reserve/* page_map/*'
    [seats]='base/seats.rs'
    [at_hand]='base/at_hand.rs'
    [allowance]='stats/allowance.rs'
    [sp_slot]='superslab/sp_slot.rs'
    [changed]='superslab/changed.rs base/index_stack.rs'
    [pool]='superslab/* base/index_stack.rs page_map/*'
    [page_map]='page_map/*'
    [node_pool]='heap/node_pool.rs base/index_stack.rs'
    [registry]='heap/*'
    [remote]='heap/* base/open_batch.rs base/batch_stack.rs base/index_stack.rs'
    [background]='reclaim/background.rs'
    [report]='report/*'
    [warm]='large/* base/seats.rs page_map/*'
)

file=base/index_stack.rs models=index_stack
mutant $file '*' 'the generation never changes' '(head >> 32) + 1' '(head >> 32)'
mutant $file 'fn push' 'push publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn push' 'push forgets the link' 'links.link(index).store(head as u32, Ordering::Relaxed);' ''
mutant $file 'fn push' 'push does not try again' 'Err(seen) => head = seen' 'Err(_) => return'
mutant $file 'fn pop' 'the first look acquires nothing' 'load(Ordering::Acquire)' 'load(Ordering::Relaxed)'
mutant $file 'fn pop' 'the next look acquires nothing' 'Acquire, Ordering::Acquire' 'Acquire, Ordering::Relaxed'

file=base/batch_stack.rs models=batch_stack
mutant $file 'fn push' 'push publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn push' 'push forgets the link' 'next.store(head, Ordering::Relaxed);' ''
mutant $file 'fn push' 'push overwrites' 'self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed)' \
    '{ self.head.store(node, Ordering::Release); Ok::<(), *mut N>(()) }'
mutant $file 'fn take_all' 'the taker acquires nothing' '_mut(), Ordering::Acquire' '_mut(), Ordering::Relaxed'
mutant $file 'fn take_all' 'the taker takes in two steps' 'self.head.swap(core::ptr::null_mut(), Ordering::Acquire)' \
    '{ let all = self.head.load(Ordering::Acquire); self.head.store(core::ptr::null_mut(), Ordering::Relaxed); all }'

file=base/open_batch.rs models=open_batch
mutant $file 'fn open' 'opening does not change the turn' '(turn + 1) << 32' 'turn << 32'
mutant $file 'fn put' 'an entry is not published' 'self.len.store(len as u32 + 1, Ordering::Release)' 'self.len.store(len as u32 + 1, Ordering::Relaxed)'
mutant $file 'fn close' 'closing closes nothing' 'fetch_or(CLOSED' 'fetch_or(0'
mutant $file 'fn take' 'a taker does not claim' \
    'self.word.compare_exchange(word, word + count as Word, Ordering::AcqRel, Ordering::Relaxed)' 'Ok::<Word, Word>(word)'
mutant $file 'fn take' 'a taker claims whatever came between' \
    'self.word.compare_exchange(word, word + count as Word, Ordering::AcqRel, Ordering::Relaxed)' \
    '{ self.word.store(word + count as Word, Ordering::Release); Ok::<Word, Word>(word) }'
mutant $file 'fn take' 'a taker takes from a closed one' 'word & CLOSED != 0 || ' ''

file=os/lock.rs models=lock
mutant $file 'fn take' 'who takes it acquires nothing' 'HELD, Ordering::Acquire' 'HELD, Ordering::Relaxed'
mutant $file 'fn take' 'two take it at once' 'self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()' \
    '{ let was = self.0.load(Ordering::Acquire); self.0.store(HELD, Ordering::Relaxed); was == FREE }'
mutant $file 'fn give' 'giving it publishes nothing' 'swap(FREE, Ordering::Release)' 'swap(FREE, Ordering::Relaxed)'
mutant $file 'fn give' 'nobody is woken' 'futex::wake(&self.0, 1);' ''
mutant $file 'fn lock_slow' 'who waited acquires nothing' 'swap(CONTENDED, Ordering::Acquire)' 'swap(CONTENDED, Ordering::Relaxed)'
mutant $file 'fn lock_slow' 'who waited leaves no word of those who sleep' \
    'while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {' \
    'while !self.take() && self.0.swap(CONTENDED, Ordering::Acquire) != FREE {'

file=base/door.rs models=door
mutant $file 'fn visit' 'a visitor does not say that it is there' 'compare_exchange(place, place | BUSY' 'compare_exchange(place, place'
mutant $file 'fn visit' 'a visitor comes to a place that is taken' '|| place & BUSY != 0' ''
mutant $file 'fn visit' 'a visitor sees not what was done there' 'Ordering::Acquire, Ordering::Relaxed).is_ok() {
            write' 'Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            write'
mutant $file 'fn visit' 'the end of a visit publishes nothing' 'self.0.store(place, Ordering::Release)' 'self.0.store(place, Ordering::Relaxed)'
mutant $file 'fn close' 'who closes does not wait' 'rest();' 'return;'
mutant $file 'fn close' 'who closes sees not what was written' 'place, 0, Ordering::Acquire' 'place, 0, Ordering::Relaxed'

file=profile/live.rs models=profile
mutant $file 'fn insert' 'a place is claimed in two steps' 'place.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()' \
    '{ place.store(TAKEN, Ordering::Relaxed); true }'
mutant $file 'fn remove' 'a note is taken out in two steps' 'place.compare_exchange(at, 0, Ordering::Release, Ordering::Relaxed).is_ok()' \
    '{ place.store(0, Ordering::Release); true }'
mutant $file 'fn insert' 'a note is not written' 'sample.site.store(site, Ordering::Relaxed);' ''

file=profile/sites.rs models=profile
mutant $file 'fn keep' 'a site is claimed in two steps' 'site.hash.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed)' \
    'match site.hash.load(Ordering::Relaxed) { 0 => { site.hash.store(hash, Ordering::Relaxed); Ok(0) }, held => Err(held) }'
mutant $file 'fn write' 'frames are not published' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn stack' 'frames are not acquired' 'load(Ordering::Acquire)' 'load(Ordering::Relaxed)'
mutant $file 'fn note_free' 'a free publishes no allocation' 'fetch_add(weight.objects, Ordering::Release)' 'fetch_add(weight.objects, Ordering::Relaxed)'
mutant $file 'fn totals' 'the allocation of a free is not seen' 'sum.objects.load(Ordering::Acquire)' 'sum.objects.load(Ordering::Relaxed)'

file=base/gate.rs models=gate
mutant $file 'fn enter' 'who enters does not look after it said so' 'barrier();' ''
mutant $file 'fn enter' 'who enters sees not what the closer did' 'self.closed.load(Ordering::Acquire)' 'self.closed.load(Ordering::Relaxed)'
mutant $file 'fn enter' 'a closed gate lets in' 'closed == 0 || closed == me' 'true'
mutant $file 'fn enter' 'who is sent away stays noted' 'self.leave(index);' ''
mutant $file 'fn leave' 'leaving publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn close' 'who closes does not look after it said so' 'barrier();' ''
mutant $file 'fn close' 'who closes sees not what was done inside' 'place.0.load(Ordering::Acquire)' 'place.0.load(Ordering::Relaxed)'
mutant $file 'fn close' 'who closes does not wait' 'if who == 0 ||' 'if true ||'
mutant $file 'fn close' 'who is inside waits for what it holds' '|| inside && is_enough()' ''
mutant $file 'fn close' 'who closed while inside goes on' 'if inside {' 'if false {'
mutant $file 'fn close' 'two close it at once' 'self.closed.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_err()' \
    '{ self.closed.swap(me, Ordering::Acquire); false }'
mutant $file 'fn open' 'opening publishes nothing' 'self.closed.store(0, Ordering::Release)' 'self.closed.store(0, Ordering::Relaxed)'
mutant $file 'fn open' 'the first to open opens for all' 'match self.again.load(Ordering::Relaxed) {' 'match 0 {'

file=reserve/mod.rs models=reserve
mutant $file 'fn take' 'a block is handed out as its last holder left it' 'Ordering::Acquire, Ordering::Relaxed, next' 'Ordering::Relaxed, Ordering::Relaxed, next'
mutant $file 'fn take' 'blocks come from a chunk that is given up' '&& word & CURRENT != 0' ''
mutant $file 'fn take' 'blocks reach beyond the chunk' '&& taken(word) < GRANULE >> shift' ''
mutant $file 'fn end' 'a free publishes nothing' 'Ordering::AcqRel, Ordering::Relaxed, next' 'Ordering::Acquire, Ordering::Relaxed, next'
mutant $file 'fn end' 'a chunk goes while a block is in use' '& (CURRENT | USES) == 0' '& CURRENT == 0'
mutant $file 'fn end' 'a chunk begins anew while a block is in use' 'if left & USES == 0 {' 'if left & USES <= 1 {'
mutant $file 'fn alloc_small' 'a full chunk never goes' 'end(chunk, shift, CURRENT);' ''

file=base/seats.rs models=seats
mutant $file 'fn put' 'leaving publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn put' 'who leaves a word overwrites another' 'place.compare_exchange(0, word, Ordering::Release, Ordering::Relaxed).is_ok()' \
    '{ place.store(word, Ordering::Release); true }'
mutant $file 'fn take_from' 'who takes acquires nothing' 'Ordering::Acquire' 'Ordering::Relaxed'
mutant $file 'fn take_from' 'who takes does not claim' 'place.compare_exchange(word, 0, Ordering::Acquire, Ordering::Relaxed).is_ok()' \
    '{ place.swap(0, Ordering::Acquire); true }'

file=base/at_hand.rs models=at_hand
mutant $file 'fn strike' 'what is struck out is still found by its key' 'entry.key.store(0, Ordering::Relaxed);' ''
mutant $file 'fn strike' 'what is struck out still counts as had' 'value.store(NONE, Ordering::Relaxed);' ''
mutant $file 'fn strike' 'one struck out takes all others along' 'filter(|entry| gone(entry.value.load(Ordering::Relaxed)))' 'filter(|_| gone(0) || true)'
mutant $file 'fn note' 'a key is noted without its value' 'entry.value.store(value, Ordering::Relaxed);' ''
mutant $file 'fn find' 'a key is taken for one of the same place' 'self.by_key[place].key.load(Ordering::Relaxed) == key' 'self.by_key[place].key.load(Ordering::Relaxed) != 0'

file=stats/allowance.rs models=allowance
mutant $file 'fn take' 'two may both have what is left' 'self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)' \
    '{ let (used, mut more) = (self.used(), more); more(used).map(|used| self.used.store(used, Ordering::Relaxed)).ok_or(used) }'
mutant $file 'fn force' 'what is counted meanwhile is lost' 'self.used.fetch_add(bytes, Ordering::Relaxed);' 'self.used.store(self.used() + bytes, Ordering::Relaxed);'
mutant $file 'fn give' 'what is given meanwhile is lost' 'self.used.fetch_sub(bytes, Ordering::Relaxed);' 'self.used.store(self.used() - bytes, Ordering::Relaxed);'

file=superslab/sp_slot.rs models=sp_slot
mutant $file 'fn publish' 'publish publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn acquire' 'acquire acquires nothing' 'Ordering::AcqRel' 'Ordering::Release'
mutant $file 'fn acquire' 'acquire takes what is ACTIVE' 'active & mask != 0 ||' ''
mutant $file 'fn release' 'release releases nothing' 'Ordering::AcqRel' 'Ordering::Acquire'
mutant $file 'fn release' 'release overwrites' \
    'self.0.compare_exchange_weak(word, pack(active, empty), Ordering::AcqRel, Ordering::Relaxed)' \
    '{ self.0.store(pack(active, empty), Ordering::Release); Ok::<u64, u64>(word) }'
mutant $file 'fn retire' 'retire acquires nothing' 'Ordering::Acquire' 'Ordering::Relaxed'
mutant $file 'fn retire' 'retire does not look for holders' 'word as u32 != absent || ' ''

file=superslab/changed.rs models=changed
mutant $file 'fn note' 'a note publishes nothing' 'swap(1, Ordering::AcqRel)' 'swap(1, Ordering::Acquire)'
mutant $file 'fn note' 'a note is taken for made' 'if marks.mark(id).swap(1, Ordering::AcqRel) == 0 {' 'if false {'
mutant $file 'fn take' 'who takes a note acquires nothing' 'swap(0, Ordering::AcqRel)' 'swap(0, Ordering::Release)'
mutant $file 'fn take' 'a mark is never taken down' 'marks.mark(id).swap(0, Ordering::AcqRel);' ''
file=superslab/pool.rs models=pool
mutant $file 'fn release_slab' 'a release notes nothing' 'CHANGED.note(&Descriptors, slab.id);' ''
mutant $file 'fn release_slab' 'the note comes before the release' \
    $'let active = super_slab.word.release(slab.mask(), u32::MAX);\n    CHANGED.note(&Descriptors, slab.id);' \
    $'CHANGED.note(&Descriptors, slab.id);\n    let active = super_slab.word.release(slab.mask(), u32::MAX);'
file=superslab/supply.rs
mutant $file 'fn retire' 'retire believes the count that it came with' 'super_slab.word.retire(super_slab.absent())' \
    'super_slab.word.look().map(|slots| { super_slab.word.publish(u32::MAX, u32::MAX); slots.empty })'
file=superslab/purge.rs
mutant $file 'fn take' 'a purge does not hold the slots' 'super_slab.word.acquire(run, true).is_none()' 'false'
file=superslab/free_slots.rs
mutant $file 'fn node' 'two get one fresh node' \
    'self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < limit).then_some(used + 1)).ok()' \
    '{ let used = self.fresh.load(Ordering::Relaxed); self.fresh.store(used + 1, Ordering::Relaxed); (used < limit).then_some(used) }'

file=page_map/leaf.rs models=page_map
mutant $file 'fn link' 'the second leaf replaces the first' \
    'slot.compare_exchange(core::ptr::null_mut(), fresh.as_ptr(), Ordering::Relaxed, Ordering::Relaxed).is_ok()' \
    '{ slot.store(fresh.as_ptr(), Ordering::Relaxed); true }'
mutant $file 'fn side' 'what the spare has is struck out of the first' '!is_in(&self.first) && self.spare().is_some_and(is_in)' 'false'
file=page_map/mod.rs
mutant $file 'fn tag' 'nobody looks for a tag in the spare' '.unwrap_or(Tag::NONE)' '.map(|_| Tag::NONE).unwrap_or(Tag::NONE)'
mutant $file 'fn record' 'nobody looks for a record in the spare' '.unwrap_or(Addr::NULL)' '.map(|_| Addr::NULL).unwrap_or(Addr::NULL)'
file=page_map/pages.rs
mutant $file 'fn join' 'who enters does not see that the page went' 'Ordering::Acquire' 'Ordering::Relaxed'
mutant $file 'fn join' 'entries are made in a page that goes' 'if word & Side::First.goes() == 0' 'if true'
mutant $file 'fn leave' 'who strikes out publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn leave' 'who empties a page does not list it' 'list(Number::of(at))' 'Struck::NONE'
mutant $file 'fn give_back' 'who is at it stays listed' 'Some(word & !LISTED)' 'Some(word)'
mutant $file 'fn give_back' 'who is at it does not look again' 'if !gone {' 'if true {'
mutant $file 'fn begin' 'a page goes with entries in it' ' && side.count(word) == 0' ''
mutant $file 'fn begin' 'a page goes before it is zeroed' 'Ordering::AcqRel' 'Ordering::Release'
mutant $file 'fn end' 'that the page went is not published' 'Ordering::Release' 'Ordering::Relaxed'
file=page_map/hot.rs
mutant $file 'fn show' 'the second of a place replaces the first' '_ => SHARED | 2' '_ => entry(granule, tag)'
mutant $file 'fn show' 'who joins a shared place is not counted' 'shared + 1' 'shared'
mutant $file 'fn hide' 'the first to leave clears a shared place' '=> shared - 1' '=> 0'
mutant $file 'fn change' 'changes are lost' \
    'place(granule).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(next(word)))' \
    '{ let place = place(granule); place.store(next(place.load(Ordering::Relaxed)), Ordering::Relaxed) }'
mutant $file 'fn settle' 'the last is shown again while another is there' 'if place.load(Ordering::Relaxed) == SHARED | 1' \
    'if let shared = place.load(Ordering::Relaxed) && shared & SHARED != 0 && place.compare_exchange(shared, entry(granule, tag), Ordering::Relaxed, Ordering::Relaxed).is_ok()'
mutant $file 'fn settle' 'the last is shown whatever came between' \
    'let _ = place.compare_exchange(SHARED | 1, entry, Ordering::Relaxed, Ordering::Relaxed);' \
    'place.store(entry, Ordering::Relaxed);'

file=heap/node_pool.rs models=node_pool
mutant $file 'fn grow' 'who waited to grow does not look again' 'self.spare.pop(self)' 'None::<u32>'
mutant $file 'fn grow' 'growth is not counted' '*grown += 1;' ''
mutant $file 'fn grow' 'the first node is spare too' 'for offset in 1..PER_CHUNK' 'for offset in 0..PER_CHUNK'
mutant $file 'fn grow' 'the new chunk is not entered' 'slot.store(chunk, Ordering::Release);' ''

file=heap/registry.rs models=registry
mutant $file 'fn adopt' 'two may look for an orphan at once' 'let heap = match registry.pop_orphan() {' \
    'let found = registry.orphans; drop(registry); registry = REGISTRY.lock(); registry.pop_orphan(); let heap = match found {'
mutant $file 'fn adopt' 'who adopts is not in use' 'registry.push_used(heap);' ''
mutant $file 'fn orphan' 'an orphan is in use still' 'registry.unlink(heap);' ''
mutant $file 'fn shared_heap' 'two make a shared heap' 'place.load(Ordering::Relaxed)' 'core::ptr::null_mut::<Heap>()'
mutant $file 'fn shared_heap' 'who makes a shared heap publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn shared_heap' 'who finds a shared heap acquires nothing' 'Ordering::Acquire' 'Ordering::Relaxed'
mutant $file 'fn try_orphans' 'who is no orphan is inherited from' 'heap.is_orphan() && look(heap)' 'look(heap)'
mutant $file 'fn try_orphans' 'an orphan may be adopted while it is inherited from' 'heap.is_orphan() && look(heap)' \
    'heap.is_orphan() && { drop(registry); let done = look(heap); registry = REGISTRY.lock(); done }'
mutant $file 'fn push_orphan' 'an orphan behind another is lost' 'heap.links.behind.set(self.orphans.replace(heap));' 'self.orphans = Some(heap);'
mutant $file 'fn pop_orphan' 'an orphan stays on the stack' 'self.orphans = heap.links.behind.take();' ''
mutant $file 'fn pop_orphan' 'who was adopted looks like an orphan' 'heap.links.orphan.store(false, Ordering::Relaxed);' ''
mutant $file 'fn push_used' 'who is in use is not known to the next' 'behind.links.before.set(Some(heap));' ''

file=heap/remote.rs models=remote
mutant $file 'fn free_remote' 'an open batch is not published' 'open.node.store(node, Ordering::Release)' 'open.node.store(node, Ordering::Relaxed)'
mutant $file 'fn free_remote' 'without a node a block is lost' 'unsafe { state::at(owner) }.free_direct(block);' ''
mutant $file 'fn send' 'a batch is sent while others take from it' '!batch.blocks.close()' 'false'
mutant $file 'fn send' 'a batch that is sent stays open' 'open.clear();' ''
mutant $file 'fn send' 'nobody drains a full inbox' 'owner.drain_for_owner();' ''
mutant $file 'fn drain' 'a batch that is passed on is so from its start' 'batch.blocks.skip(done);' ''
mutant $file 'fn drain' 'a batch that is astray goes no further' 'unsafe { state::at(owner).inbox.batches.push(node) };
                    break' 'break'
mutant $file 'fn drain' 'what is astray stays in its batch too' 'batch.blocks.skip(1);' ''
mutant $file 'fn drain' 'what is astray goes no further' 'strays.send();' 'drop(strays);'
file=heap/strays.rs
mutant $file 'self.0 = fresh;' 'what is astray is lost' 'node.blocks.push(block);' ''
mutant $file 'fn send_each' 'only the newest goes on' 'at = next;' 'break;'
file=heap/recall.rs
mutant $file 'fn collect' 'who takes over sees not what the batch is' 'open.node.load(Ordering::Acquire)' 'open.node.load(Ordering::Relaxed)'
mutant $file 'fn recall_from' 'who calls in sees not what the batch is' '.node.load(Ordering::Acquire)' '.node.load(Ordering::Relaxed)'
mutant $file 'fn recall_from' 'what is called in goes nowhere' 'unsafe { state::at(to).post(carrier, blocks.get(..len).unwrap_or_default()) };' ''

file=reclaim/background.rs models=background
mutant $file 'fn nudge' 'who frees does not look after it counted' 'fence(Ordering::SeqCst);' ''
mutant $file 'fn nudge' 'nobody wakes it' 'os::thread::wake(&WORD);' ''
mutant $file 'fn nudge' 'who wakes it leaves its word' '&& tell(SLEEPS, TICKS)' ''
mutant $file 'fn sleep' 'it does not look after it said that it sleeps' 'fence(Ordering::SeqCst);' ''
mutant $file 'fn sleep' 'it does not look for idle memory once more' 'if is_idle(Dirty::now()) && !heap' 'if !heap'
mutant $file 'fn sleep' 'it does not look for the unheard once more' ' && !heap::is_any_unheard()' ''
mutant $file 'fn dismiss' 'who says so does not look after it' 'fence(Ordering::SeqCst);' ''
mutant $file 'fn dismiss' 'nobody says so to a sleeper' 'os::thread::wake(&WORD);' ''
mutant $file 'fn start' 'two make it at once' 'STATE.compare_exchange(OFF, STARTING, Ordering::Acquire, Ordering::Relaxed).is_err()' \
    '{ let seen = STATE.load(Ordering::Acquire); STATE.store(STARTING, Ordering::Relaxed); seen != OFF }'
mutant $file 'fn start' 'who makes it does not see that the last one was joined' 'STARTING, Ordering::Acquire' 'STARTING, Ordering::Relaxed'
mutant $file 'fn start' 'it keeps the word of the last one' 'WORD.store(TICKS, Ordering::Relaxed);' ''
mutant $file 'fn start' 'who made it publishes nothing' 'REFUSED }, Ordering::Release' 'REFUSED }, Ordering::Relaxed'
mutant $file 'fn quit' 'it does not see what made it' 'STOPPING, Ordering::Acquire' 'STOPPING, Ordering::Relaxed'
mutant $file 'fn quit' 'its end publishes nothing' 'STATE.store(OFF, Ordering::Release)' 'STATE.store(OFF, Ordering::Relaxed)'
mutant $file 'fn end' 'two end it at once' 'STATE.compare_exchange(RUNNING, STOPPING, Ordering::Acquire, Ordering::Relaxed).is_err()' \
    '{ let seen = STATE.load(Ordering::Acquire); STATE.store(STOPPING, Ordering::Relaxed); seen != RUNNING }'
mutant $file 'fn end' 'who ends it does not see it' 'STOPPING, Ordering::Acquire' 'STOPPING, Ordering::Relaxed'
mutant $file 'fn end' 'it is not woken for its end' 'os::thread::wake(&WORD);' ''
mutant $file 'fn end' 'who ended it publishes nothing' 'STATE.store(OFF, Ordering::Release)' 'STATE.store(OFF, Ordering::Relaxed)'

file=report/output.rs models=report
mutant $file 'fn alone' 'two write at once' 'WRITER.compare_exchange(0, tls::thread(), Ordering::Acquire, Ordering::Relaxed).is_err()' \
    '{ let seen = WRITER.load(Ordering::Acquire); WRITER.store(tls::thread(), Ordering::Relaxed); seen != 0 }'
mutant $file 'fn alone' 'who writes does not see that the names are free' 'tls::thread(), Ordering::Acquire' 'tls::thread(), Ordering::Relaxed'
mutant $file 'fn alone' 'who has written publishes nothing' 'WRITER.store(0, Ordering::Release)' 'WRITER.store(0, Ordering::Relaxed)'
mutant $file 'fn alone' 'who has written keeps its turn' 'WRITER.store(0, Ordering::Release);' ''
mutant $file 'fn at_signal' 'a report is not put off' 'signal::request(Request::Report);' ''

file=large/warm.rs models=warm
mutant $file 'fn free' 'two free a block' ' || !entry.claim(Tag::LARGE, Tag::WAITS)' ''
mutant $file 'fn free' 'a block waits that may be freed again' 'Tag::WAITS)' 'Tag::LARGE)'
mutant $file 'fn free' 'what found no place is lost' 'Freed::Homeless(freed) }' 'Freed::Waits }'
mutant $file 'fn taken' 'a block in use looks as if it waited' 'entry.renew(Tag::LARGE);' ''
mutant $file 'fn leave' 'what goes into the cache stays entered' 'record::leave(range.base);' ''
file=page_map/mod.rs
mutant $file 'fn enter_left' 'what is entered anew publishes nothing' 'entry.renew(tag)' 'entry.tag.store(tag.0, Ordering::Relaxed)'
mutant $file 'fn enter_left' 'what is entered anew has no record' 'entry.record.store(record.0, Ordering::Relaxed);' ''
file=page_map/leaf.rs
mutant $file 'fn claim' 'a claim acquires nothing' 'to.0, Ordering::Acquire' 'to.0, Ordering::Relaxed'
mutant $file 'fn claim' 'a claim is made in two steps' 'self.tag.compare_exchange(from.0, to.0, Ordering::Acquire, Ordering::Relaxed).is_ok()' \
    '{ let seen = self.tag.load(Ordering::Acquire); seen == from.0 && { self.tag.store(to.0, Ordering::Relaxed); true } }'
mutant $file 'fn renew' 'a renewal publishes nothing' 'store(tag.0, Ordering::Release)' 'store(tag.0, Ordering::Relaxed)'
file=base/seats.rs
mutant $file 'fn put' 'leaving a block publishes nothing' 'Ordering::Release' 'Ordering::Relaxed'
mutant $file 'fn take_from' 'who takes a block acquires nothing' 'Ordering::Acquire' 'Ordering::Relaxed'
