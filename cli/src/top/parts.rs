//! The parts that resident memory is split into, in the order in which they are shown.

use super::report::Resident;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Live,
    Rounding,
    Magazines,
    Free,
    Dirty,
    Metadata,
    Other,
}

pub(crate) const PARTS: [Part; 7] =
    [Part::Live, Part::Rounding, Part::Magazines, Part::Free, Part::Dirty, Part::Metadata, Part::Other];

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Live => "live",
            Part::Rounding => "rounding",
            Part::Magazines => "at hand",
            Part::Free => "free in spans",
            Part::Dirty => "dirty",
            Part::Metadata => "metadata",
            Part::Other => "not malloc's",
        }
    }

    /// The same in a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Part::Free => "free",
            other => other.name(),
        }
    }

    pub(crate) fn bytes(self, resident: &Resident) -> u64 {
        match self {
            Part::Live => resident.live_bytes,
            Part::Rounding => resident.rounding_bytes,
            Part::Magazines => resident.cached_bytes,
            Part::Free => resident.free_bytes(),
            Part::Dirty => resident.dirty_bytes(),
            Part::Metadata => resident.metadata_bytes,
            Part::Other => resident.not_malloc_bytes(),
        }
    }

    /// How it fills a bar that has no colours.
    pub(crate) fn glyph(self) -> &'static str {
        match self {
            Part::Live => "█",
            Part::Rounding => "▓",
            Part::Magazines => "▒",
            Part::Free => "░",
            Part::Dirty => "+",
            Part::Metadata => "=",
            Part::Other => "·",
        }
    }
}

/// How many of `width` cells each part takes: as many as there are, and one at least where it has a hundredth of all.
pub(crate) fn widths(resident: &Resident, width: usize) -> Vec<usize> {
    let bytes: Vec<u64> = PARTS.iter().map(|part| part.bytes(resident)).collect();
    let sum = bytes.iter().sum::<u64>().max(1);
    let mut widths: Vec<usize> = Vec::new();
    let (mut passed, mut taken) = (0_u64, 0);
    for bytes in bytes {
        passed += bytes;
        let end = ((passed as f64 / sum as f64) * width as f64).round() as usize;
        let least = usize::from(bytes * 100 >= sum);
        let own = end.saturating_sub(taken).max(least).min(width - taken);
        taken += own;
        widths.push(own);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_place_and_shows_what_is_there() {
        let resident = Resident { live_bytes: 900, rounding_bytes: 11, loose_bytes: 89, ..Resident::default() };
        let widths = widths(&resident, 50);
        assert_eq!(widths.iter().sum::<usize>(), 50);
        assert_eq!(widths, [45, 1, 0, 4, 0, 0, 0]);
    }
}
