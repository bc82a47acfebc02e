//! From which side a word may decide.

use super::probe::{Asked, OPINIONS, Probe, Tagged, outside, polar};
use crate::mini::MiniError;
use crate::mini::lexicon::{DAYS, QUALITIES};
use crate::mini::part::Part;
use crate::mini::world::World;
use crate::random::Draws;

/// Sentences of each side, to learn from and to be asked.
const EXAMPLES: (usize, usize) = (2000, 200);
/// Words to each side of the day.
const AROUND: usize = 4;

/// Where the words stand that decide.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

/// `SIDES/`: a day is `GOOD` or `BAD`: as the adjective to its left says, as the one to its right says, or, when there are both,
/// `GOOD` if they agree.
pub(in crate::mini) fn part(seed: u64, _: &World) -> Result<Part, MiniError> {
    let sides = [("left", Side::Left), ("right", Side::Right), ("both", Side::Both)];
    let groups = sides.map(|(name, side)| (name.to_owned(), side)).to_vec();
    Probe { task: "sides", folder: "SIDES", groups, train: |_| EXAMPLES.0, dev: EXAMPLES.1 }.part(seed, tagged)
}

fn tagged(Asked { group: side, class, .. }: Asked<Side>, draws: &mut Draws) -> Vec<Tagged> {
    let mut neutral = || -> Vec<&str> { (0..AROUND).map(|_| *draws.pick(&QUALITIES)).collect() };
    let (mut left, mut right) = (neutral(), neutral());
    // The nearest word but one to three.
    let place = |draws: &mut Draws| draws.below(AROUND - 1);
    match side {
        Side::Left => left[AROUND - 1 - place(draws)] = polar(class, draws),
        Side::Right => right[place(draws)] = polar(class, draws),
        Side::Both => {
            let first = draws.below(2);
            left[AROUND - 1 - place(draws)] = polar(first, draws);
            right[place(draws)] = polar(if class == 1 { first } else { 1 - first }, draws);
        }
    }
    let day = *draws.pick(&DAYS);
    outside(left).chain([(day, OPINIONS[class])]).chain(outside(right)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::probe::OUTSIDE;
    use super::super::probe::tests::sentences;
    use super::*;
    use crate::mini::sentiment::{BLAME, PRAISE};

    #[test]
    fn tags_follow_the_sides() {
        for file in part(1, &World::new(1)).unwrap().files {
            for sentence in sentences(&file.content) {
                let at = sentence.iter().position(|(_, tag)| *tag != OUTSIDE).unwrap();
                let says = |words: &[(&str, &str)]| {
                    words.iter().find_map(|(word, _)| {
                        if PRAISE.contains(word) { Some(true) } else { BLAME.contains(word).then_some(false) }
                    })
                };
                let (left, right) = (says(&sentence[..at]), says(&sentence[at + 1..]));
                let good = match (left, right) {
                    (Some(left), Some(right)) => left == right,
                    (one, other) => one.or(other).unwrap(),
                };
                assert_eq!(sentence[at].1 == "B-GOOD", good, "{sentence:?}");
                let expected = match file.path.as_str() {
                    "SIDES/dev_left.txt" => (true, false),
                    "SIDES/dev_right.txt" => (false, true),
                    "SIDES/dev_both.txt" => (true, true),
                    _ => (left.is_some(), right.is_some()),
                };
                assert_eq!((left.is_some(), right.is_some()), expected);
            }
        }
    }
}
