//! Lines of a stream that take bounded memory, whatever stands there.

/// A line as far as it was read.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct BoundedLine {
    /// The bytes that are kept, without the line end.
    pub kept: Vec<u8>,
    /// The number of further bytes that the line has.
    pub cut: u64,
}

/// The use of a part of a stream for a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TakenPart {
    /// The number of bytes of the part that the line took, its end included.
    pub used: usize,
    /// True when the line ends there.
    pub is_whole: bool,
}

impl BoundedLine {
    /// Returns the number of bytes that were read, without the line end.
    pub fn bytes(&self) -> u64 {
        self.kept.len() as u64 + self.cut
    }

    /// Takes bytes up to a line end. At most `max` bytes of the line are kept.
    pub fn take(&mut self, part: &[u8], max: usize) -> TakenPart {
        let end = part.iter().position(|byte| *byte == b'\n');
        let text = part.get(..end.unwrap_or(part.len())).unwrap_or(part);
        let room = max.saturating_sub(self.kept.len());
        let fits = text.get(..room).unwrap_or(text);
        self.kept.extend_from_slice(fits);
        self.cut += (text.len() - fits.len()) as u64;
        TakenPart {
            used: end.map_or(part.len(), |end| end + 1),
            is_whole: end.is_some(),
        }
    }
}
