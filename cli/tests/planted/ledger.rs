//! 70 boxes of 333 bytes, by a function that is inlined.

mod book {
    #[inline(always)]
    pub fn entry() -> Box<[u8; 333]> {
        Box::new([7; 333])
    }
}

fn main() {
    for _ in 0..70 {
        std::mem::forget(std::hint::black_box(book::entry()));
    }
}
