//! Which blocks are gone: numbers, as stretches. Entities leave about in the order in which they were sealed, so there are
//! few of them.

/// See the module. Each is the first number of a stretch and the first after it; in their order, and never touching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    stretches: Vec<(u64, u64)>,
}

impl Gone {
    /// As it was written; `None`: nobody wrote that.
    pub(super) fn of_stretches(stretches: Vec<(u64, u64)>) -> Option<Self> {
        let mut end = None;
        for (first, after) in &stretches {
            if first >= after || end.is_some_and(|end| end >= *first) {
                return None;
            }
            end = Some(*after);
        }
        Some(Self { stretches })
    }

    pub(super) fn stretches(&self) -> &[(u64, u64)] {
        &self.stretches
    }

    pub(crate) fn has(&self, block: u64) -> bool {
        let after = self.stretches.partition_point(|(first, _)| *first <= block);
        after.checked_sub(1).is_some_and(|at| block < self.stretches[at].1)
    }

    /// Whether all from one to another are.
    pub(super) fn has_all(&self, first: u64, last: u64) -> bool {
        let after = self.stretches.partition_point(|(begins, _)| *begins <= first);
        after.checked_sub(1).is_some_and(|at| last < self.stretches[at].1)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.stretches.iter().map(|(first, after)| after - first).sum()
    }

    pub(super) fn insert(&mut self, block: u64) {
        if self.has(block) {
            return;
        }
        let at = self.stretches.partition_point(|(first, _)| *first <= block);
        let follows = at.checked_sub(1).filter(|before| self.stretches[*before].1 == block);
        let leads = self.stretches.get(at).is_some_and(|(first, _)| *first == block + 1);
        match (follows, leads) {
            (Some(before), true) => self.stretches[before].1 = self.stretches.remove(at).1,
            (Some(before), false) => self.stretches[before].1 = block + 1,
            (None, true) => self.stretches[at].0 = block,
            (None, false) => self.stretches.insert(at, (block, block + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_what_was_inserted(blocks in prop::collection::vec(0_u64..40, 0..60)) {
            let mut gone = Gone::default();
            let mut set = BTreeSet::new();
            for block in blocks {
                gone.insert(block);
                set.insert(block);
            }
            prop_assert!((0..45).all(|block| gone.has(block) == set.contains(&block)));
            prop_assert_eq!(gone.count(), set.len() as u64);
            for (first, last) in [(0, 3), (2, 9), (11, 11), (5, 41)] {
                let all = (first..=last).all(|block| set.contains(&block));
                prop_assert_eq!(gone.has_all(first, last), all);
            }
            prop_assert_eq!(Gone::of_stretches(gone.stretches().to_vec()), Some(gone));
        }
    }

    #[test]
    fn stretches_that_nobody_wrote_are_none() {
        for stretches in [vec![(3, 3)], vec![(5, 6), (1, 2)], vec![(1, 3), (3, 4)]] {
            assert_eq!(Gone::of_stretches(stretches), None);
        }
    }
}
