//! A probe: sentences of tagged words in groups, and its files.

use crate::mini::MiniError;
use crate::mini::part::{Part, Taken, Written};
use crate::mini::sentiment::{BLAME, PRAISE};
use crate::random::{Draws, Stream};

/// Tokens from the word that decides to the place that is asked; the first is next but one.
const DISTANCES: [usize; 8] = [2, 4, 8, 16, 32, 64, 128, 256];
/// The frequent adjectives alone, so that none is split.
const FREQUENT: usize = 16;
/// The tags of what is blamed and of what is praised.
pub(super) const OPINIONS: [&str; 2] = ["B-BAD", "B-GOOD"];
/// The tag of words that nothing is asked of.
pub(super) const OUTSIDE: &str = "O";

/// A word and its tag.
pub(super) type Tagged = (&'static str, &'static str);

/// An adjective of blame or praise.
pub(super) fn polar(class: usize, draws: &mut Draws) -> &'static str {
    [&BLAME[..FREQUENT], &PRAISE[..FREQUENT]][class][draws.below(FREQUENT)]
}

/// Words that nothing is asked of.
pub(super) fn outside(words: impl IntoIterator<Item = &'static str>) -> impl Iterator<Item = Tagged> {
    words.into_iter().map(|word| (word, OUTSIDE))
}

/// The files of a probe: `train.txt`, and a dev file for each of `groups`, by its name, with what its sentences are drawn for.
pub(super) struct Probe<G> {
    /// The task's name.
    pub(super) task: &'static str,
    /// Its folder.
    pub(super) folder: &'static str,
    pub(super) groups: Vec<(String, G)>,
    /// Sentences of a group in `train.txt`.
    pub(super) train: fn(G) -> usize,
    /// Sentences of a dev file.
    pub(super) dev: usize,
}

/// What a sentence asks.
#[derive(Clone, Copy)]
pub(super) struct Asked<G> {
    pub(super) group: G,
    /// The answer, of every other sentence the same.
    pub(super) class: usize,
    /// Whether nothing else may be asked: in dev files, and in half of the sentences to learn from.
    pub(super) once: bool,
}

impl<G: Copy> Probe<G> {
    /// Draws the sentences: `draw` gets what is asked and the draws.
    pub(super) fn part(self, seed: u64, draw: impl Fn(Asked<G>, &mut Draws) -> Vec<Tagged>) -> Result<Part, MiniError> {
        let mut part = Part::default();
        let stream = Stream::new(seed, &format!("mini/{}", self.task));
        let mut taken = Taken::new(self.task);
        let mut train = Vec::new();
        for (at, (name, group)) in (0..).zip(&self.groups) {
            let draws = &mut stream.at(at);
            let mut dev = String::new();
            let count = (self.train)(*group);
            for index in 0..count + self.dev {
                let asked = Asked { group: *group, class: index % 2, once: index >= count || index % 4 < 2 };
                let sentence = taken.fresh(String::clone, || written(&draw(asked, draws)))?;
                if index < count {
                    train.push(sentence);
                } else {
                    dev += &sentence;
                }
            }
            let path = format!("{}/dev_{name}.txt", self.folder);
            part.files.push(Written { path, content: dev, examples: self.dev });
        }
        stream.at(self.groups.len() as u64).shuffle(&mut train);
        let path = format!("{}/train.txt", self.folder);
        part.files.push(Written { path, content: train.concat(), examples: train.len() });
        Ok(part)
    }
}

/// The groups of a probe by distance.
pub(super) fn by_distance() -> Vec<(String, usize)> {
    DISTANCES.map(|distance| (distance.to_string(), distance)).to_vec()
}

/// A word and its tag a line, and an empty line.
fn written(sentence: &[Tagged]) -> String {
    let lines = sentence.iter().map(|(word, tag)| format!("{word} {tag}\n"));
    lines.collect::<String>() + "\n"
}

#[cfg(test)]
pub(super) mod tests {
    /// The sentences of a file.
    pub(in crate::mini::probes) fn sentences(content: &str) -> Vec<Vec<(&str, &str)>> {
        content
            .split("\n\n")
            .filter(|sentence| !sentence.is_empty())
            .map(|sentence| sentence.lines().map(|line| line.split_once(' ').unwrap()).collect())
            .collect()
    }

    /// The distance that a dev file is of.
    pub(in crate::mini::probes) fn distance(path: &str) -> Option<usize> {
        path.split_once("dev_")?.1.strip_suffix(".txt")?.parse().ok()
    }
}
