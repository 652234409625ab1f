//! Rust's allocations on HAKMEM, C's on the system's malloc: `default-features = false` in Cargo.toml.
//!
//!     cargo run --release --no-default-features --example global_allocator
//!     HAKMEM_STATS=1 cargo run --release --no-default-features --example global_allocator

use std::collections::HashMap;

#[global_allocator]
static GLOBAL: hakmem::HakMem = hakmem::HakMem;

fn main() {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut words = HashMap::new();
                for number in 0..100_000 {
                    *words.entry(format!("{}", number % 1000)).or_insert(0) += thread;
                }
                words
            })
        })
        .collect();
    // What a thread allocated is read and freed by this one.
    let sum: i32 = threads.into_iter().flat_map(|thread| thread.join()).flatten().map(|(_, times)| times).sum();
    println!("sum {sum}");
}
