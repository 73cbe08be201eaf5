//! The choice of the parts of the benchmark that run.

use crate::kind::Kind;

/// The numbers of callers in flight.
const CALLERS: [usize; 4] = [1, 8, 64, 256];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    Send,
    Append,
    Scan,
    Reopen,
    Disk,
}

impl Part {
    /// The parts that need a store with a long journal.
    pub(crate) const OF_HISTORY: [Self; 4] = [Self::Append, Self::Scan, Self::Reopen, Self::Disk];

    fn read(word: &str) -> Option<Self> {
        match word {
            "send" => Some(Self::Send),
            "append" => Some(Self::Append),
            "scan" => Some(Self::Scan),
            "reopen" => Some(Self::Reopen),
            "disk" => Some(Self::Disk),
            _ => None,
        }
    }
}

/// The amount of everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    Quick,
    Full,
}

impl Size {
    /// Returns the number of times that each pair is measured.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Full => 5,
        }
    }

    /// Takes a tenth of a number when there is little time.
    pub(crate) fn of(self, full: usize) -> usize {
        match self {
            Self::Quick => full / 10,
            Self::Full => full,
        }
    }
}

/// The form in which results are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shows {
    Text,
    Json,
}

/// The words of the command line; none of a sort means all of it.
#[derive(Debug)]
pub(crate) struct Args {
    parts: Vec<Part>,
    stores: Vec<Kind>,
    callers: Vec<usize>,
    pub(crate) size: Size,
    pub(crate) shows: Shows,
}

impl Args {
    /// Reads the command line, or returns the word that means nothing.
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            parts: Vec::new(),
            stores: Vec::new(),
            callers: Vec::new(),
            size: Size::Full,
            shows: Shows::Text,
        };
        for word in words {
            args.take(&word).ok_or(word)?;
        }
        Ok(args)
    }

    fn take(&mut self, word: &str) -> Option<()> {
        match (Part::read(word), Kind::read(word), word.parse()) {
            (Some(part), _, _) => self.parts.push(part),
            (_, Some(kind), _) => self.stores.push(kind),
            (_, _, Ok(callers)) => self.callers.push(callers),
            (None, None, Err(_)) => return self.take_option(word),
        }
        Some(())
    }

    fn take_option(&mut self, word: &str) -> Option<()> {
        match word {
            "--quick" => self.size = Size::Quick,
            "--json" => self.shows = Shows::Json,
            // Cargo says so to every benchmark.
            "--bench" => {}
            _ => return None,
        }
        Some(())
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    pub(crate) fn wants_store(&self, kind: Kind) -> bool {
        self.stores.is_empty() || self.stores.contains(&kind)
    }

    /// Returns how many callers send, one number after the other; none when nobody is to send.
    pub(crate) fn callers(&self) -> Vec<usize> {
        if !self.wants(Part::Send) {
            return Vec::new();
        }
        if self.callers.is_empty() {
            return CALLERS.to_vec();
        }
        self.callers.clone()
    }
}
