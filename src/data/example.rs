//! What reading a file gives.

/// What to do with a malformed row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadRows {
    /// Stop and say which.
    #[default]
    Refuse,
    /// Leave it out and count it.
    Skip,
}

/// The gold answer of an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Label {
    /// A class's index in the dataset's list of classes.
    Class(u32),
    /// A score within the dataset's range.
    Score(f32),
}

impl Label {
    /// The label as features hold it: the class's index or the score.
    #[must_use]
    pub fn number(self) -> f32 {
        match self {
            // A handful of classes: exact in f32.
            Self::Class(class) => class as f32,
            Self::Score(score) => score,
        }
    }
}

/// One text or pair of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The file's id column, or the example's number from 0 where there is none.
    pub id: String,
    /// The only text, or the first of a pair.
    pub first: String,
    /// The second text of a pair.
    pub second: Option<String>,
    /// The gold answer, where it is published.
    pub label: Option<Label>,
}

/// The examples of one split, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The split's name.
    pub name: &'static str,
    /// Its examples; at least one.
    pub examples: Vec<Example>,
    /// Malformed rows left out under [`BadRows::Skip`].
    pub skipped: u64,
    /// Rows left out because their annotators found no majority (gold label `-`).
    pub without_gold: u64,
}
