//! The kept inputs, through all targets, and a few seconds of random ones.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut seeds: Vec<_> =
        fs::read_dir(&folder).expect("seeds").map(|entry| entry.expect("an entry").path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {folder:?}");
    for seed in seeds {
        eprintln!("{}", seed.display());
        run(&fs::read(&seed).expect("a seed"));
    }
}

#[test]
fn seeds_of_one_thread() {
    replay("ops", hakmem_fuzz::single);
}

#[test]
fn seeds_of_several_threads() {
    replay("threads", hakmem_fuzz::several);
}

#[test]
fn seeds_of_traces() {
    replay("traces", hakmem_fuzz::traces);
}

/// Each kept trace with each byte changed in some ways.
#[test]
fn damaged_traces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/traces");
    for entry in fs::read_dir(folder).expect("seeds") {
        let seed = fs::read(entry.expect("an entry").path()).expect("a seed");
        for at in 0..seed.len() {
            for byte in [seed[at] ^ 1, seed[at] ^ 0x80, 0, 0x7f, 0xff] {
                let mut damaged = seed.clone();
                damaged[at] = byte;
                hakmem_fuzz::traces(&damaged);
            }
            hakmem_fuzz::traces(&seed[..at]);
        }
    }
}

#[test]
fn random_inputs() {
    assert!(hakmem_fuzz::drive(hakmem_fuzz::single, 1, 3) > 0);
    assert!(hakmem_fuzz::drive(hakmem_fuzz::several, 2, 3) > 0);
}
