//! Statistics of series, each with its textbook definition.

/// The mean; none of nothing.
pub(super) fn mean(series: &[f64]) -> Option<f64> {
    (!series.is_empty()).then(|| series.iter().sum::<f64>() / series.len() as f64)
}

/// The second central moment.
fn variance(series: &[f64]) -> Option<f64> {
    let mean = mean(series)?;
    Some(series.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / series.len() as f64)
}

/// The standard deviation over the mean: 1 for a Poisson process's waiting times, above where events come in clusters.
pub(super) fn variation(series: &[f64]) -> Option<f64> {
    let mean = mean(series).filter(|mean| *mean > 0.0)?;
    Some(variance(series)?.sqrt() / mean)
}

/// The fourth central moment over the squared second, less 3: 0 for a normal distribution, above for heavy tails.
pub(super) fn excess_kurtosis(series: &[f64]) -> Option<f64> {
    let (mean, variance) = (mean(series)?, variance(series).filter(|variance| *variance > 0.0)?);
    let fourth = series.iter().map(|x| (x - mean).powi(4)).sum::<f64>() / series.len() as f64;
    Some(fourth / variance.powi(2) - 3.0)
}

/// The sample autocorrelation at a lag.
pub(super) fn autocorrelation(series: &[f64], lag: usize) -> Option<f64> {
    let (mean, variance) = (mean(series)?, variance(series).filter(|variance| *variance > 0.0)?);
    let (early, late) = (series.get(..series.len().checked_sub(lag)?)?, series.get(lag..)?);
    let together: f64 = early.iter().zip(late).map(|(x, y)| (x - mean) * (y - mean)).sum();
    Some(together / series.len() as f64 / variance)
}

/// The value below which a share of the series lies.
pub(super) fn quantile(series: &[f64], share: f64) -> Option<f64> {
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * (sorted.len().checked_sub(1)? as f64)).round() as usize;
    sorted.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        let found = found.expect("it is defined");
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn statistics_of_series_that_can_be_done_by_hand() {
        near(mean(&[1.0, 2.0, 6.0]), 3.0);
        near(variation(&[1.0, 3.0]), 0.5);
        near(excess_kurtosis(&[-1.0, 1.0, -1.0, 1.0]), -2.0);
        // Mean 0, variance 1; neighbours always differ.
        near(autocorrelation(&[1.0, -1.0, 1.0, -1.0], 1), -0.75);
        near(autocorrelation(&[1.0, -1.0, 1.0, -1.0], 2), 0.5);
        near(quantile(&[4.0, 1.0, 3.0, 2.0, 5.0], 0.5), 3.0);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(mean(&[]), None);
        assert_eq!(variation(&[0.0, 0.0]), None);
        assert_eq!(excess_kurtosis(&[2.0, 2.0]), None);
        assert_eq!(autocorrelation(&[1.0, 2.0], 3), None);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
