//! Agreement and reference in the world's sentences: a verb agrees with its subject in number, a reflexive pronoun with its
//! person in gender, over whatever stands between.

use super::probe::{Asked, OUTSIDE, Probe, Tagged, by_distance, outside};
use crate::mini::MiniError;
use crate::mini::acceptability::{ACTORS, ACTS, PASTS};
use crate::mini::lexicon::{Gender, QUALITIES, SPOTS};
use crate::mini::part::Part;
use crate::mini::world::World;
use crate::random::Draws;

/// Sentences of each distance, to learn from and to be asked.
const EXAMPLES: (usize, usize) = (200, 100);
const TAGS: [&str; 2] = ["B-WRONG", "B-RIGHT"];
/// Prepositions before a noun that is not the subject.
const PREPOSITIONS: [&str; 3] = ["near", "behind", "with"];
/// What one does to oneself.
const REFLEXIVE: [&str; 4] = ["praised", "washed", "blamed", "helped"];
/// Actors and acts of which a form is rare in the tasks that the vocabulary is counted in, and would be two tokens.
const SPLIT: [&str; 3] = ["boy", "laugh", "dance"];
/// The shortest phrase that stands between; the other has an adjective.
const PHRASE: usize = 3;

/// `AGREEMENT/`: the verb or the pronoun is `RIGHT` or `WRONG`. Half of the sentences are *the girls near the guest behind the old
/// church sing*, half *Mara ran with the guests behind the church and praised herself*. Between stand as many nouns of either number.
pub(in crate::mini) fn part(seed: u64, world: &World) -> Result<Part, MiniError> {
    let probe =
        Probe { task: "agreement", folder: "AGREEMENT", groups: by_distance(), train: |_| EXAMPLES.0, dev: EXAMPLES.1 };
    probe.part(seed, |Asked { group: distance, class, .. }, draws| {
        if draws.chance(0.5) { verb(distance, class, draws) } else { pronoun(distance, class, world, draws) }
    })
}

/// The actor in one number or the other.
fn actor(plural: bool, draws: &mut Draws) -> &'static str {
    let (one, many) = whole(&ACTORS, draws);
    if plural { many } else { one }
}

/// One whose forms the vocabulary does not split.
fn whole(of: &[(&'static str, &'static str)], draws: &mut Draws) -> (&'static str, &'static str) {
    let whole: Vec<_> = of.iter().filter(|(form, _)| !SPLIT.contains(form)).collect();
    **draws.pick(&whole)
}

/// Phrases of `words` words together, which no subject or verb stands in.
fn phrases(words: usize, draws: &mut Draws) -> Vec<&'static str> {
    let mut longer = words % PHRASE;
    let mut phrases = Vec::new();
    for _ in 0..words / PHRASE {
        let is_longer = longer > 0;
        longer = longer.saturating_sub(1);
        let spot = draws.pick(&SPOTS).split(' ').collect::<Vec<&'static str>>();
        let mut phrase = if draws.chance(0.5) {
            spot
        } else {
            let plural = draws.chance(0.5);
            vec![*draws.pick(&PREPOSITIONS), "the", actor(plural, draws)]
        };
        if is_longer {
            phrase.insert(PHRASE - 1, *draws.pick(&QUALITIES));
        }
        phrases.push(phrase);
    }
    draws.shuffle(&mut phrases);
    phrases.concat()
}

/// `the girls near the boy sing every day .`, with the verb `distance` tokens after its subject
fn verb(distance: usize, class: usize, draws: &mut Draws) -> Vec<Tagged> {
    let plural = draws.chance(0.5);
    let between = if distance <= PHRASE { vec!["never"; distance - 1] } else { phrases(distance - 1, draws) };
    let act = whole(&ACTS, draws);
    let form = if plural == (class == 1) { act.0 } else { act.1 };
    let before = outside(["the", actor(plural, draws)]).chain(outside(between));
    before.chain([(form, TAGS[class])]).chain(outside(["every", "day", "."])).collect()
}

/// `Mara ran near the boys and praised herself .`, with the pronoun `distance` tokens after its person
fn pronoun(distance: usize, class: usize, world: &World, draws: &mut Draws) -> Vec<Tagged> {
    let person = draws.pick(&world.people);
    let does = *draws.pick(&REFLEXIVE);
    let between = if distance <= 3 {
        vec![does; distance - 1]
    } else {
        let past = draws.pick(&PASTS).0;
        let phrases = phrases(distance - 4, draws);
        [past].into_iter().chain(phrases).chain(["and", does]).collect()
    };
    let own = match (person.gender, class == 1) {
        (Gender::Female, true) | (Gender::Male, false) => "herself",
        (Gender::Male, true) | (Gender::Female, false) => "himself",
    };
    outside([person.first]).chain(outside(between)).chain([(own, TAGS[class]), (".", OUTSIDE)]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::probe::tests::{distance, sentences};
    use super::*;

    #[test]
    fn what_agrees_is_as_far_as_the_file_says_and_the_tag_follows_from_the_subject() {
        let world = World::new(1);
        let mut verbs = 0;
        for file in part(1, &world).unwrap().files {
            let Some(distance) = distance(&file.path) else { continue };
            for sentence in sentences(&file.content) {
                let at = sentence.iter().position(|(_, tag)| *tag != OUTSIDE).unwrap();
                let (asked, tag) = sentence[at];
                let subject = sentence[at - distance].0;
                let right = if let Some(person) = world.people.iter().find(|person| person.first == subject) {
                    assert_eq!(at, distance, "{sentence:?}");
                    (person.gender == Gender::Female) == (asked == "herself")
                } else {
                    verbs += 1;
                    assert_eq!(at, distance + 1, "{sentence:?}");
                    let plural = ACTORS.iter().any(|(_, many)| *many == subject);
                    plural == ACTS.iter().any(|(base, _)| *base == asked)
                };
                assert_eq!(tag == TAGS[1], right, "{sentence:?}");
            }
        }
        assert!((200..600).contains(&verbs), "{verbs}");
    }
}
