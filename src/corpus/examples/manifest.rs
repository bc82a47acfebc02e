//! `corpus.json`: what a prepared corpus is, and the checksums of its files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::ExamplesError;
use super::sealed::Seal;
use super::settings::ExampleSettings;
use crate::diagnostic::Diagnostic;
use crate::store::atomic;

/// Changes whenever the files' layout or the meaning of a number does.
const VERSION: u32 = 1;

/// The manifest's name. A folder that holds it is a prepared corpus.
pub const MANIFEST: &str = "corpus.json";
/// The vocabulary's name in the folder, but for a GPT's.
pub(super) const VOCABULARY: &str = "vocab.txt";

/// How many bytes a token takes in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenWidth {
    /// Two, for vocabularies of up to 65,536 tokens.
    Narrow,
    /// Four.
    Wide,
}

/// What was counted while a corpus was tokenised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusCounts {
    /// Documents with at least one token.
    pub documents: u64,
    /// Sentences with at least one token.
    pub sentences: u64,
    /// WordPiece tokens, special ones not included.
    pub tokens: u64,
    /// Tokens that are `[UNK]`.
    pub unknown_tokens: u64,
    /// Documents without any token, which are left out.
    pub empty_documents: u64,
    /// Passages without any token, such as a line of control characters, which are left out.
    pub empty_sentences: u64,
    /// Documents that were so long that they go on as another one.
    pub split_documents: u64,
}

/// Everything that a prepared corpus was made by, and nothing that differs between two times that it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    pub(super) vocabulary_sha256: String,
    pub(super) vocabulary_size: u32,
    pub(super) lower_case: bool,
    pub(super) settings: ExampleSettings,
    pub(super) counts: CorpusCounts,
    /// What the reader of the input had to say: counts by name.
    pub(super) remarks: BTreeMap<String, u64>,
    pub(super) width: TokenWidth,
    pub(super) shards: Vec<ShardSeals>,
    /// One file for each time that the corpus was gone through.
    pub(super) plans: Vec<Seal>,
    /// `vocab.txt`, or a GPT's `vocab.json`.
    pub(super) vocabulary: Seal,
    /// A GPT's `merges.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merges: Option<Seal>,
}

/// The files of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShardSeals {
    pub(super) tokens: Seal,
    pub(super) sentences: Seal,
    pub(super) documents: Seal,
}

/// A manifest as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    blake3: String,
    corpus: Manifest,
}

impl TokenWidth {
    pub(super) fn of(vocabulary_size: usize) -> Self {
        if vocabulary_size <= 1 << 16 { Self::Narrow } else { Self::Wide }
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Narrow => 2,
            Self::Wide => 4,
        }
    }
}

impl Manifest {
    /// A manifest without files.
    pub(super) fn new(vocabulary: Seal, vocabulary_sha256: &str, size: usize, lower_case: bool) -> Self {
        Self {
            version: VERSION,
            vocabulary_sha256: vocabulary_sha256.to_owned(),
            vocabulary_size: size as u32,
            lower_case,
            settings: ExampleSettings::default(),
            counts: CorpusCounts::default(),
            remarks: BTreeMap::new(),
            width: TokenWidth::of(size),
            shards: Vec::new(),
            plans: Vec::new(),
            vocabulary,
            merges: None,
        }
    }

    /// BLAKE3 of everything in the manifest, and through the checksums in it of all files.
    pub(super) fn checksum(&self) -> Result<String, ExamplesError> {
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), ExamplesError> {
        let written = Written { blake3: self.checksum()?, corpus: self.clone() };
        Ok(atomic::write_json(&folder.join(MANIFEST), &written)?)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, ExamplesError> {
        let path = folder.join(MANIFEST);
        let prepare = "`bertbench corpus prepare` makes such a folder";
        let bytes = std::fs::read(&path)
            .map_err(|error| Diagnostic::new(format!("not a prepared corpus: {error}")).in_file(&path).hint(prepare))?;
        let damaged = |cause: String| damaged(&path, &cause);
        // The version first: of another one, nothing else may be understood.
        let version = serde_json::from_slice::<serde_json::Value>(&bytes)
            .map_err(|error| damaged(error.to_string()))?["corpus"]["version"]
            .as_u64();
        if version != Some(VERSION.into()) {
            let found = version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
            let message = format!("a corpus of {found}, where version {VERSION} is read");
            return Err(Diagnostic::new(message).in_file(&path).hint("prepare it again").into());
        }
        let written: Written = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if written.corpus.checksum()? != written.blake3 {
            return Err(damaged("its checksum does not match".into()).into());
        }
        Ok(written.corpus)
    }

    /// Every file.
    pub(super) fn seals(&self) -> impl Iterator<Item = &Seal> {
        let shards = self.shards.iter().flat_map(|shard| [&shard.tokens, &shard.sentences, &shard.documents]);
        shards.chain(&self.plans).chain([&self.vocabulary]).chain(&self.merges)
    }
}

/// The finding that a file is not what was written.
pub(super) fn damaged(path: &Path, cause: &str) -> Diagnostic {
    Diagnostic::new(format!("the prepared corpus is damaged: {cause}")).in_file(path).hint("prepare it again")
}
