//! `Door`: others write to a thread's word until it closes the door.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::door::Door;

const PLACE: usize = 64;

struct House {
    door: Door,
    /// What lies at the place.
    word: UnsafeCell<u32>,
}

impl House {
    fn open() -> Arc<House> {
        let house = Arc::new(House { door: Door::closed(), word: UnsafeCell::new(0) });
        house.door.open(PLACE);
        house
    }

    fn write(&self) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.word.with_mut(|word| unsafe { *word += 1 });
    }

    fn visitor(house: &Arc<House>) -> thread::JoinHandle<()> {
        let house = house.clone();
        thread::spawn(move || {
            house.door.visit(|place| {
                assert_eq!(place, PLACE);
                house.write();
            })
        })
    }
}

/// After it was closed the word is its thread's alone, who sees what was written.
pub fn door_closed_lets_nobody_write() {
    check(3, 0, || {
        let house = House::open();
        let visitor = House::visitor(&house);
        house.door.close(thread::yield_now);
        house.write();
        visitor.join().unwrap();
        house.door.visit(|_| panic!("the door is closed"));
    });
}

/// Two visitors are never there together, and the second sees what the first wrote.
pub fn door_lets_one_in_at_a_time() {
    check(3, 0, || {
        let house = House::open();
        let visitors = [House::visitor(&house), House::visitor(&house)];
        house.door.close(thread::yield_now);
        house.write();
        for visitor in visitors {
            visitor.join().unwrap();
        }
    });
}
