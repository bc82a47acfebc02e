//! `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`, cut to a length.

use rayon::prelude::*;

use super::features::{FeatureSet, LabelKind, Parts, SkippedRows};
use super::tokenizer::Tokenizer;
use crate::diagnostic::Diagnostic;

/// One text or a pair of texts with its label, as features are built from.
#[derive(Clone, Copy, Debug)]
pub struct TextPair<'a> {
    /// Segment 0.
    pub first: &'a str,
    /// Segment 1.
    pub second: Option<&'a str>,
    /// A class's index or a score; NaN when there is none.
    pub label: f32,
}

impl FeatureSet {
    /// Tokenises `examples` on all threads and cuts each to `max_length` tokens, special tokens included.
    /// The result does not depend on the number of threads.
    ///
    /// # Errors
    /// A `max_length` that leaves no token of a text; a failure of the tokeniser.
    pub fn build(
        tokenizer: &Tokenizer,
        examples: &[TextPair<'_>],
        max_length: u32,
        left_out: SkippedRows,
    ) -> Result<Self, Diagnostic> {
        let encoded = examples
            .par_iter()
            .map(|example| encode(tokenizer, example, max_length as usize))
            .collect::<Result<Vec<Encoded>, Diagnostic>>()?;
        let tokens = encoded.iter().map(|example| example.ids.len()).sum();
        let mut parts = Parts {
            offsets: Vec::with_capacity(examples.len() + 1),
            ids: Vec::with_capacity(tokens),
            segments: Vec::with_capacity(tokens),
            labels: examples.iter().map(|example| example.label).collect(),
            truncated: encoded.iter().filter(|example| example.truncated).count() as u64,
            ..Parts::default()
        };
        parts.offsets.push(0);
        for example in encoded {
            parts.segments.resize(parts.ids.len() + example.segment_0, 0);
            parts.ids.extend(example.ids);
            parts.segments.resize(parts.ids.len(), 1);
            parts.offsets.push(parts.ids.len() as u64);
        }
        Ok(Self { parts, labelled: LabelKind::Sequences, left_out })
    }
}

struct Encoded {
    ids: Vec<u32>,
    /// How many of the tokens belong to segment 0.
    segment_0: usize,
    truncated: bool,
}

fn encode(tokenizer: &Tokenizer, example: &TextPair<'_>, max_length: usize) -> Result<Encoded, Diagnostic> {
    let special = tokenizer.special();
    let first = tokenizer.encode(example.first)?;
    let second = example.second.map(|text| tokenizer.encode(text)).transpose()?;
    let (texts, added) = if second.is_some() { (2, 3) } else { (1, 2) };
    let room = max_length.saturating_sub(added);
    if room < texts {
        return Err(Diagnostic::new(format!("a max_length of {max_length} leaves no token of the text"))
            .hint(format!("{added} tokens of each example are [CLS] and [SEP]")));
    }
    let length = second.as_ref().map_or(0, Vec::len);
    let (keep_first, keep_second) = kept(first.len(), length, room);
    let truncated = keep_first < first.len() || keep_second < length;

    let mut ids = Vec::with_capacity(keep_first + keep_second + added);
    ids.push(special.cls);
    ids.extend(&first[..keep_first]);
    ids.push(if second.is_some() { special.sep } else { special.end });
    let segment_0 = ids.len();
    if let Some(second) = second {
        ids.extend(&second[..keep_second]);
        ids.push(special.end);
    }
    Ok(Encoded { ids, segment_0, truncated })
}

/// How many tokens of each text stay when both together may have `room`: the longer one loses its end first,
/// as `longest_first` of Hugging Face's fast tokenizers does it. When both must lose, each keeps half of
/// the room; an odd one goes to the longer text, and to the second of two that are equally long.
fn kept(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let half = room / 2;
    if first.min(second) > half {
        if first > second { (room - half, half) } else { (half, room - half) }
    } else if first > second {
        (room - second, second)
    } else {
        (first, room - first)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};
    use tokenizers::{Encoding, Token};

    use super::*;
    use crate::text::tokenizer::tests::small;

    fn encoding(length: usize) -> Encoding {
        let tokens = (0..length).map(|id| Token::new(u32::try_from(id).unwrap(), String::new(), (0, 0))).collect();
        Encoding::from_tokens(tokens, 0)
    }

    #[test]
    fn pairs_are_cut_where_the_tokenizers_crate_cuts_them() {
        for room in 1..=9 {
            for (first, second) in (0..=12).flat_map(|first| (0..=12).map(move |second| (first, second))) {
                let params = TruncationParams {
                    max_length: room,
                    strategy: TruncationStrategy::LongestFirst,
                    ..Default::default()
                };
                let (a, b) = truncate_encodings(encoding(first), Some(encoding(second)), &params).unwrap();
                let (a, b) = (a.get_ids().len(), b.unwrap().get_ids().len());
                assert_eq!(kept(first, second, room), (a, b), "{first} and {second} in {room}");
            }
        }
    }

    /// Three examples of 5, 8 (cut from 9) and 3 tokens.
    pub(in crate::text) fn three() -> FeatureSet {
        let examples = [
            TextPair { first: "unaffable", second: None, label: 1.0 },
            TextPair { first: "the a the", second: Some("a the a"), label: 0.0 },
            TextPair { first: "the", second: None, label: f32::NAN },
        ];
        FeatureSet::build(&small(true), &examples, 8, SkippedRows { malformed: 2, without_gold: 1, unfindable: 0 })
            .unwrap()
    }

    #[test]
    fn a_pair_is_cls_a_sep_b_sep_with_segments_and_cut_to_length() {
        let set = three();
        assert_eq!((set.len(), set.tokens(), set.parts.truncated), (3, 16, 1));
        let single = set.example(0);
        assert_eq!((single.ids, single.segments), (&[2, 5, 6, 7, 3][..], &[0; 5][..]));
        assert!((set.labels_of(0)[0] - 1.0).abs() < f32::EPSILON);
        // Three and three tokens in a room of five: the first of two equals loses one.
        let pair = set.example(1);
        assert_eq!(pair.ids, [2, 15, 18, 3, 18, 15, 18, 3]);
        assert_eq!(pair.segments, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert!(set.labels_of(2)[0].is_nan());
        assert_eq!(set.length(2), 3);
    }

    #[test]
    fn a_length_without_room_for_text_is_refused() {
        let pair = [TextPair { first: "a", second: Some("a"), label: 0.0 }];
        let refused = FeatureSet::build(&small(true), &pair, 4, SkippedRows::default()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a max_length of 4 leaves no token of the text (3 tokens of each example are [CLS] and [SEP])"
        );
        assert!(FeatureSet::build(&small(true), &pair, 5, SkippedRows::default()).is_ok());
    }
}
