//! What a split holds, whatever its format.

use std::path::Path;

use super::columns::{Sentences, read_sentences};
use super::dataset::{Dataset, Reader, SplitFile, SplitRole};
use super::example::{BadRows, Split};
use super::squad::{Questions, read_questions};
use super::swag::{Choices, read_choices};
use crate::diagnostic::Diagnostic;

/// The examples of a split.
#[derive(Clone, Debug)]
pub enum Content {
    /// Texts and pairs of texts.
    Texts(Split),
    /// Beginnings with several endings.
    Choices(Choices),
    /// Questions about paragraphs.
    Questions(Questions),
    /// Words with tags.
    Sentences(Sentences),
}

impl Content {
    /// The number of examples, as the dataset's publisher counts them.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(split) => split.examples.len(),
            Self::Choices(choices) => choices.choices.len(),
            Self::Questions(questions) => questions.questions.len(),
            Self::Sentences(sentences) => sentences.sentences.len(),
        }
    }

    /// Whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Malformed examples that were left out under [`BadRows::Skip`].
    #[must_use]
    pub fn skipped(&self) -> u64 {
        match self {
            Self::Texts(split) => split.skipped,
            Self::Choices(choices) => choices.skipped,
            Self::Questions(questions) => questions.skipped,
            Self::Sentences(sentences) => sentences.skipped,
        }
    }
}

impl Dataset {
    /// Reads a split from the data root `root`, whatever its format.
    ///
    /// # Errors
    /// A folder or file that is missing or cannot be read; an empty file; with [`BadRows::Refuse`], the first
    /// malformed example.
    pub fn load(&self, root: &Path, split: &SplitFile, bad_rows: BadRows) -> Result<Content, Diagnostic> {
        let labelled = split.role != SplitRole::Test;
        Ok(match self.reader {
            Reader::Glue | Reader::GlueOrMsr => Content::Texts(self.read(root, split, bad_rows)?),
            Reader::Swag => Content::Choices(read_choices(&self.file(root, split)?, labelled, bad_rows)?),
            Reader::Squad => Content::Questions(read_questions(&self.file(root, split)?, bad_rows)?),
            Reader::Columns(format) => {
                Content::Sentences(read_sentences(&self.file(root, split)?, &format, labelled, bad_rows)?)
            }
        })
    }
}
