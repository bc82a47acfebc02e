//! Text on its way from a reader of files to the tokeniser.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;

/// A corpus that is read once from its beginning to its end, in blocks small enough to be held by the dozen.
pub trait PassageSource {
    /// The next block; `None` at the end. The last document is ended, whether the source ends it or not.
    ///
    /// # Errors
    /// What is wrong with the input, with file and line; nothing is asked for after that.
    fn next_block(&mut self) -> Result<Option<Passages>, Diagnostic>;

    /// What there is to say about the input that was read so far: counts by name, such as lines with bytes that
    /// are no text.
    fn remarks(&self) -> BTreeMap<String, u64>;
}

/// What a passage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassageKind {
    /// One sentence.
    #[default]
    Sentence,
    /// Running text, to be split into sentences.
    Running,
}

/// Consecutive passages of a corpus and the ends of the documents among them. A document may begin in one
/// block and end in a later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passages {
    kind: PassageKind,
    text: String,
    /// Where each passage ends in `text`.
    ends: Vec<usize>,
    /// For each end of a document, the number of passages before it.
    documents: Vec<usize>,
}

/// One step through [`Passages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The next passage.
    Passage(&'a str),
    /// The document of the passages before ends here.
    DocumentEnd,
}

impl Passages {
    /// A block without text.
    #[must_use]
    pub fn new(kind: PassageKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// What the passages are.
    #[must_use]
    pub fn kind(&self) -> PassageKind {
        self.kind
    }

    /// Adds a passage to the document that is open.
    pub fn push(&mut self, passage: &str) {
        self.text.push_str(passage);
        self.ends.push(self.text.len());
    }

    /// Ends the document that is open; one without passages counts as an empty document.
    pub fn end_document(&mut self) {
        self.documents.push(self.ends.len());
    }

    /// The size of the text in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether there is neither a passage nor an end.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.documents.is_empty()
    }

    /// The passages and the ends of documents, in order.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut documents = self.documents.iter().copied().peekable();
        let mut passage = 0;
        std::iter::from_fn(move || {
            if documents.next_if_eq(&passage).is_some() {
                return Some(Step::DocumentEnd);
            }
            let end = *self.ends.get(passage)?;
            let start = passage.checked_sub(1).map_or(0, |before| self.ends[before]);
            passage += 1;
            Some(Step::Passage(&self.text[start..end]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_as_they_were_pushed() {
        let mut passages = Passages::default();
        assert!(passages.is_empty());
        passages.end_document();
        passages.push("a b");
        passages.push("");
        passages.end_document();
        passages.end_document();
        passages.push("c");
        let steps: Vec<_> = passages.steps().collect();
        let (passage, end) = (Step::Passage, Step::DocumentEnd);
        assert_eq!(steps, [end, passage("a b"), passage(""), end, end, passage("c")]);
        assert_eq!((passages.bytes(), passages.is_empty()), (4, false));
    }
}
