//! The settings of a task's shape, which only tasks of that shape have.

use serde::{Deserialize, Serialize};

use crate::settings::{Context, SpanOptions, written};

/// The settings of a task's shape. Tasks about one text or pair have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskOptions {
    /// Answers that are spans of a text.
    Spans(SpanOptions),
    /// Tags of words.
    Tags(TagOptions),
}

/// What a word is read with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagOptions {
    /// The text around a sentence.
    pub context: Context,
    /// The format of files that the experiment declares; empty for a published dataset.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
}

impl TaskOptions {
    /// Each option by its name in experiment files, with its value.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Spans(SpanOptions {
                doc_stride,
                max_query_length,
                max_answer_length,
                n_best_size,
                null_score_diff_threshold,
            }) => {
                let counts = [
                    ("doc_stride", doc_stride),
                    ("max_query_length", max_query_length),
                    ("max_answer_length", max_answer_length),
                    ("n_best_size", n_best_size),
                ];
                let counts = counts.into_iter().map(|(name, count)| (name, count.to_string()));
                counts.chain([("null_score_diff_threshold", null_score_diff_threshold.to_string())]).collect()
            }
            Self::Tags(TagOptions { context, format }) => {
                let format = (!format.is_empty()).then(|| ("columns", format.clone()));
                std::iter::once(("context", written(context))).chain(format).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_settings_as_they_are_written() {
        let spans = TaskOptions::Spans(SpanOptions::default());
        let written = serde_json::to_value(&spans).unwrap();
        for (name, value) in spans.named() {
            assert_eq!(written["spans"][name].as_f64(), value.parse().ok(), "{name}");
        }
        assert_eq!(spans.named().len(), written["spans"].as_object().unwrap().len());
        let of = |context, format: &str| TaskOptions::Tags(TagOptions { context, format: format.to_owned() }).named();
        assert_eq!(of(Context::Document, ""), [("context", "document".to_owned())]);
        assert_eq!(of(Context::Sentence, "lossy")[1], ("columns", "lossy".to_owned()));
    }
}
