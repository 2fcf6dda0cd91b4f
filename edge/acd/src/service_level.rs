//! The service level, in the three ways the trade computes it (NORMS 4). Nothing divides by answered calls alone: that
//! hides the abandoned ones.

use model::leaving::Figures;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// `A≤T / O`: the strictest, and what Erlang's formulas predict.
    OfOffered,
    /// `A≤T / (O − B≤T)`: callers who gave up at once do not count. Ours by default.
    WithoutShortAbandons,
    /// `(A≤T + B≤T) / (A + B)`: Asterisk's "SL2".
    AnyWithin,
}

/// Tenths of a percent, rounded half up; None while nothing counts.
pub fn permille(variant: Variant, figures: &Figures) -> Option<u16> {
    let Figures { offered, answered, abandoned, answered_in_t, abandoned_in_t, .. } = *figures;
    let (good, all) = match variant {
        Variant::OfOffered => (u64::from(answered_in_t), u64::from(offered)),
        Variant::WithoutShortAbandons => (u64::from(answered_in_t), u64::from(offered.saturating_sub(abandoned_in_t))),
        Variant::AnyWithin => {
            (u64::from(answered_in_t) + u64::from(abandoned_in_t), u64::from(answered) + u64::from(abandoned))
        }
    };
    let rounded = (good * 1000 + all / 2).checked_div(all)?;
    Some(u16::try_from(rounded.min(1000)).unwrap_or(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_computes_its_formula() {
        // (O, A, B, A≤T, B≤T) → variants 1, 2, 3
        let table = [
            ((0, 0, 0, 0, 0), [None, None, None]),
            ((10, 10, 0, 10, 0), [Some(1000), Some(1000), Some(1000)]),
            ((10, 8, 2, 6, 0), [Some(600), Some(600), Some(600)]),
            ((10, 8, 2, 6, 2), [Some(600), Some(750), Some(800)]),
            // Everybody gave up within T: variant 2 has nothing to judge, variant 3 calls it perfect.
            ((3, 0, 3, 0, 3), [Some(0), None, Some(1000)]),
            ((3, 2, 1, 2, 0), [Some(667), Some(667), Some(667)]),
            // Two still wait: offered, neither answered nor abandoned.
            ((10, 6, 2, 6, 1), [Some(600), Some(667), Some(875)]),
            ((1_000_000, 999_999, 1, 999_999, 0), [Some(1000), Some(1000), Some(1000)]),
            ((u32::MAX, u32::MAX, 0, 1, 0), [Some(0), Some(0), Some(0)]),
        ];
        for ((offered, answered, abandoned, answered_in_t, abandoned_in_t), expected) in table {
            let figures = Figures { offered, answered, abandoned, answered_in_t, abandoned_in_t, ..Figures::default() };
            let variants = [Variant::OfOffered, Variant::WithoutShortAbandons, Variant::AnyWithin];
            assert_eq!(variants.map(|v| permille(v, &figures)), expected, "{figures:?}");
        }
    }
}
