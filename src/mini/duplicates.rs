//! QQP: do two questions ask the same (1) or not (0)?

use super::example::{Domain, Example, other, question, weighted};
use super::lexicon::THINGS;
use super::world::World;
use crate::random::Draws;

/// Shares of advice, facts about people and facts about organisations among pairs that differ, and
/// among duplicates: many people ask for the same advice.
const FAMILIES: [[f64; 3]; 2] = [[0.34, 0.40, 0.26], [0.70, 0.18, 0.12]];
/// Share of pairs that differ by a condition that only one question has.
const RESTRICTED: f64 = 0.62;

/// Ways to ask for the same advice; `{}` is a thing.
pub(super) const ADVICE: [&[&str]; 8] = [
    &[
        "how can I learn to use a {}",
        "what is the best way to learn to use a {}",
        "how do I get better with a {}",
        "how does one learn to handle a {}",
    ],
    &[
        "how do I sell my {}",
        "what is the best way to sell a {}",
        "how can I find a buyer for my {}",
        "where can I sell my {}",
    ],
    &[
        "how much should I pay for a {}",
        "what is a good price for a {}",
        "how much does a {} cost",
        "what does a {} cost",
    ],
    &[
        "how do I clean my {}",
        "what is the best way to clean a {}",
        "how should one clean a {}",
        "how can I get my {} clean",
    ],
    &[
        "where should I keep my {}",
        "what is the best place for a {}",
        "where is it best to keep a {}",
        "where can I keep a {}",
    ],
    &["is it hard to draw a {}", "how hard is it to draw a {}", "can I learn to draw a {}", "is a {} hard to draw"],
    &["should I buy a {}", "is it a good idea to buy a {}", "is a {} worth buying", "would you buy a {}"],
    &[
        "why do people like a {} so much",
        "what do people like about a {}",
        "why would one want a {}",
        "why do so many people want a {}",
    ],
];

/// Ways to ask for the same fact about a person.
pub(super) const PERSON_FACTS: [&[&str]; 5] = [
    &["where does {} live", "in which town does {} have a home"],
    &["when was {} born", "what is the birth year of {}"],
    &["what does {} do for a living", "what is the job of {}"],
    &["who pays {}", "for whom does {} work"],
    &["how old is {}", "what is the age of {}"],
];

/// Ways to ask for the same fact about an organisation.
pub(super) const ORGANISATION_FACTS: [&[&str]; 4] = [
    &["who founded the {}", "who was the founder of the {}"],
    &["when was the {} founded", "in which year did the {} open"],
    &["where is the {}", "in which town is the {}"],
    &["who works at the {}", "who is paid by the {}"],
];

/// Conditions that make a question another one: the answer need not be the same.
pub(super) const CONDITIONS: [&str; 6] = [
    "according to the law",
    "according to legend",
    "in the film",
    "if one believes the neighbours",
    "in the play",
    "as far as the law goes",
];

/// A family of questions: the wordings of each topic, and the names of what can be asked about.
struct Family {
    wordings: &'static [&'static [&'static str]],
    names: Vec<String>,
}

/// One pair.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let family = match weighted(&FAMILIES[class], draws) {
        0 => {
            let names = THINGS.iter().map(|(thing, _)| (*thing).to_string()).collect();
            Family { wordings: &ADVICE, names }
        }
        1 => {
            let names = (0..world.people.len()).map(|person| world.full_name(person)).collect();
            Family { wordings: &PERSON_FACTS, names }
        }
        _ => {
            let names = world.organisations.iter().map(|organisation| organisation.name.clone()).collect();
            Family { wordings: &ORGANISATION_FACTS, names }
        }
    };
    let (first, second) = family.pair(class == 1, draws);
    Example::pair(question(&first), question(&second), class)
}

impl Family {
    /// Two wordings of one question, or two questions that differ in condition, entity or topic.
    fn pair(&self, same: bool, draws: &mut Draws) -> (String, String) {
        let (topic, entity) = (draws.below(self.wordings.len()), draws.below(self.names.len()));
        let wordings = self.wordings[topic];
        let one = draws.below(wordings.len());
        let two = wordings[other(one, wordings.len(), draws)];
        let mut first = self.ask(wordings[one], entity);
        let mut second = self.ask(two, entity);
        let condition = *draws.pick(&CONDITIONS);
        if same {
            if draws.chance(0.08) {
                first = format!("{first} {condition}");
                second = format!("{second} {condition}");
            }
        } else if draws.chance(RESTRICTED) {
            let changed = if draws.chance(0.3) { &mut first } else { &mut second };
            *changed = format!("{changed} {condition}");
        } else if draws.chance(0.5) {
            second = self.ask(two, other(entity, self.names.len(), draws));
        } else {
            let elsewhere = self.wordings[other(topic, self.wordings.len(), draws)];
            let wording = *draws.pick(elsewhere);
            second = self.ask(wording, entity);
        }
        (first, second)
    }

    fn ask(&self, wording: &str, entity: usize) -> String {
        wording.replace("{}", &self.names[entity])
    }
}
