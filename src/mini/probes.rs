//! What a representation can do, in two tasks of which everything else is left out: *reach*, how far back a word may stand
//! that decides, and *sides*, from which side it may.
//!
//! Words are adjectives that the corpus knows; neither file is in the vocabulary's counts or in the corpus.

use super::MiniError;
use super::lexicon::{DAYS, QUALITIES};
use super::part::{Part, Taken, Written};
use super::sentiment::{BLAME, PRAISE};
use super::world::World;
use crate::random::{Draws, Stream};

/// Tokens between the word that decides and the place that is asked; the first is next but one.
const DISTANCES: [usize; 7] = [2, 4, 8, 16, 32, 64, 128];
/// Examples of each distance, to learn from and to be asked.
const REACH: (usize, usize) = (400, 200);
/// Examples of each side.
const SIDES: (usize, usize) = (400, 200);
/// The frequent adjectives alone, so that none is split.
const FREQUENT: usize = 16;
/// One word in so many between is an adjective of praise or blame that does not count.
const DISTRACTORS: usize = 8;

/// `REACH/`: a sentence and a label a row, as SST-2. `: WORD` decides: 1 when the word praises. It stands as far from the
/// `?` at the end as from the beginning, so that no direction has it nearer; as many words praise as blame, so that counting
/// does not help.
pub(super) fn reach(seed: u64, _: &World) -> Result<Part, MiniError> {
    let mut part = Part::default();
    let stream = Stream::new(seed, "mini/reach");
    let mut taken = Taken::new("reach");
    let header = || "sentence\tlabel\n".to_owned();
    let (mut train, mut rows) = (header(), 0);
    for (at, distance) in (0..).zip(DISTANCES) {
        let draws = &mut stream.at(at);
        let mut dev = header();
        for index in 0..REACH.0 + REACH.1 {
            let class = index % 2;
            let row = taken.fresh(String::clone, || far(distance, class, draws))?;
            let to = if index < REACH.0 { &mut train } else { &mut dev };
            to.extend([&row, "\t", ["0", "1"][class], "\n"]);
        }
        rows += REACH.0;
        let path = format!("REACH/dev_{distance}.tsv");
        part.files.push(Written { path, content: dev, examples: REACH.1 });
    }
    part.files.push(Written { path: "REACH/train.tsv".into(), content: train, examples: rows });
    Ok(part)
}

fn polar(class: usize, draws: &mut Draws) -> &'static str {
    [&BLAME[..FREQUENT], &PRAISE[..FREQUENT]][class][draws.below(FREQUENT)]
}

fn far(distance: usize, class: usize, draws: &mut Draws) -> String {
    let side = distance - 1;
    let same = 2 * side / DISTRACTORS;
    // One more of the other class: with the word itself there are as many of both.
    let mut words: Vec<&str> =
        (0..=2 * same).map(|at| polar(if at < same { class } else { 1 - class }, draws)).collect();
    words.extend((words.len()..2 * side).map(|_| *draws.pick(&QUALITIES)));
    draws.shuffle(&mut words);
    let (before, after) = words.split_at(side);
    format!("{} : {} {} ?", before.join(" "), polar(class, draws), after.join(" "))
}

/// Where the words stand that decide.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

/// `SIDES/`: a word and its tag a line. A day is `GOOD` or `BAD`: as the adjective to its left says, as the one to its right
/// says, or, when there are both, `GOOD` if they agree.
pub(super) fn sides(seed: u64, _: &World) -> Result<Part, MiniError> {
    let mut part = Part::default();
    let stream = Stream::new(seed, "mini/sides");
    let mut taken = Taken::new("sides");
    let (mut train, mut rows) = (Vec::new(), 0);
    for (at, (name, side)) in (0..).zip([("left", Side::Left), ("right", Side::Right), ("both", Side::Both)]) {
        let draws = &mut stream.at(at);
        let mut dev = String::new();
        for index in 0..SIDES.0 + SIDES.1 {
            let sentence = taken.fresh(String::clone, || tagged(side, index % 2 == 1, draws))?;
            if index < SIDES.0 {
                train.push(sentence);
            } else {
                dev += &sentence;
            }
        }
        rows += SIDES.0;
        part.files.push(Written { path: format!("SIDES/dev_{name}.txt"), content: dev, examples: SIDES.1 });
    }
    stream.at(3).shuffle(&mut train);
    part.files.push(Written { path: "SIDES/train.txt".into(), content: train.concat(), examples: rows });
    Ok(part)
}

/// Words to each side of the day.
const AROUND: usize = 4;

fn tagged(side: Side, good: bool, draws: &mut Draws) -> String {
    let mut neutral = || -> Vec<&str> { (0..AROUND).map(|_| *draws.pick(&QUALITIES)).collect() };
    let (mut left, mut right) = (neutral(), neutral());
    // The nearest word but one to three.
    let place = |draws: &mut Draws| draws.below(AROUND - 1);
    let class = usize::from(good);
    match side {
        Side::Left => left[AROUND - 1 - place(draws)] = polar(class, draws),
        Side::Right => right[place(draws)] = polar(class, draws),
        Side::Both => {
            let first = draws.below(2);
            left[AROUND - 1 - place(draws)] = polar(first, draws);
            right[place(draws)] = polar(if good { first } else { 1 - first }, draws);
        }
    }
    let day = *draws.pick(&DAYS);
    let outside = |words: &[&str]| words.iter().flat_map(|word| [*word, " O\n"]).collect::<String>();
    format!("{}{day} B-{}\n{}\n", outside(&left), if good { "GOOD" } else { "BAD" }, outside(&right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_decides_is_as_far_from_either_end_and_counting_says_nothing() {
        let part = reach(1, &World::new(1)).unwrap();
        for file in part.files.iter().filter(|file| file.path.contains("dev")) {
            let distance: usize = file.path.trim_start_matches("REACH/dev_").trim_end_matches(".tsv").parse().unwrap();
            let mut favourable = 0;
            for row in file.content.lines().skip(1) {
                let (sentence, label) = row.split_once('\t').unwrap();
                let words: Vec<&str> = sentence.split(' ').collect();
                let at = words.iter().position(|word| *word == ":").unwrap() + 1;
                assert_eq!((words.len() - 1 - at, at), (distance, distance), "{sentence}");
                assert_eq!(PRAISE.contains(&words[at]), label == "1");
                let count = |of: &[&str]| words.iter().filter(|word| of.contains(word)).count();
                assert_eq!(count(&PRAISE), count(&BLAME));
                favourable += usize::from(label == "1");
            }
            assert_eq!(favourable, REACH.1 / 2);
        }
    }

    #[test]
    fn tags_follow_the_sides() {
        let part = sides(1, &World::new(1)).unwrap();
        for file in &part.files {
            assert_eq!(file.content.split("\n\n").filter(|sentence| !sentence.is_empty()).count(), file.examples);
            for sentence in file.content.split("\n\n").filter(|sentence| !sentence.is_empty()) {
                let lines: Vec<(&str, &str)> = sentence.lines().map(|line| line.split_once(' ').unwrap()).collect();
                let at = lines.iter().position(|(_, tag)| *tag != "O").unwrap();
                let says = |words: &[(&str, &str)]| {
                    words.iter().find_map(|(word, _)| {
                        if PRAISE.contains(word) { Some(true) } else { BLAME.contains(word).then_some(false) }
                    })
                };
                let (left, right) = (says(&lines[..at]), says(&lines[at + 1..]));
                let good = match (left, right) {
                    (Some(left), Some(right)) => left == right,
                    (one, other) => one.or(other).unwrap(),
                };
                assert_eq!(lines[at].1 == "B-GOOD", good, "{sentence}");
                let name = file.path.trim_start_matches("SIDES/").trim_end_matches(".txt");
                let expected = match name {
                    "dev_left" => (true, false),
                    "dev_right" => (false, true),
                    "dev_both" => (true, true),
                    _ => (left.is_some(), right.is_some()),
                };
                assert_eq!((left.is_some(), right.is_some()), expected);
            }
        }
    }
}
