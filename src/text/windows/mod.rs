//! Questions about contexts that may be longer than a model reads: sliding windows `[CLS] question [SEP] part of
//! the context [SEP]`, as google-research/bert's `run_squad.py` cuts them.

mod answer;
mod context;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::features::{NO_OFFSET, Parts};
use super::tokenizer::Tokenizer;
use crate::diagnostic::Diagnostic;
use context::Context;

/// `[CLS]`, `[SEP]` and `[SEP]`.
const SPECIAL_TOKENS: usize = 3;

/// How contexts are cut into windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSettings {
    /// The longest window in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: u32,
    /// How many tokens of the context lie between the starts of two windows.
    pub doc_stride: u32,
    /// The longest question in tokens; a longer one loses its end.
    pub max_query_length: u32,
}

/// A question as windows are built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The question's text.
    pub text: &'a str,
    /// The index of the paragraph that it is about.
    pub paragraph: u32,
    /// The answer to train on.
    pub answer: SpanAnswer<'a>,
}

/// Where a question's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanAnswer<'a> {
    /// Nobody said.
    Unknown,
    /// Not in the paragraph: SQuAD 2.0's impossible questions.
    Nowhere,
    /// In the paragraph.
    At {
        /// The answer's text.
        text: &'a str,
        /// Where it starts in the paragraph, in Unicode characters.
        start: u32,
    },
}

/// What windows are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Questions whose answer is unknown or cannot be found are left out and counted.
    Training,
    /// Every question has its windows; without an answer that can be found they have no labels (NaN).
    Evaluation,
}

/// The windows of questions. Those of a question follow each other in the order of its context, the questions in
/// theirs. A question about a context without any token has none.
#[derive(Clone, Debug)]
pub struct Windows {
    /// The windows in columns. Labels are the first and the last token of the answer, counted from the window's
    /// `[CLS]`: both are 0 in a window that does not hold the whole answer, and NaN where no answer is known.
    /// `source_index` is the index of each window's question, ascending; `offset_mapping` where each token stands in
    /// its question's context, from and up to a Unicode character. Pieces of one character share its place. Unlike a
    /// token's offset, a place ends after the accents of its last character. Truncated are questions that were cut to
    /// `max_query_length`.
    pub parts: Parts,
    /// Questions with an answer that is not in their paragraph: left out of training.
    pub unfindable: u64,
    /// Questions whose answer nobody said: left out of training.
    pub unanswered: u64,
}

impl Windows {
    /// The windows of `asked`, with all threads; each paragraph is tokenised once. The result does not depend on the
    /// number of threads.
    ///
    /// An answer's tokens are all that overlap its characters. It is looked for where it is said to start, then,
    /// with white space squeezed, anywhere in the words that it touches there, as `run_squad.py` does.
    ///
    /// # Errors
    /// Settings that leave no room for the context or would not move on; a failure of the tokeniser.
    ///
    /// # Panics
    /// When a question's paragraph is not in `paragraphs`.
    pub fn build(
        tokenizer: &Tokenizer,
        paragraphs: &[String],
        asked: &[Asked<'_>],
        settings: WindowSettings,
        purpose: Purpose,
    ) -> Result<Self, Diagnostic> {
        settings.check()?;
        let contexts =
            paragraphs.par_iter().map(|text| Context::new(tokenizer, text)).collect::<Result<Vec<_>, Diagnostic>>()?;
        let queries = asked
            .par_iter()
            .map(|asked| Query::new(tokenizer, asked, &contexts[asked.paragraph as usize], settings))
            .collect::<Result<Vec<_>, Diagnostic>>()?;
        let count = |wanted: &Target| queries.iter().filter(|query| query.target == *wanted).count() as u64;
        let truncated = queries.iter().filter(|query| query.truncated).count() as u64;
        let mut parts = Parts { offsets: vec![0], truncated, ..Parts::default() };
        let kept: Vec<(usize, &Query)> =
            queries.iter().enumerate().filter(|(_, query)| query.serves(purpose)).collect();
        let context = |owner: usize| &contexts[asked[owner].paragraph as usize];
        let tokens = kept
            .iter()
            .flat_map(|(owner, query)| {
                query.spans(context(*owner), settings).map(|(_, length)| query.around() + length)
            })
            .sum();
        parts.ids.reserve_exact(tokens);
        parts.segments.reserve_exact(tokens);
        parts.offset_mapping.reserve_exact(tokens);
        for (owner, query) in kept {
            for (start, length) in query.spans(context(owner), settings) {
                parts.push_window(tokenizer, owner as u32, query, context(owner), start, length);
            }
        }
        Ok(Self { parts, unfindable: count(&Target::Unfindable), unanswered: count(&Target::Unknown) })
    }
}

impl Parts {
    /// Adds the window of `length` tokens from `start` on.
    fn push_window(
        &mut self,
        by: &Tokenizer,
        owner: u32,
        query: &Query,
        context: &Context,
        start: usize,
        length: usize,
    ) {
        let special = by.special();
        let from = self.ids.len();
        self.ids.push(special.cls);
        self.ids.extend(&query.ids);
        self.ids.push(special.sep);
        let first = self.ids.len() - from;
        self.segments.resize(self.ids.len(), 0);
        self.offset_mapping.resize(self.ids.len(), NO_OFFSET);
        self.ids.extend(&context.ids[start..start + length]);
        self.offset_mapping.extend(&context.offset_mapping[start..start + length]);
        self.ids.push(special.end);
        self.segments.resize(self.ids.len(), 1);
        self.offset_mapping.push(NO_OFFSET);
        self.offsets.push(self.ids.len() as u64);
        self.source_index.push(owner);
        // Positions of a window are far below 2^24: exact in f32.
        self.labels.extend(match query.target {
            Target::Unknown | Target::Unfindable => [f32::NAN; 2],
            Target::Tokens([a, b]) if start <= a && b < start + length => {
                [(a - start + first) as f32, (b - start + first) as f32]
            }
            Target::Tokens(_) | Target::Nowhere => [0.0; 2],
        });
    }
}

impl WindowSettings {
    fn check(self) -> Result<(), Diagnostic> {
        let Self { max_length, doc_stride, max_query_length } = self;
        // The same condition as in run_squad.py.
        if u64::from(max_length) <= u64::from(max_query_length) + SPECIAL_TOKENS as u64 {
            return Err(Diagnostic::new(format!(
                "a max_length of {max_length} leaves no token of the context beside a max_query_length of \
                 {max_query_length}"
            ))
            .hint(format!("{SPECIAL_TOKENS} tokens of each window are [CLS] and [SEP]")));
        }
        if doc_stride == 0 {
            return Err(Diagnostic::new("with a doc_stride of 0 no window comes after the first"));
        }
        Ok(())
    }
}

/// What a question's windows are labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Unknown,
    Unfindable,
    Nowhere,
    /// The first and the last token of the answer in the context.
    Tokens([usize; 2]),
}

/// A question in tokens, cut to length.
struct Query {
    ids: Vec<u32>,
    truncated: bool,
    target: Target,
}

impl Query {
    fn new(
        tokenizer: &Tokenizer,
        asked: &Asked<'_>,
        context: &Context<'_>,
        settings: WindowSettings,
    ) -> Result<Self, Diagnostic> {
        let mut ids = tokenizer.encode(asked.text)?;
        let longest = settings.max_query_length as usize;
        let truncated = ids.len() > longest;
        ids.truncate(longest);
        let target = match asked.answer {
            SpanAnswer::Unknown => Target::Unknown,
            SpanAnswer::Nowhere => Target::Nowhere,
            SpanAnswer::At { text, start } => answer::locate(context.text, text, start)
                .and_then(|characters| context.covering(characters))
                .map_or(Target::Unfindable, Target::Tokens),
        };
        Ok(Self { ids, truncated, target })
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match (purpose, self.target) {
            (Purpose::Training, Target::Unknown | Target::Unfindable) => false,
            (Purpose::Training, Target::Nowhere | Target::Tokens(_)) | (Purpose::Evaluation, _) => true,
        }
    }

    /// The tokens of each window that are not of the context.
    fn around(&self) -> usize {
        self.ids.len() + SPECIAL_TOKENS
    }

    /// The start and length of each window's part of the context: the last one is the first that reaches its end.
    fn spans(&self, context: &Context<'_>, settings: WindowSettings) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (total, room) = (context.ids.len(), settings.max_length as usize - self.around());
        let step = room.min(settings.doc_stride as usize);
        let windows = if total <= room { usize::from(total > 0) } else { 1 + (total - room).div_ceil(step) };
        (0..windows).map(move |window| (window * step, room.min(total - window * step)))
    }
}
