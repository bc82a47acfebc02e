//! A corpus in which every token is another one, so that a token tells where it stands.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use crate::corpus::examples::tokens::{SIZES, Sizes};
use crate::corpus::examples::{
    ExampleSet, ExampleSettings, ExamplesError, PassageSource, Passages, PrepareSummary, TokenizedBy, prepare,
};
use crate::diagnostic::Diagnostic;
use crate::random::Stream;
use crate::text::{Tokenizer, Vocabulary};

/// Passages that were made beforehand.
pub(in crate::corpus) struct Blocks(pub(in crate::corpus) VecDeque<Passages>);

impl PassageSource for Blocks {
    fn next_block(&mut self) -> Result<Option<Passages>, Diagnostic> {
        Ok(self.0.pop_front())
    }

    fn remarks(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("odd lines".into(), 3)])
    }
}

/// Documents as lists of the lengths of their sentences.
pub(super) struct World {
    pub(super) vocabulary: Vocabulary,
    pub(super) tokenizer: Tokenizer,
    /// For each token of the corpus the number of its document.
    pub(super) document_of: Vec<usize>,
    /// For each token of the corpus the number of its sentence.
    pub(super) sentence_of: Vec<usize>,
    texts: Vec<Vec<String>>,
}

/// The id of the corpus' first token; those before it are special.
pub(super) const FIRST: u32 = 5;

impl World {
    pub(super) fn new(documents: &[Vec<usize>]) -> Self {
        // Token number `at` of the corpus is the word `w<at>`, or goes on with the word before it as `##p<at>`.
        let mut draws = Stream::new(9, "world").at(0);
        let mut tokens: Vec<String> = Vec::new();
        let (mut document_of, mut sentence_of, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let mut sentences = 0;
        for (number, lengths) in documents.iter().enumerate() {
            let mut written = Vec::new();
            for length in lengths {
                let mut text = String::new();
                for piece in 0..*length {
                    let at = document_of.len();
                    let continues = piece > 0 && draws.chance(0.3);
                    tokens.push(if continues { format!("##p{at}") } else { format!("w{at}") });
                    text.push_str(if continues { "p" } else { " w" });
                    text.push_str(&at.to_string());
                    document_of.push(number);
                    sentence_of.push(sentences);
                }
                written.push(text);
                sentences += 1;
            }
            texts.push(written);
        }
        let vocabulary = if tokens.is_empty() { vec!["w".to_owned()] } else { tokens };
        let vocabulary = Vocabulary::of_words(vocabulary.iter().map(String::as_str)).unwrap();
        let tokenizer = Tokenizer::new(&vocabulary, true).unwrap();
        Self { vocabulary, tokenizer, document_of, sentence_of, texts }
    }

    /// So many documents of 1 to 9 sentences of 1 to 60 tokens.
    pub(super) fn of(documents: usize) -> Self {
        let mut draws = Stream::new(5, "world").at(1);
        let mut lengths = |_| (0..=draws.below(9)).map(|_| 1 + draws.below(60)).collect();
        Self::new(&(0..documents).map(&mut lengths).collect::<Vec<_>>())
    }

    /// The corpus in blocks of so many sentences.
    pub(super) fn blocks(&self, sentences: usize) -> Blocks {
        let mut blocks = VecDeque::from([Passages::default()]);
        let mut here = 0;
        for document in &self.texts {
            for text in document {
                if here == sentences {
                    blocks.push_back(Passages::default());
                    here = 0;
                }
                blocks.back_mut().unwrap().push(text);
                here += 1;
            }
            blocks.back_mut().unwrap().end_document();
        }
        Blocks(blocks)
    }

    pub(super) fn by(&self) -> TokenizedBy<'_> {
        TokenizedBy { vocabulary: &self.vocabulary, tokenizer: &self.tokenizer }
    }

    pub(super) fn prepare(&self, settings: &ExampleSettings, out: &Path) -> Result<PrepareSummary, ExamplesError> {
        prepare(&mut self.blocks(100), self.by(), settings, out, &|_| ())
    }

    /// The examples in a folder that is kept as long as the first value lives.
    pub(super) fn examples(&self, settings: &ExampleSettings) -> (tempfile::TempDir, ExampleSet) {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("corpus");
        self.prepare(settings, &out).unwrap();
        let set = ExampleSet::open(&out).unwrap();
        (folder, set)
    }
}

/// Shards and documents of a few tokens.
pub(super) const SMALL: Sizes = Sizes { shard_tokens: 500, ..SIZES };
