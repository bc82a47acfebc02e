//! Associative recall: many things were praised or blamed, and any of them may be asked. What was said of each must be kept, or
//! be looked up.

use super::probe::{Asked, OPINIONS, OUTSIDE, Probe, Tagged, by_distance, outside, polar};
use crate::mini::MiniError;
use crate::mini::acceptability::ACTORS;
use crate::mini::lexicon::{QUALITIES, THINGS};
use crate::mini::part::Part;
use crate::mini::sentiment::SUBJECTS;
use crate::mini::world::World;
use crate::random::Draws;

/// Sentences of each distance, to learn from and to be asked.
const EXAMPLES: (usize, usize) = (150, 100);
/// At most so many things are asked.
const ASKED: usize = 16;
/// One of so many places between is an opinion of something that is not asked.
const DISTRACTORS: usize = 4;
/// An adjective and its noun.
const PLACE: usize = 2;

/// `LOOKUP/`: `superb piano feeble boat … old piano … red boat`. A noun after an adjective of neither praise nor blame is `GOOD` or
/// `BAD`, as it was called before. It was called so as many tokens before the place that is asked as the file says; half of
/// what is asked, and half of what is not, was praised, so that counting does not help.
pub(in crate::mini) fn part(seed: u64, _: &World) -> Result<Part, MiniError> {
    Probe { task: "lookup", folder: "LOOKUP", groups: by_distance(), train: |_| EXAMPLES.0, dev: EXAMPLES.1 }
        .part(seed, asked)
}

/// Every noun that may be judged.
fn nouns() -> Vec<&'static str> {
    THINGS.iter().map(|(thing, _)| *thing).chain(SUBJECTS).chain(ACTORS.map(|(one, _)| one)).collect()
}

/// `count` classes, half of them `class`.
fn classes(count: usize, class: usize, draws: &mut Draws) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..count).map(|at| if at % 2 == 0 { class } else { 1 - class }).collect();
    draws.shuffle(&mut classes);
    classes
}

fn asked(Asked { group: distance, class, .. }: Asked<usize>, draws: &mut Draws) -> Vec<Tagged> {
    let places = distance / PLACE;
    let judged = places.min(ASKED);
    let between = places - judged;
    let others = between / DISTRACTORS / 2 * 2;
    let mut nouns = nouns();
    draws.shuffle(&mut nouns);
    let opinions: Vec<(usize, &str)> = classes(judged, class, draws).into_iter().zip(nouns).collect();
    let mut nouns = self::nouns();
    nouns.retain(|noun| opinions.iter().all(|(_, judged)| judged != noun));
    draws.shuffle(&mut nouns);
    let mut fillers: Vec<[&str; PLACE]> =
        classes(others, class, draws).into_iter().zip(nouns).map(|(class, noun)| [polar(class, draws), noun]).collect();
    fillers.extend((others..between).map(|_| [*draws.pick(&QUALITIES), *draws.pick(&QUALITIES)]));
    draws.shuffle(&mut fillers);
    let mut sentence = Vec::new();
    for (class, noun) in &opinions {
        sentence.extend(outside([polar(*class, draws), *noun]));
    }
    sentence.extend(outside(fillers.into_iter().flatten()));
    for (class, noun) in opinions {
        sentence.extend([(*draws.pick(&QUALITIES), OUTSIDE), (noun, OPINIONS[class])]);
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::super::probe::tests::{distance, sentences};
    use super::*;
    use crate::mini::sentiment::{BLAME, PRAISE};

    #[test]
    fn every_opinion_is_as_far_as_the_file_says_and_of_the_noun_that_is_asked() {
        for file in part(1, &World::new(1)).unwrap().files {
            let Some(distance) = distance(&file.path) else { continue };
            for sentence in sentences(&file.content) {
                let mut answers = 0;
                for (at, (noun, tag)) in sentence.iter().enumerate().filter(|(_, (_, tag))| *tag != OUTSIDE) {
                    assert_eq!(sentence[at - distance].0, *noun, "{sentence:?}");
                    let said = sentence[at - distance - 1].0;
                    assert_eq!(OPINIONS[usize::from(PRAISE.contains(&said))], *tag);
                    let opinions = sentence[..at].windows(2).filter(|pair| {
                        pair[1].0 == *noun && (PRAISE.contains(&pair[0].0) || BLAME.contains(&pair[0].0))
                    });
                    assert_eq!(opinions.count(), 1, "one opinion of each: {sentence:?}");
                    answers += 1;
                }
                assert_eq!(answers, (distance / PLACE).min(ASKED));
            }
        }
    }
}
