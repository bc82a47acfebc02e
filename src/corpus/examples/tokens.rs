//! The token files: ids of all documents, with the ends of sentences and documents beside them.
//!
//! A shard is three files of little-endian numbers without headers (the manifest has all that a header would):
//! `tokens-NNNNN.bin`, ids of 16 or 32 bits; `sentences-NNNNN.bin`, for each sentence where it ends, in tokens of
//! the shard, 32 bits; `documents-NNNNN.bin`, for each document where it ends, in sentences of the shard, 32 bits.
//! A document lies in one shard.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::error::ExamplesError;
use super::manifest::{CorpusCounts, Manifest, ShardSeals, TokenWidth, damaged};
use super::positional::PositionalFile;
use super::sealed::SealedWriter;

/// How large a shard and a document may grow. A shard ends with the document in which it reaches its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) shard_tokens: u64,
    pub(super) document_tokens: u64,
    pub(super) document_sentences: u64,
}

/// 256 MiB a shard. A document's sentences are held in memory while it is cut, and a shard's tokens are counted in
/// 32 bits, so a document without an end has to have one: text of a gigabyte, or two million sentences.
pub(super) const SIZES: Sizes = Sizes { shard_tokens: 1 << 27, document_tokens: 1 << 28, document_sentences: 1 << 21 };

/// Tokenised passages, on their way to the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokenised {
    pub(super) ids: Vec<u32>,
    /// Where each sentence ends in `ids`.
    pub(super) sentence_ends: Vec<usize>,
    /// For each end of a document, the number of sentences before it.
    pub(super) document_ends: Vec<usize>,
    pub(super) empty_sentences: u64,
    pub(super) unknown_tokens: u64,
}

/// Writes shards.
pub(super) struct TokenWriter<'a> {
    folder: &'a Path,
    width: TokenWidth,
    sizes: Sizes,
    shard: Option<OpenShard>,
    done: Vec<ShardSeals>,
    counts: CorpusCounts,
    /// Of the document that is open.
    open: Extent,
    /// A sentence as it is written.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    sentences: u64,
    tokens: u64,
    /// Whether it goes on from a document that was too long.
    continued: bool,
}

struct OpenShard {
    tokens: SealedWriter,
    sentences: SealedWriter,
    documents: SealedWriter,
    token_count: u64,
    sentence_count: u64,
}

impl<'a> TokenWriter<'a> {
    pub(super) fn new(folder: &'a Path, width: TokenWidth, sizes: Sizes) -> Self {
        let (counts, open) = (CorpusCounts::default(), Extent::default());
        Self { folder, width, sizes, shard: None, done: Vec::new(), counts, open, bytes: Vec::new() }
    }

    pub(super) fn append(&mut self, block: &Tokenised) -> io::Result<()> {
        self.counts.empty_sentences += block.empty_sentences;
        self.counts.unknown_tokens += block.unknown_tokens;
        let mut ends = block.document_ends.iter().copied().peekable();
        let mut start = 0;
        for (number, &end) in block.sentence_ends.iter().enumerate() {
            while ends.next_if_eq(&number).is_some() {
                self.end_document()?;
            }
            self.sentence(&block.ids[start..end])?;
            start = end;
        }
        ends.try_for_each(|_| self.end_document())
    }

    /// Ends the last document and the last shard.
    pub(super) fn finish(mut self) -> io::Result<(Vec<ShardSeals>, CorpusCounts)> {
        if self.open.sentences > 0 {
            self.end_document()?;
        }
        self.end_shard()?;
        Ok((self.done, self.counts))
    }

    fn sentence(&mut self, ids: &[u32]) -> io::Result<()> {
        let too_long = self.open.tokens + ids.len() as u64 > self.sizes.document_tokens
            || self.open.sentences >= self.sizes.document_sentences;
        if too_long && self.open.sentences > 0 {
            self.end_document()?;
            self.counts.split_documents += 1;
            self.open.continued = true;
        }
        let shard = match &mut self.shard {
            Some(shard) => shard,
            none => none.insert(OpenShard::create(self.folder, self.done.len())?),
        };
        self.bytes.clear();
        match self.width {
            TokenWidth::Narrow => ids.iter().for_each(|id| self.bytes.extend((*id as u16).to_le_bytes())),
            TokenWidth::Wide => ids.iter().for_each(|id| self.bytes.extend(id.to_le_bytes())),
        }
        shard.tokens.write(&self.bytes)?;
        shard.token_count += ids.len() as u64;
        shard.sentence_count += 1;
        shard.sentences.write(&(shard.token_count as u32).to_le_bytes())?;
        self.open.sentences += 1;
        self.open.tokens += ids.len() as u64;
        self.counts.sentences += 1;
        self.counts.tokens += ids.len() as u64;
        Ok(())
    }

    fn end_document(&mut self) -> io::Result<()> {
        let ended = std::mem::take(&mut self.open);
        if ended.sentences == 0 {
            self.counts.empty_documents += u64::from(!ended.continued);
            return Ok(());
        }
        self.counts.documents += 1;
        if let Some(shard) = &mut self.shard {
            shard.documents.write(&(shard.sentence_count as u32).to_le_bytes())?;
            if shard.token_count >= self.sizes.shard_tokens {
                self.end_shard()?;
            }
        }
        Ok(())
    }

    fn end_shard(&mut self) -> io::Result<()> {
        if let Some(OpenShard { tokens, sentences, documents, .. }) = self.shard.take() {
            let (tokens, sentences, documents) = (tokens.finish()?, sentences.finish()?, documents.finish()?);
            self.done.push(ShardSeals { tokens, sentences, documents });
        }
        Ok(())
    }
}

impl OpenShard {
    fn create(folder: &Path, number: usize) -> io::Result<Self> {
        let create = |what: &str| SealedWriter::create(folder, format!("{what}-{number:05}.bin"));
        let (tokens, sentences, documents) = (create("tokens")?, create("sentences")?, create("documents")?);
        Ok(Self { tokens, sentences, documents, token_count: 0, sentence_count: 0 })
    }
}

/// Reads shards. In memory are 4 bytes for each document; tokens and sentences are read where they stand.
#[derive(Debug)]
pub(super) struct TokenStore {
    width: TokenWidth,
    vocabulary_size: u32,
    shards: Vec<Shard>,
    /// For each shard the number of documents up to its end.
    documents: Vec<u64>,
    /// For each shard the number of tokens up to its end.
    tokens: Vec<u64>,
}

#[derive(Debug)]
struct Shard {
    tokens: PositionalFile,
    sentences: PositionalFile,
    /// Where each document ends, in sentences.
    documents: Vec<u32>,
}

/// The sentences of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DocumentPlace {
    shard: usize,
    /// Numbers of sentences in the shard.
    pub(super) sentences: Range<u64>,
}

impl TokenStore {
    pub(super) fn open(folder: &Path, manifest: &Manifest) -> Result<Self, ExamplesError> {
        let (vocabulary_size, width) = (manifest.vocabulary_size, manifest.width);
        let (shards, documents, tokens) = (Vec::new(), Vec::new(), Vec::new());
        let mut store = Self { width, vocabulary_size, shards, documents, tokens };
        for seals in &manifest.shards {
            let open = |seal| PositionalFile::open_sealed(folder, seal, 1);
            let (tokens, sentences, documents) =
                (open(&seals.tokens)?, open(&seals.sentences)?, open(&seals.documents)?);
            // Small, and an error in it would lead into other documents, so it is always checked.
            if !seals.documents.holds(folder)? {
                return Err(damaged(documents.path(), "its checksum does not match").into());
            }
            let ends = documents.numbers(0, documents.bytes() / 4)?;
            let before = |sums: &[u64]| sums.last().copied().unwrap_or(0);
            store.documents.push(before(&store.documents) + ends.len() as u64);
            store.tokens.push(before(&store.tokens) + tokens.bytes() / width.bytes());
            store.shards.push(Shard { tokens, sentences, documents: ends });
        }
        Ok(store)
    }

    pub(super) fn documents(&self) -> u64 {
        self.documents.last().copied().unwrap_or(0)
    }

    /// Where document `number` of the corpus stands.
    pub(super) fn place(&self, number: u64) -> DocumentPlace {
        let shard = self.documents.partition_point(|end| *end <= number);
        let before = shard.checked_sub(1).map_or(0, |before| self.documents[before]);
        let (ends, at) = (&self.shards[shard].documents, (number - before) as usize);
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        DocumentPlace { shard, sentences: start.into()..ends[at].into() }
    }

    /// Puts the bounds of sentences of one document, in tokens of the corpus, into `bounds`: one more than there are
    /// sentences.
    pub(super) fn bounds(&self, place: &DocumentPlace, sentences: Range<u64>, bounds: &mut Vec<u64>) -> io::Result<()> {
        let base = place.shard.checked_sub(1).map_or(0, |before| self.tokens[before]);
        bounds.clear();
        bounds.extend((sentences.start == 0).then_some(base));
        // The end of the sentence before is where the first one starts.
        let ends = &self.shards[place.shard].sentences;
        ends.each_number(sentences.start.saturating_sub(1), sentences.end, |end| bounds.push(base + u64::from(end)))
    }

    /// Appends the ids of a range of tokens, which lies in one shard, to `ids`, by way of `bytes`.
    pub(super) fn read(
        &self,
        range: &Range<u64>,
        ids: &mut Vec<u32>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ExamplesError> {
        let shard = self.tokens.partition_point(|end| *end <= range.start);
        let base = shard.checked_sub(1).map_or(0, |before| self.tokens[before]);
        let Some(Shard { tokens, .. }) = self.shards.get(shard) else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        };
        let width = self.width.bytes();
        bytes.resize(((range.end - range.start) * width) as usize, 0);
        tokens.read((range.start - base) * width, bytes)?;
        let first = ids.len();
        match self.width {
            TokenWidth::Narrow => ids.extend(bytes.as_chunks().0.iter().map(|id| u32::from(u16::from_le_bytes(*id)))),
            TokenWidth::Wide => ids.extend(bytes.as_chunks().0.iter().map(|id| u32::from_le_bytes(*id))),
        }
        // The largest of all, which is found many at a time; a search would look at one after the other.
        if ids[first..].iter().fold(0, |largest, id| largest.max(*id)) >= self.vocabulary_size {
            return Err(damaged(tokens.path(), "it contains a token that is not in the vocabulary").into());
        }
        Ok(())
    }
}
