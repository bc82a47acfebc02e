//! The heads that published checkpoints carry, and transformers' class for each
//! (`transformers/models/bert/modeling_bert.py`).

use super::weights::Weights;
use crate::store::Architecture;

/// A class of transformers with the tensors that it has besides the encoder.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadClass {
    /// The class's name, for `architectures`.
    pub(super) class: &'static str,
    /// Whether it has BERT's pooler.
    pub(super) pooler: bool,
    /// Its heads.
    pub(super) heads: &'static [Head],
}

/// A head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// `cls.predictions`: masked language modelling.
    MaskedLm,
    /// `cls.seq_relationship`: next sentence prediction.
    NextSentence,
    /// `classifier`: a linear layer with any number of outputs.
    Classifier,
    /// `qa_outputs`: start and end of an answer.
    Answer,
}

const fn class(class: &'static str, pooler: bool, heads: &'static [Head]) -> HeadClass {
    HeadClass { class, pooler, heads }
}

/// Every class. Where the tensors fit several, the one that the source's configuration names is taken,
/// else the first.
pub(super) const CLASSES: [HeadClass; 10] = [
    class("BertForSequenceClassification", true, &[Head::Classifier]),
    class("BertForMultipleChoice", true, &[Head::Classifier]),
    class("BertForTokenClassification", false, &[Head::Classifier]),
    class("BertForQuestionAnswering", false, &[Head::Answer]),
    class("BertForPreTraining", true, &[Head::MaskedLm, Head::NextSentence]),
    class("BertForMaskedLM", false, &[Head::MaskedLm]),
    // The same tensors; a causal model's.
    class("BertLMHeadModel", false, &[Head::MaskedLm]),
    class("BertForNextSentencePrediction", true, &[Head::NextSentence]),
    class("BertModel", true, &[]),
    // Without a pooler, transformers draws one at random when it loads the model.
    class("BertModel", false, &[]),
];

/// Tensors of an encoder's pooler.
pub(super) fn pooler_tensors(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    linear("pooler.dense", of.hidden as usize, of.hidden as usize)
}

impl Head {
    const ALL: [Self; 4] = [Self::MaskedLm, Self::NextSentence, Self::Classifier, Self::Answer];

    /// A tensor that only checkpoints with this head have.
    fn mark(self) -> &'static str {
        match self {
            Self::MaskedLm => "cls.predictions.transform.dense.weight",
            Self::NextSentence => "cls.seq_relationship.weight",
            Self::Classifier => "classifier.weight",
            Self::Answer => "qa_outputs.weight",
        }
    }

    /// Names and shapes of its tensors, `[outputs, inputs]`. The MLM decoder is the word embeddings.
    pub(super) fn tensors(self, weights: &Weights, of: &Architecture) -> Vec<(String, Vec<usize>)> {
        let (hidden, vocabulary) = (of.hidden as usize, of.vocab_size as usize);
        match self {
            Self::MaskedLm => {
                let norm = ["weight", "bias"]
                    .map(|part| (format!("cls.predictions.transform.LayerNorm.{part}"), vec![hidden]));
                let bias = ("cls.predictions.bias".to_owned(), vec![vocabulary]);
                linear("cls.predictions.transform.dense", hidden, hidden)
                    .into_iter()
                    .chain(norm)
                    .chain([bias])
                    .collect()
            }
            Self::NextSentence => linear("cls.seq_relationship", hidden, 2),
            Self::Classifier => linear("classifier", hidden, outputs(weights, "classifier.weight")),
            Self::Answer => linear("qa_outputs", hidden, 2),
        }
    }
}

/// Rows of a matrix: the outputs of a linear layer.
pub(super) fn outputs(weights: &Weights, name: &str) -> usize {
    weights.shape(name).and_then(|shape| shape.first().copied()).unwrap_or_default()
}

fn linear(name: &str, inputs: usize, outputs: usize) -> Vec<(String, Vec<usize>)> {
    vec![(format!("{name}.weight"), vec![outputs, inputs]), (format!("{name}.bias"), vec![outputs])]
}

/// The class that holds most of what `weights` have; `named` (the source's `architectures`) decides
/// between equals.
pub(super) fn class_of(weights: &Weights, named: Option<&str>) -> HeadClass {
    let there: Vec<Head> = Head::ALL.into_iter().filter(|head| weights.has(head.mark())).collect();
    let pooler = weights.has("pooler.dense.weight");
    let fits = |candidate: &&HeadClass| {
        candidate.heads.iter().all(|head| there.contains(head)) && (pooler || !candidate.pooler)
    };
    let worth =
        |candidate: &HeadClass| (candidate.heads.len(), named == Some(candidate.class), candidate.pooler == pooler);
    let mut best = CLASSES[CLASSES.len() - 1];
    for candidate in CLASSES.iter().filter(fits) {
        if worth(candidate) > worth(&best) {
            best = *candidate;
        }
    }
    best
}
