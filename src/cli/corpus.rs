//! `bertbench corpus`

use std::path::PathBuf;
use std::time::Instant;

use clap::{Subcommand, ValueEnum};

use super::CommandOutcome;
use super::corpus_export::ExportArgs;
use super::corpus_input::CorpusArgs;
use super::corpus_show::ShowArgs;
use super::threads::ThreadArgs;
use crate::corpus::examples::{
    Drawn, ExampleSettings, MaskingRules, PrepareProgress, PrepareSummary, Replacement, Segments, Targets, TokenizedBy,
    check_output_folder, prepare,
};
use crate::diagnostic::Error;
use crate::terminal::{TextProgress, note, print};
use crate::text::{ModelTokenizer, Tokenizer};
use crate::units::{Bytes, Seconds};

/// Turn text into examples for pretraining, or inspect them.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Prepare(Box<PrepareArgs>),
    Show(ShowArgs),
    Export(ExportArgs),
}

/// Tokenise text and cut it into pretraining examples.
///
/// Examples are cut by the rules of google-research/bert's `create_pretraining_data.py`. The same text, vocabulary
/// and settings give the same bytes, whatever the number of threads.
#[derive(Debug, clap::Args)]
pub(super) struct PrepareArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// The vocabulary: `vocab.txt`, or a `tokenizer.json`.
    #[arg(long, value_name = "FILE")]
    vocab_file: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace an existing prepared corpus.
    #[arg(long)]
    replace: bool,
    /// Whether text is lower-cased and stripped of accents [default: false where the vocabulary has capital letters].
    #[arg(long, value_name = "true|false")]
    do_lower_case: Option<bool>,
    /// Longest example in tokens, special tokens included.
    #[arg(long, value_name = "N", default_value_t = 128)]
    max_length: u32,
    /// The probability that a document's examples aim at a shorter length.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    short_seq_prob: f64,
    /// Passes over the text, each of which cuts it into examples differently.
    #[arg(long, value_name = "N", default_value_t = 10)]
    dupe_factor: u32,
    /// `pairs` of segments for next-sentence prediction, `single` ones without it, or `contiguous` text without special tokens, for a GPT.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = SegmentArg::Pairs)]
    segments: SegmentArg,
    #[command(flatten)]
    masks: MaskArgs,
    /// The seed: the same seed gives the same examples.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// What has to be predicted. Masks are drawn when an example is read.
#[derive(Debug, clap::Args)]
struct MaskArgs {
    /// The maximum number of masked tokens in an example [default: 15 % of `--max-length`, rounded up; 20 of 128].
    #[arg(long, value_name = "N")]
    max_predictions_per_seq: Option<u32>,
    /// The share of tokens that are masked.
    #[arg(long, value_name = "SHARE", default_value_t = 0.15)]
    masked_lm_prob: f64,
    /// Mask all pieces of a word together.
    #[arg(long)]
    whole_word: bool,
    /// The probabilities that a masked token is replaced by `[MASK]`, kept, or replaced by a random token.
    #[arg(long, value_name = "MASK,KEEP,RANDOM", value_parser = parse_replacement, default_value = "0.8,0.1,0.1")]
    replace_by: Replacement,
    /// Draw the masks of each example once instead of anew in each epoch.
    #[arg(long)]
    static_masking: bool,
    /// Predict the next token instead of masked ones, for left-to-right models.
    #[arg(long)]
    causal_lm: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SegmentArg {
    Pairs,
    Single,
    Contiguous,
}

pub(super) fn execute(command: &Command) -> Result<CommandOutcome, Error> {
    match command {
        Command::Prepare(args) => Ok(args.threads.compute(|| args.execute())?.into()),
        Command::Show(args) => Ok(args.execute()?.into()),
        Command::Export(args) => args.execute(),
    }
}

impl PrepareArgs {
    fn execute(&self) -> Result<(), Error> {
        let settings = self.settings()?;
        check_output_folder(&self.out, self.replace)?;
        let ModelTokenizer { vocabulary, lower_case } = ModelTokenizer::of_text(&self.vocab_file, self.do_lower_case)?;
        let tokenizer = Tokenizer::new(&vocabulary, lower_case)?;
        let (mut corpus, size) = self.corpus.open()?;
        let started = Instant::now();
        let progress = TextProgress::new(size);
        let said = |now| match now {
            PrepareProgress::Tokenising { bytes, tokens } => {
                progress.say(Bytes(bytes), || rate(tokens, started));
            }
            PrepareProgress::Planning { examples } => progress.say(size, || format!("{examples} examples")),
        };
        let by = TokenizedBy { vocabulary: &vocabulary, tokenizer: &tokenizer };
        let made = prepare(&mut corpus, by, &settings, &self.out, &said);
        progress.finish();
        self.conclude(&made?, started)
    }

    fn settings(&self) -> Result<ExampleSettings, Error> {
        let settings = ExampleSettings {
            max_length: self.max_length,
            short_sequence_probability: self.short_seq_prob,
            dupe_factor: self.dupe_factor,
            segments: match self.segments {
                SegmentArg::Pairs => Segments::Pairs,
                SegmentArg::Single => Segments::Single,
                SegmentArg::Contiguous => Segments::Contiguous,
            },
            targets: self.masks.targets(self.max_length),
            drawn: if self.masks.static_masking { Drawn::Once } else { Drawn::EachEpoch },
            seed: self.seed,
        };
        settings.check()?;
        Ok(settings)
    }

    fn conclude(&self, made: &PrepareSummary, started: Instant) -> Result<(), Error> {
        let counts = &made.counts;
        let out = self.out.display();
        print(&format_args!(
            "{out}: {} documents, {} sentences, {} tokens ({} [UNK]), {} examples of up to {} tokens",
            counts.documents, counts.sentences, counts.tokens, counts.unknown_tokens, made.examples, self.max_length
        ))?;
        print(&rate(counts.tokens, started))?;
        let counted = [
            ("documents without text were skipped", counts.empty_documents),
            ("passages without text were skipped", counts.empty_sentences),
            ("documents were too long and were split", counts.split_documents),
        ];
        let remarks = made.remarks.iter().map(|(name, count)| (name.as_str(), *count));
        for (name, count) in counted.into_iter().chain(remarks).filter(|(_, count)| *count > 0) {
            note(&format_args!("{count} {name}"));
        }
        Ok(())
    }
}

impl MaskArgs {
    fn targets(&self, max_length: u32) -> Targets {
        if self.causal_lm {
            return Targets::Next;
        }
        // The paper's 20 of 128 and 77 of 512.
        let of_longest = || (f64::from(max_length) * self.masked_lm_prob).ceil() as u32;
        let most = self.max_predictions_per_seq.unwrap_or_else(of_longest);
        Targets::Masked(MaskingRules {
            share: self.masked_lm_prob,
            most,
            whole_words: self.whole_word,
            replacement: self.replace_by,
        })
    }
}

/// `0.8,0.1,0.1`
fn parse_replacement(text: &str) -> Result<Replacement, String> {
    let shares: Result<Vec<f64>, _> = text.split(',').map(|share| share.trim().parse()).collect();
    match shares.as_deref() {
        Ok([mask, same, random]) => Ok(Replacement { mask: *mask, same: *same, random: *random }),
        Ok(_) | Err(_) => Err("three numbers were expected, such as 0.8,0.1,0.1".to_owned()),
    }
}

/// `12345 tokens in 0.50 s: 24690 tokens/s`
fn rate(tokens: u64, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64();
    format!("{tokens} tokens in {}: {:.0} tokens/s", Seconds(seconds), tokens as f64 / seconds.max(f64::MIN_POSITIVE))
}
