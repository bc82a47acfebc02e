//! One word decides, and a mark tells which: to reach it is to keep it.

use super::probe::{Asked, OPINIONS, Probe, Tagged, by_distance, outside, polar};
use crate::mini::MiniError;
use crate::mini::lexicon::QUALITIES;
use crate::mini::part::Part;
use crate::mini::world::World;
use crate::random::Draws;

/// Sentences of each distance, to learn from and to be asked.
const EXAMPLES: (usize, usize) = (150, 100);
/// In half of the sentences to learn from, questions follow one another up to about so many tokens.
const TOKENS: usize = 64;
/// The part of the words between that is an adjective of praise or blame, at random, which does not count.
const DISTRACTORS: f64 = 0.25;

/// `REACH/`: `: WORD … ?`, where the mark at the end is `GOOD` or `BAD`, as the word after the colon praises or blames.
///
/// Dev files ask once in a sentence. Of those to learn from, some ask again and again: recurrent encoders hardly learn to keep a
/// word without. An encoder that sees both sides would also have to tell which colon is the nearest before a mark, which is not
/// what is asked here.
pub(in crate::mini) fn part(seed: u64, _: &World) -> Result<Part, MiniError> {
    // Twice as many where half of them ask more than once.
    let train = |distance| if several(distance) > 1 { 2 * EXAMPLES.0 } else { EXAMPLES.0 };
    Probe { task: "reach", folder: "REACH", groups: by_distance(), train, dev: EXAMPLES.1 }.part(seed, far)
}

/// Questions of a sentence that may ask more than once: an even number, half of each class, where there are several.
fn several(distance: usize) -> usize {
    (TOKENS / (distance + 2) / 2 * 2).max(1)
}

fn far(Asked { group: distance, class, once }: Asked<usize>, draws: &mut Draws) -> Vec<Tagged> {
    let questions = if once { 1 } else { several(distance) };
    let mut classes: Vec<usize> = (0..questions).map(|at| (class + at) % 2).collect();
    draws.shuffle(&mut classes);
    classes.into_iter().flat_map(|class| question(distance, class, draws)).collect()
}

fn question(distance: usize, class: usize, draws: &mut Draws) -> Vec<Tagged> {
    let between = (1..distance).map(|_| {
        let counts_not = draws.chance(DISTRACTORS);
        if counts_not { polar(draws.below(2), draws) } else { *draws.pick(&QUALITIES) }
    });
    let between: Vec<&str> = between.collect();
    outside([":", polar(class, draws)]).chain(outside(between)).chain([("?", OPINIONS[class])]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::probe::OUTSIDE;
    use super::super::probe::tests::{distance, sentences};
    use super::*;
    use crate::mini::sentiment::PRAISE;

    #[test]
    fn the_word_that_decides_is_as_far_as_the_file_says() {
        for file in part(1, &World::new(1)).unwrap().files {
            let Some(distance) = distance(&file.path) else { continue };
            for sentence in sentences(&file.content) {
                let (asked, words) = sentence.split_last().unwrap();
                assert_eq!((words[0].0, asked.0, words.len() - 1), (":", "?", distance), "{sentence:?}");
                assert_eq!(OPINIONS[usize::from(PRAISE.contains(&words[1].0))], asked.1);
                assert!(words.iter().all(|(_, tag)| *tag == OUTSIDE));
            }
        }
    }
}
