//! The pool of batch nodes.
//!
//! The pool keeps its chunks in core's atomics, which do not start anew: one test at a time, hence one function.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::node_pool::{give, take};
use crate::config;
use crate::models::check;

/// What the holders of the nodes of two chunks write.
type Contents = Arc<Vec<UnsafeCell<u32>>>;

fn contents(remote_nodes: i64) -> Contents {
    // The stack's head is there before the threads are (see base/sync.rs).
    config::set(0, 0);
    assert!(take().is_none());
    config::set(remote_nodes, 0);
    Arc::new((0..64).map(|_| UnsafeCell::new(0)).collect())
}

/// Takes a node and uses it.
fn hold(contents: &Contents) -> Option<(usize, usize)> {
    let node = take()?;
    // SAFETY: nodes are never freed, and this one is ours.
    let index = unsafe { (*node).index } as usize;
    own(contents, index);
    Some((node.addr(), index))
}

fn own(contents: &Contents, index: usize) {
    // SAFETY: loom checks that nobody else is in the cell.
    contents[index].with_mut(|uses| unsafe { *uses += 1 });
}

fn put(contents: &Contents, (at, index): (usize, usize)) {
    own(contents, index);
    give(core::ptr::with_exposed_provenance_mut(at));
}

/// Two threads find the pool empty: it grows once, and they get different nodes.
fn grows_once() {
    check(2, 0, || {
        let contents = contents(32);
        let other = {
            let contents = contents.clone();
            thread::spawn(move || hold(&contents).expect("31 nodes are spare"))
        };
        let mine = hold(&contents).expect("31 nodes are spare");
        own(&contents, mine.1);
        let others = other.join().unwrap();
        assert!(mine.0 != others.0 && mine.1 != others.1);
    });
}

/// The limit of the knob: one of two gets nothing, unless the other gives its node back before.
fn runs_dry() {
    check(2, 0, || {
        let contents = contents(32);
        let held: Vec<_> = (0..31).map(|_| hold(&contents).unwrap()).collect();
        let other = {
            let contents = contents.clone();
            thread::spawn(move || hold(&contents).map(|node| put(&contents, node)).is_some())
        };
        let mine = hold(&contents);
        mine.inspect(|&node| put(&contents, node));
        assert!(other.join().unwrap() || mine.is_some());
        held.into_iter().for_each(|node| put(&contents, node));
        let all: Vec<_> = (0..32).map_while(|_| hold(&contents)).collect();
        assert!(all.len() == 32 && hold(&contents).is_none(), "none lost, none made");
    });
}

pub fn node_pool_gives_each_node_to_one() {
    let _alone = super::remote_model::alone();
    grows_once();
    runs_dry();
}
