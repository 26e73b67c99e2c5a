use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where chance comes from: what would come together is spread. The default is different each time; a simulation takes
/// a seed, so that a run can be had again.
#[derive(Clone, Debug, Default)]
pub struct Chance(Option<Arc<AtomicU64>>);

impl Chance {
    /// The same numbers for the same seed. Clones draw from one sequence.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(seed))))
    }

    /// A number in 0..1.
    pub fn share(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// 64 bits.
    pub fn bits(&self) -> u64 {
        match &self.0 {
            None => RandomState::new().hash_one(0u8),
            // splitmix64: short, and good enough to choose among schedules
            Some(state) => {
                let mut bits = state
                    .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
                    .wrapping_add(0x9e37_79b9_7f4a_7c15);
                bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                bits ^ (bits >> 31)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let draw = |seed| {
            let chance = Chance::seeded(seed);
            [chance.share(), chance.share(), chance.share()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|share| (0.0..1.0).contains(share)));
    }
}
