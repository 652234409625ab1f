//! A load of which all is known, in Rust: what each function allocated and what is live of it at the end, for tests/c/pprof.py.

use std::hint::black_box;
use std::mem::forget;
use std::thread;

macro_rules! sites {
    ($($name:ident $start:ident $stop:ident $section:literal: $type:ty = $make:expr;)*) => {
        unsafe extern "C" { $(static $start: u8; static $stop: u8;)* }
        $(
            #[inline(never)]
            #[unsafe(link_section = $section)]
            fn $name() -> $type { black_box($make) }
        )*
        fn say(name: &str, size: usize, allocated: usize, live: usize) {
            let (start, stop) = match name {
                $(stringify!($name) => (&raw const $start, &raw const $stop),)*
                _ => unreachable!(),
            };
            println!("{name} {:x} {:x} {size} {allocated} {live}", start as usize, stop as usize);
        }
    };
}

sites! {
    boxed __start_at_boxed __stop_at_boxed "at_boxed": Box<[u64; 4]> = Box::new([1; 4]);
    bytes __start_at_bytes __stop_at_bytes "at_bytes": Vec<u8> = Vec::with_capacity(900);
    zeroed __start_at_zeroed __stop_at_zeroed "at_zeroed": Vec<u8> = vec![0; 20_000];
    large __start_at_large __stop_at_large "at_large": Vec<u8> = Vec::with_capacity(3 << 20);
    brief __start_at_brief __stop_at_brief "at_brief": Vec<u8> = Vec::with_capacity(500);
    passed __start_at_passed __stop_at_passed "at_passed": Vec<u8> = Vec::with_capacity(2_000);
}

const THREADS: usize = 8;

fn main() {
    (0..30_000).for_each(|n| if n % 3 == 0 { drop(boxed()) } else { forget(boxed()) });
    (0..10_000).for_each(|n| if n % 2 == 0 { drop(bytes()) } else { forget(bytes()) });
    (0..1_000).for_each(|_| forget(zeroed()));
    (0..16).for_each(|n| if n % 2 == 0 { drop(large()) } else { forget(large()) });
    let makers: Vec<_> = (0..THREADS)
        .map(|_| {
            thread::spawn(|| {
                (0..5_000).for_each(|_| drop(brief()));
                (0..1_000).map(|_| passed()).collect::<Vec<_>>()
            })
        })
        .collect();
    let made: Vec<Vec<u8>> = makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect();
    thread::spawn(move || made.into_iter().enumerate().for_each(|(n, block)| if n % 4 == 0 { forget(block) } else { drop(block) }))
        .join()
        .unwrap();
    say("boxed", 32, 30_000, 20_000);
    say("bytes", 900, 10_000, 5_000);
    say("zeroed", 20_000, 1_000, 1_000);
    say("large", 3 << 20, 16, 8);
    say("brief", 500, THREADS * 5_000, 0);
    say("passed", 2_000, THREADS * 1_000, THREADS * 250);
}
