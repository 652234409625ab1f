//! Requests, each with an arena of its own, which goes from one thread to another: what a request needs is freed at once, and nothing of it outlives
//! the arena. And a shared arena, in which many threads work on one frame.
//!
//!     cargo run --release --no-default-features --example arena
use std::sync::mpsc;
use std::thread;

use hakmem::{Arena, ArenaOptions};

const NO_MEMORY: &str = "no memory";

fn main() -> Result<(), &'static str> {
    let (to, from) = mpsc::sync_channel::<Arena>(4);
    let server = thread::spawn(move || {
        from.iter().try_fold(0, |sum, mut arena| {
            let words = arena.alloc_slice_copy(&[1u64; 1000]).ok_or(NO_MEMORY)?;
            let found: u64 = words.iter().sum();
            arena.reset(); // `words` can't be used any more
            let text = arena.alloc_str("answered").ok_or(NO_MEMORY)?;
            Ok::<u64, &str>(sum + found + text.len() as u64)
        })
    });
    for _ in 0..100 {
        let arena = ArenaOptions::new().name("request").limit(1 << 20).build().ok_or(NO_MEMORY)?;
        arena.alloc_str("begun here").ok_or(NO_MEMORY)?;
        to.send(arena).map_err(|_| "the server is gone")?;
    }
    drop(to);
    println!("answered: {}", server.join().map_err(|_| "the server panicked")??);

    let mut frame = ArenaOptions::new().name("frame").build_shared().ok_or(NO_MEMORY)?;
    for number in 0..3u64 {
        let sum: u64 = thread::scope(|scope| {
            let parts: Vec<_> = (0..2)
                .map(|n| {
                    scope.spawn({
                        let frame = &frame;
                        move || frame.alloc_slice_copy(&[number + n; 500])
                    })
                })
                .collect();
            parts.into_iter().filter_map(|part| part.join().ok()?).map(|part| part.iter().sum::<u64>()).sum()
        });
        println!("frame {number}: {sum}, {:?}", frame.stats().map(|stats| stats.live_blocks));
        frame.reset();
    }
    Ok(())
}
