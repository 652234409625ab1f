//! Counts of figures that span many powers of ten: sixteen steps to each doubling, so a percentile is right to 3 %.

const STEPS: u64 = 16;
/// There are so many.
pub(crate) const BUCKETS: usize = 61 * STEPS as usize;

/// Where a figure is counted.
pub(crate) fn bucket(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let octave = value.ilog2() - STEPS.ilog2();
    (u64::from(octave) * STEPS + (value >> octave)) as usize
}

/// The middle of what is counted there.
pub(crate) fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let octave = bucket / STEPS - 1;
    ((bucket - octave * STEPS) << octave) + (1 << octave) / 2
}

#[derive(Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u64) {
        self.add_many(bucket(value), 1);
    }

    fn add_many(&mut self, bucket: usize, count: u64) {
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(place) = self.counts.get_mut(bucket) {
            *place += count;
            self.total += count;
        }
    }

    /// So many of one figure.
    pub(crate) fn add_many_of(&mut self, value: u64, count: u64) {
        self.add_many(bucket(value), count);
    }

    pub(crate) fn add_all(&mut self, other: &Histogram) {
        other.counts.iter().enumerate().for_each(|(bucket, &count)| self.add_many(bucket, count));
    }

    /// The figure that a share of all are at most; `None`: there are none.
    pub(crate) fn percentile(&self, share: f64) -> Option<u64> {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_narrow() {
        let mut last = 0;
        for value in
            (0..10_000).chain((14..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + (1 << (bit - 1))]))
        {
            let at = bucket(value);
            assert!(at == last || at > last, "{value}");
            last = at;
            let off = middle(at).abs_diff(value) as f64 / value.max(1) as f64;
            assert!(off <= 0.035, "{value}: {off}");
        }
        assert_eq!(bucket(u64::MAX) + 1, BUCKETS);
    }

    #[test]
    fn percentiles_are_those_of_the_figures() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.5), None);
        (1..=1000).for_each(|value| histogram.add(value));
        for (share, value) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0), (0.0, 1.0)] {
            let found = histogram.percentile(share).unwrap() as f64;
            assert!((found - value).abs() <= value * 0.035, "{share}: {found}");
        }
    }
}
