//! The image that registers are nearest to, where they are those of none.

use std::fmt;

use super::{OsImageRow, ReferenceValues};

/// An image that has RTMR1 or RTMR2 of a quote, but not all registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest<'a> {
    /// The image.
    pub row: &'a OsImageRow,
    /// Whether MRTD, RTMR1 and RTMR2 are its.
    pub same: [bool; 3],
}

/// The registers of [`Nearest::same`].
const NAMES: [&str; 3] = ["MRTD", "RTMR1", "RTMR2"];

#[doc(hidden)]
impl ReferenceValues {
    /// The image with most of these registers. A firmware alone is shared by many images, and makes none near.
    #[must_use]
    pub fn nearest_image(&self, mrtd: &[u8; 48], rtmr1: &[u8; 48], rtmr2: &[u8; 48]) -> Option<Nearest<'_>> {
        let near = self.images().iter().filter_map(|row| {
            let registers = row.registers.as_ref()?;
            let same = [
                self.mrtds_of(row).contains(mrtd),
                registers.has_rtmr1(rtmr1),
                registers.rtmr2.0 == *rtmr2,
            ];
            let [_, kernel, command_line] = same;
            (kernel || command_line).then_some(Nearest { row, same })
        });
        // The first of the best: the order of the table.
        near.rev()
            .max_by_key(|nearest| nearest.same.iter().filter(|same| **same).count())
    }
}

impl fmt::Display for Nearest<'_> {
    /// A sentence without its full stop: `RTMR1 and RTMR2 are those of dstack-0.5.9, MRTD is not`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |wanted: bool| -> Vec<&str> {
            let names = NAMES.iter().zip(self.same);
            names
                .filter(|(_, same)| *same == wanted)
                .map(|(name, _)| *name)
                .collect()
        };
        let (same, other) = (of(true), of(false));
        let verb = |names: &[&str], one, several| if names.len() == 1 { one } else { several };
        write!(
            f,
            "{} {} of {}",
            same.join(" and "),
            verb(&same, "is that", "are those"),
            self.row.name
        )?;
        if other.is_empty() {
            return Ok(());
        }
        write!(f, ", {} {} not", other.join(" and "), verb(&other, "is", "are"))
    }
}
