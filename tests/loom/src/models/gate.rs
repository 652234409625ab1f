//! `Gate`: who is inside, and who closes it.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::gate::Gate;

/// Who closes it and is not inside waits as long as it takes.
fn never() -> bool {
    panic!("asked whether it was long enough, of who is not inside")
}

struct House {
    gate: Gate<2>,
    /// What only who is inside, or closed the gate, may touch.
    inside: UnsafeCell<u32>,
}

impl House {
    fn new() -> Arc<House> {
        let house = Arc::new(House { gate: Gate::new(), inside: UnsafeCell::new(0) });
        // What `new` made is there before the threads are (see base/sync.rs).
        house.gate.close(2, || {}, never);
        house.gate.open(2);
        for me in [4, 6, 8] {
            let first = house.gate.enter(me, || {}).unwrap();
            let second = house.gate.enter(me, || {}).unwrap();
            house.gate.leave(first);
            house.gate.leave(second);
        }
        house
    }

    fn touch(&self) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.inside.with_mut(|count| unsafe { *count += 1 });
    }

    /// Whether it got in.
    fn visit(&self, me: usize) -> bool {
        let Some(place) = self.gate.enter(me, thread::yield_now) else { return false };
        self.touch();
        self.gate.leave(place);
        true
    }

    fn close(&self, me: usize) {
        self.gate.close(me, thread::yield_now, never);
        self.touch();
        assert!(self.visit(me));
        self.gate.open(me);
    }
}

/// One who comes twice and one who closes are never in there together, and each sees what the other did.
pub fn gate_keeps_others_out() {
    check(3, 0, || {
        let house = House::new();
        let visitor = {
            let house = house.clone();
            thread::spawn(move || [house.visit(4), house.visit(4)].iter().filter(|&&got_in| got_in).count() as u32)
        };
        house.close(6);
        let visits = visitor.join().unwrap();
        assert!(house.visit(8));
        // SAFETY: alone again.
        house.inside.with(|count| assert_eq!(unsafe { *count }, visits + 3));
    });
}

/// Two close it at once: one after the other has it.
pub fn gate_lets_one_close_it() {
    check(3, 0, || {
        let house = House::new();
        let other = {
            let house = house.clone();
            thread::spawn(move || house.close(4))
        };
        house.close(6);
        other.join().unwrap();
        assert!(house.visit(8));
    });
}

/// Closed twice by the same, and opened twice; and one that was inside when it closed does not get in.
pub fn gate_closed_once_more_opens_at_last() {
    check(3, 0, || {
        let house = House::new();
        house.gate.close(6, || {}, never);
        house.gate.close(6, || {}, never);
        house.gate.open(6);
        let other = {
            let house = house.clone();
            thread::spawn(move || house.visit(4))
        };
        house.touch();
        house.gate.open(6);
        other.join().unwrap();
        let place = house.gate.enter(6, || {}).unwrap();
        house.gate.close(6, || {}, never);
        assert!(house.gate.is_barred(6) && !house.visit(6) && !house.visit(4));
        house.gate.forget_others(6);
        house.gate.open(6);
        house.gate.leave(place);
        assert!(house.visit(4));
    });
}

/// Who was inside when it closes the gate does not wait for ever: the other waits for what it holds.
pub fn gate_closed_from_inside_is_closed_in_the_end() {
    check(3, 0, || {
        let house = House::new();
        let mine = house.gate.enter(6, || {}).unwrap();
        let other = {
            let house = house.clone();
            thread::spawn(move || house.gate.enter(4, thread::yield_now))
        };
        house.gate.close(6, thread::yield_now, || true);
        assert!(house.gate.is_barred(6));
        let theirs = other.join().unwrap();
        house.gate.open(6);
        house.gate.leave(mine);
        theirs.into_iter().for_each(|place| house.gate.leave(place));
        assert!(house.visit(8));
    });
}
