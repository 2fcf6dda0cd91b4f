//! The order in which sites are given something: some first, to be watched, then growing shares of the others.

use std::collections::BTreeSet;

use model::SiteId;
use serde::{Deserialize, Serialize};

use crate::{SITES_MAX, WAVES_MAX};

/// How somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// All that are to have it.
    pub sites: BTreeSet<SiteId>,
    /// Those of them that come first, by themselves.
    pub canaries: BTreeSet<SiteId>,
    /// Of the others: how many per cent of them have it when each wave is over; grows to 100.
    pub shares: Vec<u8>,
}

/// Why there is no such order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("no site is named")]
    Nobody,
    #[error("more than {SITES_MAX} sites")]
    Sites,
    #[error("a canary is none of the sites")]
    Canary,
    #[error("the shares must grow to 100, in at most {WAVES_MAX} waves")]
    Shares,
}

/// The waves, none of them empty: the canaries, then the others in the order of their ids.
pub fn waves(order: &Order) -> Result<Vec<Vec<SiteId>>, Unfit> {
    let Order { sites, canaries, shares } = order;
    if sites.is_empty() {
        return Err(Unfit::Nobody);
    }
    if sites.len() > SITES_MAX {
        return Err(Unfit::Sites);
    }
    if !canaries.is_subset(sites) {
        return Err(Unfit::Canary);
    }
    let grow = shares.windows(2).all(|pair| pair.first() < pair.last());
    if !grow || shares.first() == Some(&0) || shares.last() != Some(&100) || shares.len() >= WAVES_MAX {
        return Err(Unfit::Shares);
    }
    let others: Vec<SiteId> = sites.difference(canaries).cloned().collect();
    let mut waves = vec![canaries.iter().cloned().collect::<Vec<_>>()];
    let mut from = 0;
    for share in shares {
        let until = others.len().saturating_mul(usize::from(*share)).div_ceil(100).min(others.len());
        waves.push(others.get(from..until).unwrap_or_default().to_vec());
        from = until;
    }
    waves.retain(|wave| !wave.is_empty());
    Ok(waves)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(sites: u32, canaries: u32, shares: &[u8]) -> Order {
        let named = |count| (0..count).map(|n| format!("s{n:04}").parse().unwrap()).collect();
        Order { sites: named(sites), canaries: named(canaries), shares: shares.to_vec() }
    }

    fn sizes(order: &Order) -> Result<Vec<usize>, Unfit> {
        waves(order).map(|waves| waves.iter().map(Vec::len).collect())
    }

    #[test]
    fn canaries_come_first_and_the_others_in_growing_shares() {
        assert_eq!(sizes(&order(102, 2, &[10, 50, 100])), Ok(vec![2, 10, 40, 50]));
        assert_eq!(sizes(&order(3, 1, &[10, 50, 100])), Ok(vec![1, 1, 1]), "an empty wave is none");
        assert_eq!(sizes(&order(2, 2, &[100])), Ok(vec![2]));
        assert_eq!(sizes(&order(2, 0, &[100])), Ok(vec![2]));
    }

    #[test]
    fn an_order_that_cannot_be_is_refused_with_its_reason() {
        assert_eq!(sizes(&order(0, 0, &[100])), Err(Unfit::Nobody));
        assert_eq!(sizes(&order(2_000, 1, &[100])), Ok(vec![1, 1_999]));
        assert_eq!(sizes(&order(2_001, 1, &[100])), Err(Unfit::Sites));
        assert_eq!(sizes(&order(2, 3, &[100])), Err(Unfit::Canary));
        for shares in [&[][..], &[50], &[0, 100], &[60, 50, 100], &[50, 50, 100], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 100]] {
            assert_eq!(sizes(&order(2, 1, shares)), Err(Unfit::Shares), "{shares:?}");
        }
    }

    proptest! {
        #[test]
        fn every_site_is_in_exactly_one_wave(sites in 1..300_u32, canaries in 0..5_u32, first in 1..99_u8) {
            let order = order(sites, canaries.min(sites), &[first, 100]);
            let all: Vec<SiteId> = waves(&order).unwrap().concat();
            prop_assert_eq!(all.len(), order.sites.len());
            prop_assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), order.sites);
        }
    }
}
