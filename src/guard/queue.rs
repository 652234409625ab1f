//! `Queue`: the slots of a row that hold no block, longest unused first.
#![forbid(unsafe_code)]

const MOST: usize = 256;

pub(super) struct Queue {
    numbers: [u8; MOST],
    first: u8,
    pub(super) len: usize,
}

impl Queue {
    pub(super) const fn new() -> Queue {
        Queue { numbers: [0; MOST], first: 0, len: 0 }
    }

    /// The first, which stays.
    pub(super) fn first(&self) -> Option<usize> {
        (self.len > 0).then(|| self.numbers.get(self.first as usize).map(|&number| number as usize)).flatten()
    }

    pub(super) fn drop_first(&mut self) {
        self.first = self.first.wrapping_add(1);
        self.len -= 1;
    }

    pub(super) fn push(&mut self, number: usize) {
        let last = (self.first as usize + self.len) % MOST;
        if let Some(slot) = self.numbers.get_mut(last).filter(|_| self.len < MOST) {
            *slot = number as u8;
            self.len += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_first_goes_first() {
        let mut queue = Queue::new();
        (0..250).for_each(|number| queue.push(number));
        for round in 0..1000 {
            assert_eq!(queue.first(), Some(round % 250));
            queue.drop_first();
            queue.push(round % 250);
        }
        assert_eq!(queue.len, 250);
    }
}
