//! `bertbench vocab`

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;

use super::corpus_input::CorpusArgs;
use super::threads::ThreadArgs;
use crate::corpus::examples::PassageSource;
use crate::corpus::vocabulary_training::{SpecialRows, VocabularySettings, WordCounts, train_vocabulary};
use crate::diagnostic::{Diagnostic, Error};
use crate::terminal::{Output, TextProgress, note, print};
use crate::units::{Bytes, Seconds};

/// Learn a vocabulary from text.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Train(TrainArgs),
}

/// Learn a WordPiece vocabulary, and write it as a `vocab.txt`.
///
/// The same text gives the same vocabulary, whatever the number of threads.
#[derive(Debug, clap::Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "vocab.txt")]
    out: PathBuf,
    /// The number of tokens, special ones included; BERT's uncased vocabulary has 30522.
    #[arg(long, value_name = "N", default_value_t = 30522)]
    vocab_size: u32,
    /// Keep upper case and accents.
    #[arg(long)]
    cased: bool,
    /// Use the special tokens of BERT's Chinese vocabulary, and keep every character that occurs.
    #[arg(long)]
    chinese: bool,
    /// Leave out the `[unused]` tokens: the five special tokens come first.
    #[arg(long)]
    no_unused: bool,
    /// The maximum number of single characters in the vocabulary [default: 1000; with `--chinese` all].
    #[arg(long, value_name = "N")]
    characters: Option<u32>,
    /// The minimum frequency of what is learned.
    #[arg(long, value_name = "N", default_value_t = VocabularySettings::MIN_FREQUENCY)]
    min_frequency: u64,
    #[command(flatten)]
    threads: ThreadArgs,
}

pub(super) fn execute(Command::Train(args): &Command) -> Result<(), Error> {
    args.threads.compute(|| args.execute())
}

impl TrainArgs {
    fn settings(&self) -> VocabularySettings {
        let rows = match (self.no_unused, self.chinese) {
            (true, _) => SpecialRows::SpecialOnly,
            (false, true) => SpecialRows::GoogleChinese,
            (false, false) => SpecialRows::Google,
        };
        let characters =
            if self.chinese { self.characters } else { self.characters.or(Some(VocabularySettings::CHARACTERS)) };
        VocabularySettings { size: self.vocab_size, rows, characters, min_frequency: self.min_frequency }
    }

    fn execute(&self) -> Result<(), Error> {
        if self.out == Path::new("-") {
            return Err(Diagnostic::new("the vocabulary is written to a file").hint("`--out vocab.txt`").into());
        }
        let output = Output::open(&self.out)?;
        let (mut corpus, size) = self.corpus.open()?;
        let started = Instant::now();
        let progress = TextProgress::new(size);
        let mut read = Bytes(0);
        let counts = WordCounts::of(&mut corpus, !self.cased, &mut |more| {
            read.0 += more;
            progress.say(read, || format!("{read} of {size} read"));
        });
        progress.finish();
        let counts = counts?;
        let settings = self.settings();
        let learned = train_vocabulary(&counts, &settings)?;
        output.write(learned.to_text())?;
        let wall = Seconds(started.elapsed().as_secs_f64());
        let words = counts.words().len();
        print(&format_args!("{}: {} tokens of {words} words in {wall}", self.out.display(), learned.tokens.len()))?;
        if learned.tokens.len() < settings.size as usize {
            note(&format_args!("no other pair occurs often enough: {} tokens were asked for", settings.size));
        }
        let counted = [
            (learned.words_left_out, "words have characters outside the vocabulary and become [UNK]"),
            (counts.dropped(), "occurrences of rare words were not counted, to save memory"),
        ];
        for (count, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
            note(&format_args!("{count} {what}"));
        }
        corpus.remarks().iter().for_each(|(name, count)| note(&format_args!("{count} {name}")));
        Ok(())
    }
}
