//! The corpus of the mini world: what a model can read before it learns a task.
//!
//! A sentence a line, a blank line between documents, as google-research/bert reads it. A document keeps
//! to its subject: a life, a town, a report with its restatements and denials, a review, an interview, a
//! lesson. So the next sentence can be told from a random one, and what means the same stands together.
//! No sentence of a task's dev or test file is in it.

mod events;
mod lessons;
mod pairs;
mod papers;
mod people;
mod talk;

use std::collections::HashSet;

use super::example::weighted;
use super::part::{Part, Written, sentences};
use super::vocabulary::words;
use super::world::World;
use super::{MiniError, chinese, entities, stories};
use crate::random::{Draws, Stream};

/// Writes the sentences of a document.
type Write = fn(&World, &mut Draws) -> Vec<String>;

/// The kinds of document, each with its share.
const KINDS: [(f64, Write); 21] = [
    (0.05, people::life),
    (0.03, people::town),
    (0.03, people::organisation),
    (0.08, events::report),
    (0.04, events::intentions),
    (0.07, events::day),
    (0.02, events::reasons),
    (0.17, talk::review),
    (0.08, talk::forum),
    (0.06, talk::interview),
    (0.03, lessons::things),
    (0.03, lessons::words),
    (0.05, lessons::grammar),
    (0.05, pairs::news),
    (0.03, pairs::alike),
    (0.04, pairs::consequences),
    (0.06, stories::told),
    (0.07, pairs::passages),
    (0.08, entities::article),
    (0.04, papers::strangers),
    (0.06, chinese::story),
];

/// The files and their documents.
const FILES: [(&str, usize); 2] = [("train", 3000), ("heldout", 120)];
/// Sentences of a document: with fewer it is written anew, more are cut off.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=25;
/// How often a document is written anew before the world counts as too small.
const ATTEMPTS: usize = 1000;

/// Both files. No sentence of `held_out` is in them, and none of the first is in the second.
pub(super) fn part<'a>(
    seed: u64,
    world: &World,
    held_out: impl Iterator<Item = &'a String>,
) -> Result<Part, MiniError> {
    let mut forbidden: HashSet<String> = held_out.flat_map(|text| sentences(text)).map(key).collect();
    let stream = Stream::new(seed, "mini/corpus");
    let mut part = Part::default();
    for (at, (file, documents)) in (0..).zip(FILES) {
        let draws = &mut stream.at(at);
        let mut content = Vec::with_capacity(documents);
        let mut written = Vec::new();
        for _ in 0..documents {
            let document = document(world, &forbidden, draws)?;
            content.push(document.join("\n") + "\n");
            written.extend(document);
        }
        let path = format!("corpus/{file}.txt");
        part.files.push(Written { path, content: content.join("\n"), examples: written.len() });
        forbidden.extend(written.iter().map(|sentence| key(sentence)));
        if at == 0 {
            part.training = written;
        }
    }
    Ok(part)
}

/// A document without forbidden sentences and without repetitions.
fn document(world: &World, forbidden: &HashSet<String>, draws: &mut Draws) -> Result<Vec<String>, MiniError> {
    let shares = KINDS.map(|(share, _)| share);
    for _ in 0..ATTEMPTS {
        let mut seen = HashSet::new();
        let mut document = KINDS[weighted(&shares, draws)].1(world, draws);
        document.retain(|sentence| {
            let whole = key(sentence);
            let known = sentences(sentence).any(|part| forbidden.contains(&key(part)));
            !known && !forbidden.contains(&whole) && seen.insert(whole)
        });
        document.truncate(*LENGTHS.end());
        if document.len() >= *LENGTHS.start() {
            return Ok(document);
        }
    }
    Err(MiniError::TooFewExamples { task: "corpus" })
}

/// What two sentences share that differ in capitals, spaces and final marks alone.
fn key(sentence: &str) -> String {
    words(sentence).join(" ").trim_end_matches(['.', '?', '!', ' ']).to_string()
}
