//! `bertbench corpus show`

use std::path::PathBuf;

use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Error;
use crate::terminal::print;

/// Describe a prepared corpus, or print one of its examples.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// The folder that `corpus prepare` wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print this example, counted from 0.
    #[arg(long, value_name = "N")]
    example: Option<u64>,
    /// Use the masks of this epoch.
    #[arg(long, value_name = "N", default_value_t = 0)]
    epoch: u64,
    /// Verify the checksum of every file.
    #[arg(long)]
    verify: bool,
}

impl ShowArgs {
    pub(super) fn execute(&self) -> Result<(), Error> {
        let set = ExampleSet::open(&self.folder)?;
        if self.verify {
            set.verify()?;
        }
        match self.example {
            Some(number) => self.example(&set, number),
            None => self.summary(&set),
        }
    }

    fn summary(&self, set: &ExampleSet) -> Result<(), Error> {
        let counts = set.counts();
        let case = if set.lower_case() { "lower-cased" } else { "cased" };
        print(&format_args!("documents   {}", counts.documents))?;
        print(&format_args!("sentences   {}", counts.sentences))?;
        print(&format_args!("tokens      {}", counts.tokens))?;
        print(&format_args!("examples    {}", set.len()))?;
        print(&format_args!("vocabulary  {} tokens, {case}, {}", set.vocabulary().len(), set.vocabulary_sha256()))?;
        print(&format_args!("checksum    {}", set.checksum()))?;
        let settings = serde_json::to_string_pretty(set.settings()).map_err(std::io::Error::from)?;
        print(&format_args!("settings    {settings}"))?;
        if self.verify {
            print(&"all checksums match")?;
        }
        Ok(())
    }

    /// The example as text: tokens that are to be predicted as `[MASK]{label}`.
    fn example(&self, set: &ExampleSet, number: u64) -> Result<(), Error> {
        let example = set.example(number, self.epoch)?;
        let token = |id: u32| set.vocabulary().token(id).unwrap_or("?");
        let mut labels = example.masked_positions.iter().zip(&example.masked_labels).peekable();
        let words: Vec<String> = (0..)
            .zip(&example.ids)
            .map(|(at, id)| match labels.next_if(|(position, _)| **position == at) {
                Some((_, label)) => format!("{}{{{}}}", token(*id), token(*label)),
                None => token(*id).to_owned(),
            })
            .collect();
        let first = example.segments.partition_point(|segment| *segment == 0);
        let next = match example.next_is_random {
            Some(true) => "of another document",
            Some(false) => "what follows",
            None => "none",
        };
        let (tokens, predictions) = (example.ids.len(), example.masked_positions.len());
        print(&format_args!("example {number} of {}: {tokens} tokens, {predictions} predictions", set.len()))?;
        print(&format_args!("segment 0: {}", words[..first].join(" ")))?;
        if first < words.len() {
            print(&format_args!("segment 1 ({next}): {}", words[first..].join(" ")))?;
        }
        Ok(())
    }
}
