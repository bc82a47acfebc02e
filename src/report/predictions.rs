//! What runs predicted, read off the files that they left for each task's evaluation script.

use std::collections::BTreeMap;

use crate::store::{Answers, Record, RunFolder, StoreError};

/// What [`Answers`] does not say of a run's predictions for a split.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Of classes and choices.
    Classes {
        /// The classes, by index.
        names: Vec<String>,
        /// The softmax of the logits: `[examples, classes]`, row-major.
        probabilities: Vec<f64>,
    },
    /// Of questions: the predicted text by id, empty for no answer.
    Spans(BTreeMap<String, String>),
    /// Of tagged words.
    Tags(Vec<TaggedSentence>),
}

/// A sentence with both its tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedSentence {
    /// Its words.
    pub words: Vec<String>,
    /// The gold tag of each word.
    pub gold: Vec<String>,
    /// The predicted tag of each word.
    pub predicted: Vec<String>,
}

impl Predictions {
    /// What the run of `record` predicted for a split, as far as it goes with `answers`; `None` of a regression, whose
    /// answers say everything, and where the file is gone or of other examples.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; when the file cannot be read.
    pub fn read(
        folder: &RunFolder,
        record: &Record,
        split: &str,
        answers: &Answers,
    ) -> Result<Option<Self>, StoreError> {
        let file = |name: &str| folder.side_file(record, name);
        let found = match answers {
            Answers::Classes { .. } => file(&format!("predictions-{split}.tsv"))?.and_then(|text| Self::classes(&text)),
            Answers::Scores { .. } => None,
            Answers::Spans { .. } => {
                file("predictions.json")?.and_then(|text| serde_json::from_str(&text).ok().map(Self::Spans))
            }
            Answers::Tags { .. } => file(&format!("predictions-{split}.txt"))?.and_then(|text| Self::tags(&text)),
        };
        Ok(found.filter(|found| found.examples() == answers.examples()))
    }

    fn examples(&self) -> usize {
        match self {
            Self::Classes { names, probabilities } => probabilities.len() / names.len().max(1),
            Self::Spans(by_id) => by_id.len(),
            Self::Tags(sentences) => sentences.len(),
        }
    }

    /// A table with the columns `logit_CLASS`.
    fn classes(text: &str) -> Option<Self> {
        let (head, rows) = text.split_once('\n')?;
        let names: Vec<String> =
            head.split('\t').filter_map(|column| column.strip_prefix("logit_")).map(str::to_owned).collect();
        let mut probabilities = Vec::new();
        for row in rows.lines() {
            let logits: Vec<f64> = row.split('\t').skip(3).map_while(|number| number.parse().ok()).collect();
            if logits.len() != names.len() {
                return None;
            }
            probabilities.extend(softmax(&logits));
        }
        (!names.is_empty()).then_some(Self::Classes { names, probabilities })
    }

    /// Lines of a word, its gold tag and its predicted one, with a blank line after each sentence.
    fn tags(text: &str) -> Option<Self> {
        let (mut sentences, mut open) = (Vec::new(), TaggedSentence::default());
        for line in text.lines() {
            if line.is_empty() {
                sentences.push(std::mem::take(&mut open));
                continue;
            }
            let mut columns = line.split(' ');
            let (word, gold, predicted) = (columns.next()?, columns.next()?, columns.next()?);
            open.words.push(word.to_owned());
            open.gold.push(gold.to_owned());
            open.predicted.push(predicted.to_owned());
        }
        open.words.is_empty().then_some(Self::Tags(sentences))
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_columns_are_read_and_other_text_is_not() {
        let text = "index\tprediction\tlabel\tlogit_no\tlogit_yes\n0\tyes\tno\t1\t1\n1\tno\tno\t0\t-1.0986123\n";
        let Some(Predictions::Classes { names, probabilities }) = Predictions::classes(text) else { panic!() };
        assert_eq!(names, ["no", "yes"]);
        // e^0 and e^(-ln 3) over their sum.
        for (found, expected) in probabilities.iter().zip([0.5, 0.5, 0.75, 0.25]) {
            assert!((found - expected).abs() < 1e-7, "{probabilities:?}");
        }
        assert_eq!(Predictions::classes("index\tprediction\tlabel\n0\t1.5\t1\n"), None, "scores");
        assert_eq!(Predictions::classes("index\tprediction\tlabel\tlogit_a\n0\ta\ta\n"), None, "a row without logits");
        let found = Predictions::tags("New␣York B-LOC O\nis O O\n\n\nUN B-ORG B-PER\n\n").unwrap();
        assert_eq!(found.examples(), 3, "an empty sentence is one");
        let Predictions::Tags(sentences) = found else { panic!() };
        assert_eq!(sentences[0].words, ["New␣York", "is"]);
        assert_eq!((&sentences[2].gold[0][..], &sentences[2].predicted[0][..]), ("B-ORG", "B-PER"));
        assert_eq!(Predictions::tags("word tag\n\n"), None, "no gold tags");
    }
}
