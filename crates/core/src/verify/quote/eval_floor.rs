//! The least evaluation data number that an honest source of collateral can serve.

/// From when on which evaluation data number is the least that an honest PCCS can serve: Unix seconds, number.
///
/// Each date is 31 days (a set's life, and a day) after the number was seen in Intel's `standard` set: 18 on
/// 2026-02-18, 19 on 2026-06-10, 20 on 2026-10-08 (recorded collateral). Older sets that are still in date
/// would hide later advisories (T25).
const EVAL_FLOORS: [(u64, u32); 3] = [(1_774_051_200, 18), (1_783_728_000, 19), (1_794_096_000, 20)];

/// The built-in floor of the evaluation data number at a time, Unix seconds.
#[must_use]
pub fn built_in_eval_floor(at: u64) -> u32 {
    EVAL_FLOORS
        .iter()
        .filter(|(from, _)| *from <= at)
        .map(|(_, number)| *number)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_rises_31_days_after_each_sighting() {
        assert_eq!(built_in_eval_floor(0), 0);
        for ((from, number), day) in EVAL_FLOORS
            .into_iter()
            .zip(["2026-03-21", "2026-07-11", "2026-11-08"])
        {
            assert_eq!(crate::report::rfc3339(from), format!("{day}T00:00:00Z"));
            assert_eq!(built_in_eval_floor(from), number);
        }
    }
}
