//! A tag for each word: named entities. The classes of a training split, from a model's outputs to tags, and the files
//! and tables that hold them. Outputs are row-major, `[tokens, classes]`.

mod output;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use output::{kinds_tsv, predictions};

use super::{DevSplit, Gold, PredictionFile, Reading, Shape, counted, largest, other_shape};
use crate::data::{Content, Sentence, Sentences};
use crate::diagnostic::Diagnostic;
use crate::metric::{EntityScores, Metric};
use crate::store::{Answers, TagOptions, TaskOptions};
use crate::text::{FeatureSet, LabelKind, Parts, SkippedRows, WordSentence};

pub(super) struct Tags;

impl Shape for Tags {
    fn default_options(&self) -> Option<TaskOptions> {
        Some(TaskOptions::Tags(TagOptions::default()))
    }

    fn names(&self, training: &Content) -> Vec<String> {
        let sentences = match training {
            Content::Sentences(read) => &read.sentences[..],
            Content::Texts(_) | Content::Choices(_) | Content::Questions(_) => &[],
        };
        TagSet::of(sentences).names().iter().map(ToString::to_string).collect()
    }

    fn features(&self, content: &Content, reading: &Reading<'_>) -> Result<FeatureSet, Diagnostic> {
        let (Content::Sentences(read), Some(TaskOptions::Tags(options))) = (content, reading.options) else {
            return Err(other_shape());
        };
        let tags = TagSet::from_names(reading.names);
        let classes: Vec<Vec<Option<u32>>> = read.sentences.iter().map(|sentence| tags.classes(sentence)).collect();
        let both = read.sentences.iter().zip(&classes);
        let sentences: Vec<WordSentence<'_>> = both
            .map(|(sentence, classes)| WordSentence { words: &sentence.words, classes, document: sentence.document })
            .collect();
        let parts = Parts::of_words(reading.tokenizer, &sentences, reading.max_length, options.context)?;
        let left_out = SkippedRows { malformed: read.skipped, ..SkippedRows::default() };
        Ok(FeatureSet::from_parts(parts, LabelKind::Tokens, left_out))
    }

    fn feature_key(&self, options: Option<&TaskOptions>, names: &[String]) -> String {
        match options {
            Some(TaskOptions::Tags(TagOptions { context, format })) => format!("{context:?} {format} {names:?}"),
            Some(TaskOptions::Spans(_)) | None => String::new(),
        }
    }

    fn gold(&self, content: Content, _: Option<&TaskOptions>) -> Gold {
        match content {
            Content::Sentences(sentences) => Gold::Sentences(sentences),
            Content::Texts(_) | Content::Choices(_) | Content::Questions(_) => Gold::Labels,
        }
    }

    fn width(&self, names: &[&str]) -> usize {
        names.len()
    }

    fn row_names<'a>(&self, _: &'a [&'a str]) -> Option<&'a [&'a str]> {
        None
    }

    fn values(&self, metrics: &[&Metric], outputs: &[f32], split: &DevSplit, names: &[&str]) -> Vec<f64> {
        let Gold::Sentences(sentences) = &split.gold else { return vec![f64::NAN; metrics.len()] };
        let predicted = predicted(sentences, names, outputs, &split.features);
        let counts = tag_scores(&sentences.sentences, &predicted).overall;
        let value = |metric: &&Metric| match metric.name {
            "precision" => counts.precision(),
            "recall" => counts.recall(),
            "f1" => counts.f1(),
            _ => f64::NAN,
        };
        metrics.iter().map(value).collect()
    }

    fn files(&self, outputs: &[f32], split: &DevSplit, names: &[&str]) -> Vec<PredictionFile> {
        let Gold::Sentences(sentences) = &split.gold else { return Vec::new() };
        let predicted = predicted(sentences, names, outputs, &split.features);
        let columns = predictions(&sentences.sentences, &predicted);
        let mut files = vec![PredictionFile { name: format!("predictions-{}.txt", split.name), content: columns }];
        if split.has_gold() {
            let table = kinds_tsv(&tag_scores(&sentences.sentences, &predicted));
            files.push(PredictionFile { name: format!("entities-{}.tsv", split.name), content: table });
        }
        files
    }

    fn answers_by_example(&self, outputs: &[f32], split: &DevSplit, names: &[&str]) -> Answers {
        let (mut gold, mut found, mut correct) = (Vec::new(), Vec::new(), Vec::new());
        if let Gold::Sentences(sentences) = &split.gold {
            let predicted = predicted(sentences, names, outputs, &split.features);
            for (sentence, predicted) in sentences.sentences.iter().zip(&predicted) {
                let mut scores = EntityScores::default();
                scores.add(&sentence.tags, predicted);
                gold.push(scores.overall.gold as u32);
                found.push(scores.overall.found as u32);
                correct.push(scores.overall.correct as u32);
            }
        }
        Answers::Tags { gold, found, correct }
    }

    fn loss_weight(&self, features: &FeatureSet, examples: &[u32]) -> f64 {
        let labels = examples.iter().flat_map(|&example| features.labels_of(example as usize));
        labels.filter(|label| !label.is_nan()).count() as f64
    }

    fn answers(&self, _: &[&str]) -> Vec<String> {
        vec!["a tag for each word".to_owned()]
    }

    fn unit(&self) -> &'static str {
        "sequences"
    }

    fn label_counts(&self, labels: &[f32], names: &[&str]) -> String {
        counted(names, labels)
    }
}

fn predicted(sentences: &Sentences, names: &[&str], outputs: &[f32], features: &FeatureSet) -> Vec<Vec<Arc<str>>> {
    let Parts { offsets, source_index, offset_mapping, .. } = features.parts();
    TagSet::from_names(names).decode(&sentences.sentences, outputs, offsets, source_index, offset_mapping)
}

/// The tag of words that are in no entity, which is class 0.
const OUTSIDE: &str = "O";

/// The tags that a model tells apart. A tag's class is its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSet {
    tags: Vec<Arc<str>>,
}

impl TagSet {
    /// The tags of a training split: `O`, then the `B` of every type in it and then the `I` of every type, in the
    /// order of their letters. Both of each type, whether or not both occur: a type that has only entities of
    /// one word there may have longer ones elsewhere.
    #[must_use]
    pub fn of(training: &[Sentence]) -> Self {
        let tags = training.iter().flat_map(|sentence| &sentence.tags);
        let kinds: BTreeSet<&str> = tags.filter_map(|tag| tag.split_once('-')).map(|(_, kind)| kind).collect();
        let of = |prefix: &'static str| kinds.iter().map(move |kind| format!("{prefix}-{kind}"));
        Self { tags: std::iter::once(OUTSIDE.to_owned()).chain(of("B")).chain(of("I")).map(Arc::from).collect() }
    }

    /// The tags of a trained model, in the order of its outputs.
    #[must_use]
    pub fn from_names<T: AsRef<str>>(names: &[T]) -> Self {
        Self { tags: names.iter().map(|name| Arc::from(name.as_ref())).collect() }
    }

    /// The tags, in the order of the classes.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.tags
    }

    /// The class of a tag; `None` for one that is not in the set, which only other splits than the training
    /// split can have.
    #[must_use]
    pub fn class(&self, tag: &str) -> Option<u32> {
        self.tags.iter().position(|known| **known == *tag).map(|class| class as u32)
    }

    /// The class of each word of a sentence; nothing when it has no tags.
    #[must_use]
    pub fn classes(&self, sentence: &Sentence) -> Vec<Option<u32>> {
        sentence.tags.iter().map(|tag| self.class(tag)).collect()
    }

    /// The predicted tag of every word of every sentence: of the class with the largest output on the word's
    /// first token. Of equal outputs the first class answers, NaN never does, and a word without outputs is `O`.
    ///
    /// `outputs` is `[tokens, classes]`; `offsets` `[sequences + 1]`, `owners` `[sequences]` and `places`
    /// `[tokens]` are those of [`Parts::of_words`], built from the same sentences.
    ///
    /// # Panics
    /// When `outputs` has not one row per token, or a place is in none of the sentences.
    #[must_use]
    pub fn decode(
        &self,
        sentences: &[Sentence],
        outputs: &[f32],
        offsets: &[u64],
        owners: &[u32],
        places: &[[u32; 2]],
    ) -> Vec<Vec<Arc<str>>> {
        assert_eq!(outputs.len(), places.len() * self.tags.len(), "one row of outputs per token");
        let outside = self.tags.first().cloned().unwrap_or_else(|| OUTSIDE.into());
        let mut predicted: Vec<Vec<Arc<str>>> =
            sentences.iter().map(|sentence| vec![Arc::clone(&outside); sentence.words.len()]).collect();
        for (ends, owner) in offsets.windows(2).zip(owners) {
            for token in ends[0] as usize..ends[1] as usize {
                if let [word, 1] = places[token] {
                    let row = &outputs[token * self.tags.len()..][..self.tags.len()];
                    predicted[*owner as usize][word as usize] = Arc::clone(&self.tags[largest(row) as usize]);
                }
            }
        }
        predicted
    }
}

/// The scores of predicted tags against the sentences' own.
///
/// # Panics
/// When a sentence has not one tag and one predicted tag per word.
#[must_use]
pub fn tag_scores<T: AsRef<str>>(sentences: &[Sentence], predicted: &[Vec<T>]) -> EntityScores {
    assert_eq!(sentences.len(), predicted.len(), "predictions for every sentence");
    let mut scores = EntityScores::default();
    for (sentence, predicted) in sentences.iter().zip(predicted) {
        scores.add(&sentence.tags, predicted);
    }
    scores
}

#[cfg(test)]
mod tests;
