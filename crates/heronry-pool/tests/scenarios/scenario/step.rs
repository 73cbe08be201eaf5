//! The result of one step.

/// The records that one thing led to, and the answer or the refusal.
#[derive(Debug)]
#[must_use]
pub(crate) struct Step {
    records: Vec<String>,
    /// The number of records in the append of the command.
    of_command: usize,
    /// The number of records in later appends.
    later: usize,
    answer: Result<String, String>,
}

impl Step {
    pub(super) fn new(records: Vec<String>, answer: Result<String, String>) -> Self {
        Self {
            of_command: records.len(),
            later: 0,
            records,
            answer,
        }
    }

    /// Says how many records are in the append of the command, and how many came later.
    pub(super) fn appended(self, of_command: usize, later: usize) -> Self {
        Self {
            of_command,
            later,
            ..self
        }
    }

    /// Checks that exactly these records were appended.
    #[track_caller]
    pub(crate) fn records<const N: usize>(&self, expected: [&str; N]) -> &Self {
        if let Err(refusal) = &self.answer {
            panic!("refused: {refusal}");
        }
        assert!(
            self.records == expected,
            "the records are\n{}",
            listed(&self.records)
        );
        self
    }

    /// Checks that nothing was appended.
    #[track_caller]
    pub(crate) fn nothing(&self) -> &Self {
        self.records([])
    }

    /// Checks that all records are of one append.
    #[track_caller]
    pub(crate) fn at_once(&self) -> &Self {
        assert_eq!(self.of_command, self.records.len(), "more than one append");
        self
    }

    /// Checks how many records the append of the command has, and how many came later.
    #[track_caller]
    pub(crate) fn counts(&self, of_command: usize, later: usize) -> &Self {
        assert_eq!((self.of_command, self.later), (of_command, later));
        self
    }

    /// Checks the answer.
    #[track_caller]
    pub(crate) fn answer(&self, expected: &str) -> &Self {
        match &self.answer {
            Ok(answer) => assert!(answer == expected, "the answer is\n{answer:?},"),
            Err(refusal) => panic!("refused: {refusal}"),
        }
        self
    }

    /// Checks that it was refused, with this text, and that nothing was appended.
    #[track_caller]
    pub(crate) fn refused(&self, expected: &str) {
        assert!(self.records.is_empty(), "a refusal is recorded: {self:?}");
        self.refused_after([], expected);
    }

    /// Checks that it was refused, after these records of what was due before.
    #[track_caller]
    pub(crate) fn refused_after<const N: usize>(&self, due: [&str; N], expected: &str) {
        assert!(
            self.records == due,
            "the records are\n{}",
            listed(&self.records)
        );
        match &self.answer {
            Ok(answer) => panic!("not refused: {answer}"),
            Err(refusal) => assert!(refusal == expected, "the refusal is\n{refusal:?}"),
        }
    }

    /// Returns the refusal, when it was refused and nothing was appended.
    pub(crate) fn refusal(&self) -> Option<&str> {
        let refusal = self.answer.as_ref().err().map(String::as_str);
        refusal.filter(|_| self.records.is_empty())
    }

    /// Checks that it was not refused: so the scene is set.
    #[track_caller]
    pub(crate) fn ok(&self) {
        if let Err(refusal) = &self.answer {
            panic!("refused: {refusal}");
        }
    }
}

fn listed(records: &[String]) -> String {
    let lines = records.iter().map(|record| format!("{record:?},"));
    lines.collect::<Vec<_>>().join("\n")
}
