//! Documents in which people speak: reviews, forums, interviews.

use super::super::answers;
use super::super::duplicates::{ADVICE, CONDITIONS, ORGANISATION_FACTS, PERSON_FACTS};
use super::super::example::{Domain, a, capital, frequent, other, question, sentence};
use super::super::lexicon::THINGS;
use super::super::sentiment::{self, BLAME, IDIOMS, PRAISE, REVERSERS, SIMILES, SUBJECTS, VERBS};
use super::super::world::World;
use crate::random::Draws;

/// Several opinions of one guest, who liked everything or nothing.
pub(super) fn review(world: &World, draws: &mut Draws) -> Vec<String> {
    let liked = draws.chance(0.5);
    let (own, contrary) = if liked { (&PRAISE, &BLAME) } else { (&BLAME, &PRAISE) };
    let class = usize::from(liked);
    let town = &draws.pick(&world.towns).name;
    let mut told = vec![if liked {
        format!("{} was happy with everything in {town}", draws.pick(&world.people).first)
    } else {
        format!("{} was unhappy with everything in {town}", draws.pick(&world.people).first)
    }];
    for _ in 0..8 + draws.below(6) {
        let subject = *draws.pick(&SUBJECTS);
        let (one, two, not) = (frequent(own, draws), frequent(own, draws), frequent(contrary, draws));
        let (verb, idiom) = (*draws.pick(&VERBS[class]), *draws.pick(&IDIOMS[class]));
        told.push(match draws.below(10) {
            0 => format!("the {subject} was {one}, that is, it was {two}"),
            1 => format!("it was {one} and not {not} at all"),
            2 => format!("the {subject} was not {not}, it was {one}"),
            3 if liked => format!("what {} {subject}, i loved it", a(one)),
            3 => format!("what {} {subject}, i hated it", a(one)),
            4 => {
                let (property, has, lacks) = *draws.pick(&SIMILES);
                let like = if liked { has } else { lacks };
                format!("it was as {property} as {like}, so it was {one}")
            }
            5 => format!("i {verb} the {subject}, for it was {one}"),
            6 => format!("{idiom}, for the {subject} was {one}"),
            7 => format!("the {subject} was {} {not}, so i {verb} it", draws.pick(&REVERSERS)),
            _ => sentiment::draw(world, Domain::Matched, class, draws).first.trim_end().to_string(),
        });
    }
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// People ask for the same in different words; a condition makes it another question.
pub(super) fn forum(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..3 {
        let (wordings, name): (&'static [&'static str], String) = match draws.below(3) {
            0 => (*draws.pick(&PERSON_FACTS), world.full_name(draws.below(world.people.len()))),
            1 => (*draws.pick(&ORGANISATION_FACTS), draws.pick(&world.organisations).name.clone()),
            _ => (*draws.pick(&ADVICE), draws.pick(&THINGS).0.to_string()),
        };
        let one = draws.below(wordings.len());
        let two = other(one, wordings.len(), draws);
        let asker = draws.pick(&world.people).first;
        let ask = |at: usize| wordings[at].replace("{}", &name);
        told.push(question(&format!("{asker} asks: {}", ask(one))));
        told.push(question(&format!("in other words, {}", ask(two))));
        told.push(sentence("both questions mean the same"));
        if draws.chance(0.5) {
            let condition = *draws.pick(&CONDITIONS);
            told.push(question(&format!("someone else asks: {} {condition}", ask(two))));
            told.push(sentence(&format!("that is another question, for {asker} did not say \"{condition}\"")));
        } else {
            told.push(sentence(&format!("many people ask this about {}", said_of(&name, wordings))));
        }
    }
    told
}

/// How a name stands in a sentence: people bear theirs, all else has an article.
fn said_of(name: &str, wordings: &'static [&'static str]) -> String {
    let person = PERSON_FACTS.contains(&wordings);
    let organisation = ORGANISATION_FACTS.contains(&wordings);
    if person {
        name.to_string()
    } else if organisation {
        format!("the {name}")
    } else {
        a(name)
    }
}

/// A reporter asks, someone answers; some answers say nothing, and the reporter says so.
pub(super) fn interview(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = vec![sentence(&format!("a reporter speaks with {}", draws.pick(&world.people).first))];
    for _ in 0..4 + draws.below(3) {
        let answered = draws.chance(0.7);
        let pair = answers::draw(world, Domain::Matched, usize::from(!answered), draws);
        told.push(format!("Tell me, {}", uncapital(&pair.first)));
        told.push(format!("Well, {}", uncapital(&pair.second)));
        told.push(sentence(if answered { "thank you, that is an answer" } else { "that is no answer to my question" }));
    }
    told
}

/// The sentence with a small first letter, unless it begins with a name.
fn uncapital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let ordinary =
        ["The", "When", "Where", "Who", "What", "In", "For", "Many", "Few", "Little", "Some", "There", "People"];
    if !ordinary.contains(&first) {
        return capital(text);
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
