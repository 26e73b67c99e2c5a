//! Fuzzing begins with inputs that lead deep into the readers: they are accepted.

use sluice_fuzz::TARGETS;

/// N31, N32.
#[test]
fn every_seed_is_accepted_and_its_beginnings_have_an_answer() {
    for target in TARGETS {
        for seed in (target.seeds)() {
            assert_eq!((target.read)(&seed), Ok(()), "{}", target.name);
            for end in (0..seed.len()).step_by(7) {
                let _any = (target.read)(&seed[..end]);
            }
        }
    }
}
