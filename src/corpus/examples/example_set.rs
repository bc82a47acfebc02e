//! Examples for pretraining, made when they are asked for.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::error::ExamplesError;
use super::manifest::{CorpusCounts, MANIFEST, Manifest, damaged};
use super::masking::{Candidates, Pieces};
use super::order::{Cursor, ExampleOrder};
use super::plan::RECORD;
use super::positional::PositionalFile;
use super::segments::{Planned, Second};
use super::settings::{Drawn, ExampleSettings, Segments, Targets};
use super::tokens::TokenStore;
use crate::diagnostic::Diagnostic;
use crate::random::Stream;
use crate::text::Vocabulary;

/// An example takes a microsecond or two, so a thread should take more than one.
const AT_ONCE: usize = 16;

/// What a model reads of one example and what it has to say. There is no padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrainingInstance {
    /// Token ids, masked: `[CLS] a [SEP] b [SEP]`, `[CLS] a [SEP]` or a alone. `[tokens]`
    pub ids: Vec<u32>,
    /// 0 up to the first `[SEP]`, 1 after it. `[tokens]`
    pub segments: Vec<u8>,
    /// Where something is to be predicted, in ascending order. `[predictions]`
    pub masked_positions: Vec<u32>,
    /// What is to be predicted there: the token that stood there, or for left-to-right models the next one.
    /// `[predictions]`
    pub masked_labels: Vec<u32>,
    /// Whether the second segment is of another document; `None` where there is no second segment.
    pub next_is_random: Option<bool>,
}

/// A prepared corpus, whose examples can be asked for in any order and from any thread.
#[derive(Debug)]
pub struct ExampleSet {
    folder: PathBuf,
    manifest: Manifest,
    checksum: String,
    vocabulary: Vocabulary,
    pieces: Pieces,
    tokens: TokenStore,
    plans: Vec<PositionalFile>,
    /// For each plan the number of examples up to its end.
    ends: Vec<u64>,
}

impl ExampleSet {
    /// The corpus that was prepared in `folder`. Lengths of all files are checked, and the checksums of the small
    /// ones; [`Self::verify`] checks all.
    ///
    /// # Errors
    /// A folder that is no prepared corpus, or of another version; a file that is missing or damaged.
    pub fn open(folder: &Path) -> Result<Self, ExamplesError> {
        let manifest = Manifest::read(folder)?;
        for seal in std::iter::once(&manifest.vocabulary).chain(&manifest.merges) {
            if !seal.holds(folder)? {
                return Err(damaged(&folder.join(&seal.name), "its checksum does not match").into());
            }
        }
        let vocabulary_file = folder.join(&manifest.vocabulary.name);
        let vocabulary = Vocabulary::load(&vocabulary_file)?.of_language_model();
        manifest.settings.check()?;
        if manifest.vocabulary_size as usize != vocabulary.len() {
            return Err(damaged(&vocabulary_file, "it has another number of tokens than the manifest says").into());
        }
        let tokens = TokenStore::open(folder, &manifest)?;
        let (mut plans, mut ends) = (Vec::new(), Vec::new());
        for seal in &manifest.plans {
            let file = PositionalFile::open_sealed(folder, seal, RECORD as u64)?;
            ends.push(ends.last().copied().unwrap_or(0) + file.bytes() / RECORD as u64);
            plans.push(file);
        }
        let (checksum, pieces) = (manifest.checksum()?, Pieces::of(&vocabulary));
        Ok(Self { folder: folder.to_path_buf(), manifest, checksum, vocabulary, pieces, tokens, plans, ends })
    }

    /// Reads every file and holds it against its checksum.
    ///
    /// # Errors
    /// A file that is missing or is not the one that was written.
    pub fn verify(&self) -> Result<(), ExamplesError> {
        let seals: Vec<_> = self.manifest.seals().collect();
        seals.par_iter().try_for_each(|seal| {
            if seal.holds(&self.folder)? {
                return Ok(());
            }
            Err(damaged(&self.folder.join(&seal.name), "its checksum does not match").into())
        })
    }

    /// The number of examples: those of all times that the corpus was gone through.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Never true of a corpus that was prepared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// BLAKE3 over everything that the examples are made of and by, in hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// What the examples were made by.
    #[must_use]
    pub fn settings(&self) -> &ExampleSettings {
        &self.manifest.settings
    }

    /// What the corpus holds.
    #[must_use]
    pub fn counts(&self) -> &CorpusCounts {
        &self.manifest.counts
    }

    /// The folder that it was opened in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The vocabulary's file.
    #[must_use]
    pub fn vocabulary_file(&self) -> PathBuf {
        self.folder.join(&self.manifest.vocabulary.name)
    }

    /// The tokens of the corpus.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// SHA-256 of the vocabulary's file as the user has it, which a model's must equal.
    #[must_use]
    pub fn vocabulary_sha256(&self) -> &str {
        &self.manifest.vocabulary_sha256
    }

    /// Whether text was lower-cased and stripped of accents.
    #[must_use]
    pub fn lower_case(&self) -> bool {
        self.manifest.lower_case
    }

    /// The orders in which epochs of training take the examples.
    #[must_use]
    pub fn order(&self, seed: u64) -> ExampleOrder {
        ExampleOrder::new(self.len(), seed)
    }

    /// Example `number` as it is in an epoch: its masks depend on both, and on nothing else.
    ///
    /// # Errors
    /// A number that no example has; a file that cannot be read or is damaged.
    pub fn example(&self, number: u64, epoch: u64) -> Result<TrainingInstance, ExamplesError> {
        self.make(number, epoch, &mut Workspace::default())
    }

    /// The examples of a batch, as [`ExampleOrder::batch`] names them, made on all threads.
    ///
    /// # Errors
    /// As [`Self::example`].
    pub fn examples(&self, batch: &[(u64, u64)]) -> Result<Vec<TrainingInstance>, ExamplesError> {
        let made = batch.par_iter().with_min_len(AT_ONCE);
        made.map_init(Workspace::default, |work, (number, epoch)| self.make(*number, *epoch, work)).collect()
    }

    /// The examples of a training step of `size` that begins at `cursor` in the orders of `seed`, and the cursor
    /// after them.
    ///
    /// # Errors
    /// As [`Self::example`].
    pub fn batch(
        &self,
        seed: u64,
        cursor: Cursor,
        size: usize,
    ) -> Result<(Vec<TrainingInstance>, Cursor), ExamplesError> {
        let (numbers, cursor) = self.order(seed).batch(cursor, size);
        Ok((self.examples(&numbers)?, cursor))
    }

    /// The examples of a range of numbers, as far as there are any, as they are in the first epoch.
    ///
    /// # Errors
    /// As [`Self::example`].
    pub fn in_order(&self, range: Range<u64>) -> Result<Vec<TrainingInstance>, ExamplesError> {
        let numbers: Vec<(u64, u64)> = (range.start..range.end.min(self.len())).map(|number| (number, 0)).collect();
        self.examples(&numbers)
    }

    fn make(&self, number: u64, epoch: u64, work: &mut Workspace) -> Result<TrainingInstance, ExamplesError> {
        let Planned { first, second } = self.planned(number)?;
        let special = self.pieces.special();
        let settings = &self.manifest.settings;
        let mut ids = Vec::with_capacity(settings.max_length as usize);
        if settings.segments == Segments::Contiguous {
            self.tokens.read(&first, &mut ids, &mut work.bytes)?;
        } else {
            ids.push(special.cls);
            self.tokens.read(&first, &mut ids, &mut work.bytes)?;
            ids.push(special.sep);
        }
        let first_length = ids.len();
        let next_is_random = match &second {
            Second::Next(_) => Some(false),
            Second::Random(_) => Some(true),
            Second::Absent => None,
        };
        if let Second::Next(second) | Second::Random(second) = second {
            self.tokens.read(&second, &mut ids, &mut work.bytes)?;
            ids.push(special.sep);
        }
        if ids.len() > settings.max_length as usize {
            return Err(damaged(&self.folder.join(MANIFEST), "it contains an example that is too long").into());
        }
        let mut segments = vec![0; ids.len()];
        segments[first_length..].fill(1);
        let (masked_positions, masked_labels) = match settings.targets {
            Targets::Next => (0..).zip(ids.iter().skip(1)).map(|(at, label)| (at, *label)).unzip(),
            Targets::Masked(rules) => {
                let epoch = match settings.drawn {
                    Drawn::Once => 0,
                    Drawn::EachEpoch => epoch,
                };
                let mut draws = work.masks_of(settings.seed, epoch).at(number);
                self.pieces.mask(&mut ids, &rules, &mut draws, &mut work.masking)
            }
        };
        Ok(TrainingInstance { ids, segments, masked_positions, masked_labels, next_is_random })
    }

    fn planned(&self, number: u64) -> Result<Planned, ExamplesError> {
        let plan = self.ends.partition_point(|end| *end <= number);
        let Some(file) = self.plans.get(plan) else {
            let message = format!("no example {number}; the corpus has {}, counted from 0", self.len());
            return Err(Diagnostic::new(message).in_file(&self.folder).into());
        };
        let before = plan.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut record = [0; RECORD];
        file.read((number - before) * RECORD as u64, &mut record)?;
        Planned::from_bytes(&record)
            .ok_or_else(|| damaged(file.path(), "it contains something that is not an example").into())
    }
}

/// What is kept from one example to the next, so that it need not be made anew.
#[derive(Debug, Default)]
struct Workspace {
    bytes: Vec<u8>,
    masking: Candidates,
    /// The draws of an epoch's masks: naming a stream costs as much as some of its draws.
    masks: Option<(u64, Stream)>,
}

impl Workspace {
    fn masks_of(&mut self, seed: u64, epoch: u64) -> Stream {
        match self.masks {
            Some((of, stream)) if of == epoch => stream,
            _ => self.masks.insert((epoch, Stream::new(seed, &format!("masking {epoch}")))).1,
        }
    }
}
