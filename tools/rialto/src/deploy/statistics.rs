//! The tests that the judge uses, of ranks: nothing is assumed of how costs are spread.
//!
//! Mann-Whitney's test (Mann and Whitney 1947) where the two are of different work: exact by counting where there are few and
//! no ties, by the normal distribution, corrected for ties and continuity, where not.
//!
//! Wilcoxon's signed-rank test (Wilcoxon 1945) for pairs. Exact by counting where there are few pairs and no ties; by the
//! normal distribution, corrected for ties and continuity, where not. `p` is one-sided: how likely at least so much *more* in
//! the first of each pair is by chance.

/// Up to this many values are counted exactly.
const EXACT_MAX: usize = 60;

/// What Wilcoxon's test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SignedRank {
    /// Pairs that differ.
    pub(crate) pairs: usize,
    /// The sum of the ranks of pairs whose second is the larger.
    pub(crate) against: f64,
    pub(crate) p: f64,
}

/// Wilcoxon's signed-rank test of `first` above `second`; `None` without a pair that differs.
pub(crate) fn signed_rank(pairs: &[(f64, f64)]) -> Option<SignedRank> {
    let mut differences: Vec<f64> = pairs.iter().map(|(first, second)| first - second).collect();
    differences.retain(|difference| *difference != 0.0);
    let n = differences.len();
    if n == 0 {
        return None;
    }
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let (ranks, ties) = ranks(&sizes);
    let against: f64 = differences
        .iter()
        .zip(&ranks)
        .filter(|(d, _)| **d < 0.0)
        .map(|(_, rank)| rank)
        .sum();
    let p = if n <= EXACT_MAX && ties == 0.0 {
        let counts = (1..=n).fold(vec![1.0], |counts, rank| add_or_not(&counts, rank));
        below(&counts, against)
    } else {
        let n = n as f64;
        let mean = n * (n + 1.0) / 4.0;
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
        normal((against + 0.5 - mean) / variance.sqrt())
    };
    Some(SignedRank { pairs: n, against, p })
}

/// What Mann-Whitney's test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RankSum {
    /// Pairs of one of each in which the first is the larger; those alike count half.
    pub(crate) u: f64,
    pub(crate) p: f64,
}

/// Most values of each that are counted exactly.
const EXACT_SUM_MAX: usize = 20;

/// Mann-Whitney's test of `first` above `second`; `None` where either is empty.
pub(crate) fn rank_sum(first: &[f64], second: &[f64]) -> Option<RankSum> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let (ranks, ties) = ranks(&all);
    let (m, n) = (first.len() as f64, second.len() as f64);
    let u = ranks.iter().take(first.len()).sum::<f64>() - m * (m + 1.0) / 2.0;
    // At least so much of the first is as likely as at most so much of the second.
    let other = m * n - u;
    let p = if first.len().max(second.len()) <= EXACT_SUM_MAX && ties == 0.0 {
        below(&arrangements(first.len(), second.len()), other)
    } else {
        let total = m + n;
        let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
        // All of them alike: nothing speaks for either.
        if variance <= 0.0 {
            1.0
        } else {
            normal((other + 0.5 - m * n / 2.0) / variance.sqrt())
        }
    };
    Some(RankSum { u, p })
}

/// In how many orders of `m` and `n` values each U comes about: the largest value is of the one, and beats all of the other,
/// or of the other.
fn arrangements(m: usize, n: usize) -> Vec<f64> {
    // By how many there are of the second, for so many of the first as yet.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for first in 1..=m {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for second in 1..=n {
            let mut ways = vec![0.0; first * second + 1];
            let beaten = row.get(second).into_iter().flatten().enumerate();
            beaten.for_each(|(u, count)| ways[u + second] += count);
            let beating = next.last().into_iter().flatten().enumerate();
            beating.for_each(|(u, count)| ways[u] += count);
            next.push(ways);
        }
        row = next;
    }
    row.pop().unwrap_or_default()
}

/// The middle value; `None` of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted.get(middle.checked_sub(1)?)? + upper) / 2.0)
}

/// The rank of each value, equal ones sharing theirs, and the sum of t³ - t over all ties of t values.
fn ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let (mut ranks, mut ties) = (vec![0.0; values.len()], 0.0);
    let mut begin = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let tied = group.len() as f64;
        for index in group {
            ranks[*index] = begin as f64 + (tied + 1.0) / 2.0;
        }
        ties += tied.powi(3) - tied;
        begin += group.len();
    }
    (ranks, ties)
}

/// In how many ways each sum comes about when `rank` may be added or not.
fn add_or_not(counts: &[f64], rank: usize) -> Vec<f64> {
    let mut sums = counts.to_vec();
    sums.resize(counts.len() + rank, 0.0);
    for (sum, ways) in counts.iter().enumerate() {
        sums[sum + rank] += ways;
    }
    sums
}

/// The share of the ways whose sum is at most `limit`.
fn below(counts: &[f64], limit: f64) -> f64 {
    let all: f64 = counts.iter().sum();
    let some: f64 = counts.iter().take(limit as usize + 1).sum();
    some / all
}

/// The normal distribution function (Abramowitz and Stegun 7.1.26 in the form of Numerical Recipes' erfcc: relative error
/// below 1.2e-7).
fn normal(z: f64) -> f64 {
    let x = -z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + x.abs() / 2.0);
    let coefficients = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let polynomial = coefficients.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let complement = t * (-x * x + polynomial).exp();
    let complement = if x >= 0.0 { complement } else { 2.0 - complement };
    complement / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of which those with the given ranks are against.
    fn pairs(n: usize, against: &[usize]) -> Vec<(f64, f64)> {
        let sign = |rank| if against.contains(&rank) { -1.0 } else { 1.0 };
        (1..=n).map(|rank| (100.0 + sign(rank) * rank as f64, 100.0)).collect()
    }

    /// Some ranks of 1 to `n` whose sum is `sum`.
    fn ranks_of(n: usize, sum: usize) -> Vec<usize> {
        let mut left = sum;
        let mut chosen = Vec::new();
        for rank in (1..=n).rev() {
            if rank <= left {
                left -= rank;
                chosen.push(rank);
            }
        }
        assert_eq!(left, 0);
        chosen
    }

    /// Critical values of the published table for 2.5 % on one side (Wilcoxon and Wilcox 1964).
    #[test]
    fn signed_ranks_turn_where_the_table_says() {
        let table = [
            (6, 0),
            (7, 2),
            (8, 3),
            (9, 5),
            (10, 8),
            (11, 10),
            (12, 13),
            (15, 25),
            (18, 40),
            (20, 52),
            (25, 89),
            (50, 434),
        ];
        for (n, critical) in table {
            let p = |sum| signed_rank(&pairs(n, &ranks_of(n, sum))).unwrap().p;
            assert!(p(critical) <= 0.025, "n {n}: {}", p(critical));
            assert!(p(critical + 1) > 0.025, "n {n}: {}", p(critical + 1));
        }
        // 100 pairs are not counted but take the normal distribution: the table says 1955.
        let p = |sum| signed_rank(&pairs(100, &ranks_of(100, sum))).unwrap().p;
        assert!(p(1_950) < 0.025 && p(1_965) > 0.025, "{} {}", p(1_950), p(1_965));
    }

    /// The example of scipy's `mannwhitneyu`: ages at diagnosis. Its U is 17 and its p, two-sided, 0.1111 exactly and 0.11134689
    /// by the normal distribution; one-sided half of each. By hand: in the order 11f 12f 16m 17f 19m 20f 22m 24m 29m the males'
    /// ranks are 3 + 5 + 7 + 8 + 9 = 32, less 15.
    #[test]
    fn rank_sums_are_those_of_the_published_example() {
        let males = [19.0, 22.0, 16.0, 29.0, 24.0];
        let females = [20.0, 11.0, 17.0, 12.0];
        let found = rank_sum(&males, &females).unwrap();
        assert_eq!(found.u, 17.0);
        // 7 of the 126 orders have so large a U: 1 of 20, 1 of 19, 2 of 18 and 3 of 17.
        assert!((found.p - 7.0 / 126.0).abs() < 1e-12, "{}", found.p);
        let other = rank_sum(&females, &males).unwrap();
        assert_eq!(other.u, 3.0);
        assert!((other.p - (1.0 - 4.0 / 126.0)).abs() < 1e-12, "{}", other.p);
        let by_normal = normal((3.0 + 0.5 - 10.0) / (5.0_f64 * 4.0 * 10.0 / 12.0).sqrt());
        assert!((by_normal - 0.111_346_886_533 / 2.0).abs() < 1e-8, "{by_normal}");
        let sizes = arrangements(5, 4);
        assert_eq!((sizes.iter().sum::<f64>(), sizes.len()), (126.0, 21));
    }

    /// Critical values of U, 5 % on two sides (Mann and Whitney 1947 as tabulated by Milton 1964).
    #[test]
    fn rank_sums_turn_where_the_table_says() {
        for (m, n, critical) in [
            (4, 4, 0),
            (5, 5, 2),
            (8, 8, 13),
            (10, 10, 23),
            (15, 15, 64),
            (20, 20, 127),
        ] {
            let counts = arrangements(m, n);
            assert!(below(&counts, f64::from(critical)) <= 0.025, "{m} {n}");
            assert!(below(&counts, f64::from(critical + 1)) > 0.025, "{m} {n}");
        }
    }

    #[test]
    fn ties_count_half_and_sameness_proves_nothing() {
        // Ranks of 1 2 2 3 3 3: 1, 2.5, 2.5, 5, 5, 5; the first has 2.5 + 5 + 5, less 6.
        let found = rank_sum(&[2.0, 3.0, 3.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(found.u, 6.5);
        // By hand: ties 2^3 - 2 + 3^3 - 3 = 30, variance 9 / 12 (7 - 30 / 30) = 4.5, z (2.5 + 0.5 - 4.5) / 2.1213.
        assert!((found.p - normal(-1.5 / 4.5_f64.sqrt())).abs() < 1e-12);
        assert_eq!(rank_sum(&[1.0; 30], &[1.0; 30]).unwrap().p, 1.0);
        assert_eq!((rank_sum(&[], &[1.0]), rank_sum(&[1.0], &[])), (None, None));
    }

    #[test]
    fn the_normal_distribution_has_its_known_values() {
        for (z, p) in [
            (0.0, 0.5),
            (-1.0, 0.158_655_25),
            (-1.959_964, 0.025),
            (-3.0, 0.001_349_898),
            (2.0, 0.977_249_87),
        ] {
            assert!((normal(z) - p).abs() < 1e-7, "{z}: {}", normal(z));
        }
        assert_eq!(
            (median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0]), median(&[])),
            (Some(2.0), Some(2.5), None)
        );
    }
}
