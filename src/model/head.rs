//! What a head reads of the encoder, and what it puts out.

/// The heads that are trained. What their outputs are called (classes, tags) is the task's to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// `[batch, classes]` from the pooled token ([`Encoder::pool`](super::Encoder::pool)): one logit per class; the largest
    /// names the answer (Devlin et al. 2018, figure 4 a, b).
    #[default]
    Classes,
    /// `[batch, 1]` from the pooled token: the score itself.
    Regression,
    /// `[batch, 1]` from the pooled token: the score of one choice among several; the largest names the answer (§4.4).
    Choices,
    /// `[tokens, 2]`: how well an answer starts and ends at each token (§4.2, figure 4 c). Without dropout
    /// before it, as in google-research/bert's `run_squad.py`.
    Spans,
    /// `[tokens, tags]`: one logit per tag for every token (figure 4 d).
    Tags,
}

/// The names that tensors of heads for tasks have in transformers.
pub(super) const TASK_HEADS: [&str; 2] = ["classifier", "qa_outputs"];

impl Head {
    /// Every head.
    pub const ALL: [Self; 5] = [Self::Classes, Self::Regression, Self::Choices, Self::Spans, Self::Tags];

    /// Whether every token has a row of outputs; else every sequence has one.
    #[must_use]
    pub const fn per_token(self) -> bool {
        match self {
            Self::Classes | Self::Regression | Self::Choices => false,
            Self::Spans | Self::Tags => true,
        }
    }

    /// The name of its tensors in transformers.
    pub(super) const fn tensors(self) -> &'static str {
        match self {
            Self::Classes | Self::Regression | Self::Choices | Self::Tags => TASK_HEADS[0],
            Self::Spans => TASK_HEADS[1],
        }
    }

    /// transformers' class of a BERT with this head.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Classes | Self::Regression => "BertForSequenceClassification",
            Self::Choices => "BertForMultipleChoice",
            Self::Spans => "BertForQuestionAnswering",
            Self::Tags => "BertForTokenClassification",
        }
    }
}
