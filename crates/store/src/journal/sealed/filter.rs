//! Which keys a table may have: a Bloom filter, so that who asks for what is nowhere (every new claim) reads nothing.

/// Nearly one wrong "perhaps" in a hundred.
const BITS_PER_KEY: usize = 10;
const PROBES: u64 = 7;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// Room for so many keys.
    pub(crate) fn for_keys(keys: usize) -> Self {
        Self { words: vec![0; (keys * BITS_PER_KEY).div_ceil(64).max(1)] }
    }

    /// Room for the keys of all of them.
    pub(crate) fn for_all<'a>(filters: impl Iterator<Item = &'a Self>) -> Self {
        Self { words: vec![0; filters.map(|filter| filter.words.len()).sum::<usize>().max(1)] }
    }

    /// As it was written.
    pub(crate) fn of_words(words: Vec<u64>) -> Option<Self> {
        (!words.is_empty()).then_some(Self { words })
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// An empty one of the same size.
    pub(crate) fn emptied(&self) -> Self {
        Self { words: vec![0; self.words.len()] }
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        for bit in self.probes(hash) {
            self.words[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// False: it certainly has not.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        self.probes(hash).all(|bit| self.words[bit / 64] & (1 << (bit % 64)) != 0)
    }

    fn probes(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let bits = self.words.len() as u64 * 64;
        let step = mix(hash) | 1;
        (0..PROBES).map(move |probe| {
            let place = hash.wrapping_add(probe.wrapping_mul(step)) % bits;
            usize::try_from(place).unwrap_or(0)
        })
    }
}

/// Every bit of the result depends on every bit of the number (the finalizer of splitmix64).
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_all_that_it_has_and_little_else() {
        let mut filter = Filter::for_keys(2_000);
        (0..2_000).for_each(|key| filter.insert(mix(key)));
        assert!((0..2_000).all(|key| filter.may_have(mix(key))));
        let wrong = (2_000..12_000).filter(|key| filter.may_have(mix(*key))).count();
        assert!(wrong < 200, "{wrong} of 10,000");
    }

    /// It is on the disk.
    #[test]
    fn its_bits_are_fixed() {
        let mut filter = Filter::for_keys(6);
        filter.insert(mix(1));
        assert_eq!(filter.words().iter().map(|word| word.count_ones()).sum::<u32>(), 7);
        assert_eq!(Filter::of_words(filter.words().to_vec()), Some(filter.clone()));
        assert_eq!(Filter::of_words(Vec::new()), None);
    }
}
