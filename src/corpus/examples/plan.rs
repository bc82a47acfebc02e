//! The plan: for each example which tokens are its segments, 24 bytes in a file.
//!
//! Google's script writes every example out, as often as `dupe_factor` says; a plan is a tenth of that, and the
//! tokens stand on disk once.

use std::io;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use super::error::ExamplesError;
use super::sealed::{Seal, SealedWriter};
use super::segments::{Planned, Second, pairs, singles};
use super::settings::{ExampleSettings, Segments};
use super::tokens::{DocumentPlace, TokenStore};
use crate::random::{Draws, Stream};

/// The size of an example in a plan's file.
pub(super) const RECORD: usize = 24;
/// How many sentences a thread plans at a time, more or less.
const SENTENCES_AT_ONCE: u64 = 1 << 14;
/// How many sentences of a random document are looked at in one read.
const SENTENCES_AHEAD: u64 = 16;

impl Planned {
    /// Start of the first segment, start of the second, their lengths, the kind of the second.
    fn to_bytes(&self) -> [u8; RECORD] {
        let (second, kind) = match &self.second {
            Second::Next(second) => (second.clone(), 0),
            Second::Random(second) => (second.clone(), 1),
            Second::Absent => (0..0, 2u32),
        };
        let length = |range: &Range<u64>| (range.end - range.start) as u16;
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.first.start.to_le_bytes());
        bytes[8..16].copy_from_slice(&second.start.to_le_bytes());
        bytes[16..18].copy_from_slice(&length(&self.first).to_le_bytes());
        bytes[18..20].copy_from_slice(&length(&second).to_le_bytes());
        bytes[20..].copy_from_slice(&kind.to_le_bytes());
        bytes
    }

    /// `None` of bytes that [`Self::to_bytes`] does not write.
    pub(super) fn from_bytes(bytes: &[u8; RECORD]) -> Option<Self> {
        let (starts, rest) = bytes.split_at(16);
        let ([first, second], []) = starts.as_chunks() else { return None };
        let ([a, b, kind, high], []) = rest.as_chunks() else { return None };
        let range = |start: &[u8; 8], length: &[u8; 2]| {
            let start = u64::from_le_bytes(*start);
            Some(start..start.checked_add(u16::from_le_bytes(*length).into())?)
        };
        let (first, second) = (range(first, a)?, range(second, b)?);
        let second = match (u16::from_le_bytes(*kind), u16::from_le_bytes(*high)) {
            (0, 0) => Second::Next(second),
            (1, 0) => Second::Random(second),
            (2, 0) if second == (0..0) => Second::Absent,
            _ => return None,
        };
        Some(Self { first, second })
    }
}

/// Plans every time that the corpus is gone through, each in a file `examples-NNNNN.bin` in `folder`, and says after
/// each piece how many examples there are so far.
pub(super) fn write(
    store: &TokenStore,
    settings: &ExampleSettings,
    folder: &Path,
    said: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Seal>, ExamplesError> {
    let planner = Planner { store, settings, stream: Stream::new(settings.seed, "pretraining examples") };
    let pieces = planner.pieces();
    let at_once = 4 * rayon::current_num_threads();
    let mut examples = 0;
    let mut seals = Vec::new();
    for round in 0..settings.dupe_factor {
        let mut file = SealedWriter::create(folder, format!("examples-{round:05}.bin"))?;
        for some in pieces.chunks(at_once) {
            let records: Vec<_> = some.par_iter().map(|piece| planner.plan(round, piece.clone())).collect();
            for piece in records {
                let piece = piece?;
                examples += (piece.len() / RECORD) as u64;
                file.write(&piece)?;
            }
            said(examples);
        }
        seals.push(file.finish()?);
    }
    Ok(seals)
}

struct Planner<'a> {
    store: &'a TokenStore,
    settings: &'a ExampleSettings,
    stream: Stream,
}

impl Planner<'_> {
    /// Runs of documents that are about equally much work.
    fn pieces(&self) -> Vec<Range<u64>> {
        let mut pieces = Vec::new();
        let (mut start, mut sentences) = (0, 0);
        for document in 0..self.store.documents() {
            let place = self.store.place(document);
            sentences += place.sentences.end - place.sentences.start;
            if sentences >= SENTENCES_AT_ONCE {
                pieces.push(start..document + 1);
                (start, sentences) = (document + 1, 0);
            }
        }
        if start < self.store.documents() {
            pieces.push(start..self.store.documents());
        }
        pieces
    }

    /// The records of these documents. Each document in each round has draws of its own.
    fn plan(&self, round: u32, documents: Range<u64>) -> io::Result<Vec<u8>> {
        let (mut found, mut records) = (Vec::new(), Vec::new());
        let (mut bounds, mut others) = (Vec::new(), Vec::new());
        for document in documents {
            let place = self.store.place(document);
            self.store.bounds(&place, place.sentences.clone(), &mut bounds)?;
            let mut draws = self.stream.at(u64::from(round) * self.store.documents() + document);
            match self.settings.segments {
                Segments::Pairs => {
                    let other = |draws: &mut Draws, needed: u64| self.random_next(document, needed, draws, &mut others);
                    pairs(&bounds, self.settings, &mut draws, other, &mut found)?;
                }
                Segments::Single => singles(&bounds, self.settings, &mut draws, &mut found),
                Segments::Contiguous => {
                    singles(&bounds, self.settings, &mut draws, &mut found);
                    // A token alone has no next one.
                    found.retain(|planned| planned.first.end - planned.first.start > 1);
                }
            }
            found.drain(..).for_each(|planned| records.extend(planned.to_bytes()));
        }
        Ok(records)
    }

    /// Sentences from a random one on of a random document other than `not`, until they have `needed` tokens.
    /// The reference draws up to ten times until it has another document, then takes what it has; this always
    /// takes another one.
    fn random_next(&self, not: u64, needed: u64, draws: &mut Draws, bounds: &mut Vec<u64>) -> io::Result<Range<u64>> {
        let other = draws.below(self.store.documents().saturating_sub(1) as usize) as u64;
        let place = self.store.place(other + u64::from(other >= not));
        let count = place.sentences.end - place.sentences.start;
        let first = place.sentences.start + draws.below(count as usize) as u64;
        self.sentences_from(&place, first, needed, bounds)
    }

    fn sentences_from(
        &self,
        place: &DocumentPlace,
        first: u64,
        needed: u64,
        bounds: &mut Vec<u64>,
    ) -> io::Result<Range<u64>> {
        let mut at = first;
        let mut start = None;
        loop {
            let until = place.sentences.end.min(at + SENTENCES_AHEAD);
            self.store.bounds(place, at..until, bounds)?;
            let start = *start.get_or_insert(bounds[0]);
            let enough = bounds[1..].iter().find(|end| **end - start >= needed);
            if let Some(end) = enough.or_else(|| bounds.last().filter(|_| until == place.sentences.end)) {
                return Ok(start..*end);
            }
            at = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written_and_others_refused() {
        let long = (1 << 40)..(1 << 40) + 65_535;
        let all = [
            Planned { first: 3..10, second: Second::Next(10..12) },
            Planned { first: long.clone(), second: Second::Random(0..1) },
            Planned { first: long, second: Second::Absent },
        ];
        for planned in all {
            let bytes = planned.to_bytes();
            assert_eq!(Planned::from_bytes(&bytes), Some(planned));
            for wrong in [20, 21, 22, 23] {
                let mut bytes = bytes;
                bytes[wrong] ^= 0x44;
                assert_eq!(Planned::from_bytes(&bytes), None);
            }
        }
    }
}
