//! scripts/fuzz.sh traces
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| hakmem_fuzz::traces(input));

/// Built without a fuzzer: random inputs. usage: threads [SECONDS [SEED]]
#[cfg(not(fuzzing))]
fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (seconds, seed) = (numbers.next().unwrap_or(10), numbers.next().unwrap_or(1));
    println!("{} inputs", hakmem_fuzz::drive(hakmem_fuzz::traces, seed, seconds));
}
