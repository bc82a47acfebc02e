//! What a head reads of the encoder, and what it puts out.

use super::config::HeadLabels;

/// The kinds of heads that are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadShape {
    /// `[batch, outputs]` from the pooled token ([`Bert::pool`](super::Bert::pool)): classes, or one score (Devlin et al.
    /// 2018, figure 4 a, b).
    #[default]
    Pooled,
    /// `[batch, 1]` from the pooled token: the score of one choice among several (Devlin et al. 2018, §4.4).
    Choice,
    /// `[tokens, outputs]`: a class of every token (figure 4 d).
    Tokens,
    /// `[tokens, 2]`: how well an answer starts and ends at each token (§4.2, figure 4 c). Without dropout
    /// before it, as in google-research/bert's `run_squad.py`.
    Spans,
}

impl HeadShape {
    /// Whether every token has a row of outputs; else every sequence has one.
    #[must_use]
    pub const fn per_token(self) -> bool {
        match self {
            Self::Pooled | Self::Choice => false,
            Self::Tokens | Self::Spans => true,
        }
    }

    /// The name of its tensors in transformers.
    pub(super) const fn tensors(self) -> &'static str {
        match self {
            Self::Pooled | Self::Choice | Self::Tokens => "classifier",
            Self::Spans => "qa_outputs",
        }
    }

    /// transformers' class of a BERT with this head.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Pooled => "BertForSequenceClassification",
            Self::Choice => "BertForMultipleChoice",
            Self::Tokens => "BertForTokenClassification",
            Self::Spans => "BertForQuestionAnswering",
        }
    }
}

impl HeadLabels<'_> {
    /// The kind of head that puts these out.
    #[must_use]
    pub const fn shape(&self) -> HeadShape {
        match self {
            Self::Classes(_) | Self::Regression => HeadShape::Pooled,
            Self::Choices => HeadShape::Choice,
            Self::Tags(_) => HeadShape::Tokens,
            Self::Spans => HeadShape::Spans,
        }
    }
}
