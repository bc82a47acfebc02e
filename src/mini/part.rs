//! What each task, and the corpus, adds to the folder; and drawing without repetition.

use std::collections::HashSet;

use super::MiniError;
use super::bounds::Bound;

/// One file.
pub(super) struct Written {
    /// Path in the folder, such as `SWAG/train.csv`.
    pub(super) path: String,
    pub(super) content: String,
    /// Examples in it: rows, questions or sentences.
    pub(super) examples: usize,
}

/// Everything that a task, or the corpus, adds to the folder.
#[derive(Default)]
pub(super) struct Part {
    pub(super) files: Vec<Written>,
    /// The task's name and the range of its dev score, where it has a dev file.
    pub(super) bound: Option<(&'static str, Bound)>,
    /// Texts of training files: the vocabulary comes from them.
    pub(super) training: Vec<String>,
    /// Texts of dev and test files: no sentence of them may stand in the corpus.
    pub(super) held_out: Vec<String>,
}

/// How often what was already drawn is drawn again before the world counts as too small.
const ATTEMPTS: usize = 1000;

/// What a task has drawn already, in all its files.
pub(super) struct Taken {
    task: &'static str,
    texts: HashSet<String>,
}

impl Taken {
    /// Nothing yet.
    pub(super) fn new(task: &'static str) -> Self {
        Self { task, texts: HashSet::new() }
    }

    /// Draws until the result's text is one that was not taken before, whatever its capitals.
    pub(super) fn fresh<T>(
        &mut self,
        text: impl Fn(&T) -> String,
        mut draw: impl FnMut() -> T,
    ) -> Result<T, MiniError> {
        for _ in 0..ATTEMPTS {
            let drawn = draw();
            if self.texts.insert(text(&drawn).to_lowercase()) {
                return Ok(drawn);
            }
        }
        Err(MiniError::TooFewExamples { task: self.task })
    }
}

/// The sentences of a running text, with their final marks.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '?', '!']).map(str::trim).filter(|sentence| sentence.len() > 1)
}
