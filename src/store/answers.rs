//! What a run answered to each example of a dev split, for statistics on examples (`answers-SPLIT.json`).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::folder::RunFolder;
use super::present;

/// Raised when the format of `answers-SPLIT.json` changes.
const FORMAT: u32 = 1;

/// Gold answers and a run's own, example by example in the order of the dev file: of two runs on the same file, entry *i*
/// is of the same example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Of classes and choices: their indices.
    Classes {
        /// `[examples]`, the gold classes.
        gold: Vec<u32>,
        /// `[examples]`, the predicted classes.
        predicted: Vec<u32>,
    },
    /// Of a score.
    Scores {
        /// `[examples]`, the gold scores.
        gold: Vec<f32>,
        /// `[examples]`, the predicted scores.
        predicted: Vec<f32>,
    },
    /// Of questions.
    Spans {
        /// `[questions]`, 1 where the answer is an annotator's, else 0.
        exact: Vec<u8>,
        /// `[questions]`, F1 of the words of the answer, from 0 to 1.
        f1: Vec<f64>,
    },
    /// Of sentences with tagged words: entities.
    Tags {
        /// `[sentences]`, entities that are there.
        gold: Vec<u32>,
        /// `[sentences]`, entities that were predicted.
        found: Vec<u32>,
        /// `[sentences]`, entities that are both.
        correct: Vec<u32>,
    },
}

#[derive(Serialize, Deserialize)]
struct AnswersFile {
    format: u32,
    split: String,
    #[serde(flatten)]
    answers: Answers,
}

impl Answers {
    /// Rows, questions or sentences.
    #[must_use]
    pub fn examples(&self) -> usize {
        match self {
            Self::Classes { predicted, .. } => predicted.len(),
            Self::Scores { predicted, .. } => predicted.len(),
            Self::Spans { exact, .. } => exact.len(),
            Self::Tags { gold, .. } => gold.len(),
        }
    }

    /// Whether every list has an entry for every example.
    fn is_whole(&self) -> bool {
        let examples = self.examples();
        match self {
            Self::Classes { gold, .. } => gold.len() == examples,
            Self::Scores { gold, .. } => gold.len() == examples,
            Self::Spans { f1, .. } => f1.len() == examples,
            Self::Tags { found, correct, .. } => found.len() == examples && correct.len() == examples,
        }
    }

    /// Whether `other` answers the same examples, as far as the gold answers tell.
    #[must_use]
    pub fn is_of_same_examples(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Classes { gold, .. }, Self::Classes { gold: other, .. })
            | (Self::Tags { gold, .. }, Self::Tags { gold: other, .. }) => gold == other,
            (Self::Scores { gold, .. }, Self::Scores { gold: other, .. }) => gold == other,
            (Self::Spans { exact, .. }, Self::Spans { exact: other, .. }) => exact.len() == other.len(),
            (Self::Classes { .. } | Self::Scores { .. } | Self::Spans { .. } | Self::Tags { .. }, _) => false,
        }
    }
}

impl RunFolder {
    /// Writes the answers to a dev split.
    ///
    /// # Errors
    /// As [`RunFolder::write_predictions`].
    pub fn write_answers(&self, split: &str, answers: Answers) -> Result<(), StoreError> {
        let file = AnswersFile { format: FORMAT, split: split.to_owned(), answers };
        let mut text = serde_json::to_string(&file).map_err(std::io::Error::from)?;
        text.push('\n');
        self.write_predictions(&file_name(split), &text)
    }

    /// The answers to a dev split; none of a run that left none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the file is not of this format; when it cannot be read.
    pub fn answers(&self, split: &str) -> Result<Option<Answers>, StoreError> {
        let path = self.path().join(file_name(split));
        let Some(file) = read(&path)? else { return Ok(None) };
        let cause = match file {
            AnswersFile { format, .. } if format != FORMAT => format!("it has format {format}, not {FORMAT}"),
            AnswersFile { split: of, .. } if of != split => format!("it is of the split {of}"),
            AnswersFile { answers, .. } if !answers.is_whole() => "its lists are of different lengths".to_owned(),
            AnswersFile { answers, .. } => return Ok(Some(answers)),
        };
        Err(StoreError::Damaged { path, cause })
    }
}

/// The file at `path`, or `None` when there is none. The run's record has its checksum.
fn read(path: &Path) -> Result<Option<AnswersFile>, StoreError> {
    let Some(bytes) = present::read(path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| StoreError::Damaged { path: path.to_path_buf(), cause: error.to_string() };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

fn file_name(split: &str) -> String {
    format!("answers-{split}.json")
}

#[cfg(test)]
mod tests {
    use super::super::{RunsRoot, example};
    use super::*;

    #[test]
    fn answers_come_back_as_they_were_written_and_damage_is_named() {
        let disk = tempfile::tempdir().unwrap();
        let settings = example::settings("rte", 1);
        let folder = RunsRoot::new(disk.path()).folder("mini", &settings).unwrap();
        folder.begin(&settings).unwrap();
        assert_eq!(folder.answers("dev").unwrap(), None);
        let all = [
            Answers::Classes { gold: vec![0, 1], predicted: vec![1, 1] },
            Answers::Scores { gold: vec![0.1, 5.0], predicted: vec![0.2, 4.75] },
            Answers::Spans { exact: vec![1, 0], f1: vec![1.0, 2.0 / 3.0] },
            Answers::Tags { gold: vec![1, 0], found: vec![1, 2], correct: vec![0, 0] },
        ];
        for answers in &all {
            folder.write_answers("dev", answers.clone()).unwrap();
            assert_eq!(folder.answers("dev").unwrap().as_ref(), Some(answers));
            assert_eq!(answers.examples(), 2);
        }
        assert!(all[0].is_of_same_examples(&Answers::Classes { gold: vec![0, 1], predicted: vec![0, 0] }));
        assert!(!all[0].is_of_same_examples(&all[3]));
        let path = folder.path().join("answers-dev.json");
        for (text, cause) in [
            (r#"{"format":2,"split":"dev","classes":{"gold":[],"predicted":[]}}"#, "format 2"),
            (r#"{"format":1,"split":"test","classes":{"gold":[],"predicted":[]}}"#, "split test"),
            (r#"{"format":1,"split":"dev","classes":{"gold":[0],"predicted":[]}}"#, "different lengths"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(folder.answers("dev").unwrap_err().to_string().contains(cause), "{cause}");
        }
    }
}
