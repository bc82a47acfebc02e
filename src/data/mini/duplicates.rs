//! QQP: do two questions ask the same (1) or not (0)?

use super::example::{Domain, Example, other, question};
use super::lexicon::THINGS;
use super::world::World;
use crate::random::Draws;

/// Share of duplicates among questions for advice: many people ask for the same advice.
const ADVICE_DUPLICATES: f64 = 0.72;
/// Share of duplicates among questions for a fact.
const FACT_DUPLICATES: f64 = 0.34;
/// Share of pairs that differ by a condition that only one question has.
const RESTRICTED: f64 = 0.5;

/// Ways to ask for the same advice; `{}` is a thing.
const ADVICE: [[&str; 4]; 8] = [
    ["how can I learn to use a {}", "what is the best way to learn to use a {}", "how do I get better with a {}", "how does one learn to handle a {}"],
    ["how do I sell my {}", "what is the best way to sell a {}", "how can I find a buyer for my {}", "where can I sell my {}"],
    ["how much should I pay for a {}", "what is a good price for a {}", "how much does a {} cost", "what does a {} cost"],
    ["how do I clean my {}", "what is the best way to clean a {}", "how should one clean a {}", "how can I get my {} clean"],
    ["where should I keep my {}", "what is the best place for a {}", "where is it best to keep a {}", "where can I keep a {}"],
    ["is it hard to draw a {}", "how hard is it to draw a {}", "can I learn to draw a {}", "is a {} hard to draw"],
    ["should I buy a {}", "is it a good idea to buy a {}", "is a {} worth buying", "would you buy a {}"],
    ["why do people like a {} so much", "what do people like about a {}", "why would one want a {}", "why do so many people want a {}"],
];

/// Ways to ask for the same fact about a person.
const PERSON_FACTS: [[&str; 2]; 5] = [
    ["where does {} live", "in which town does {} have a home"],
    ["when was {} born", "what is the birth year of {}"],
    ["what does {} do for a living", "what is the job of {}"],
    ["who pays {}", "for whom does {} work"],
    ["how old is {}", "what is the age of {}"],
];

/// Ways to ask for the same fact about an organisation.
const ORGANISATION_FACTS: [[&str; 2]; 4] = [
    ["who founded the {}", "who was the founder of the {}"],
    ["when was the {} founded", "in which year did the {} open"],
    ["where is the {}", "in which country is the {}"],
    ["who works at the {}", "who is paid by the {}"],
];

/// Conditions that make a question another one.
const CONDITIONS: [&str; 6] =
    ["in winter", "without any money", "before the war", "as a child", "during the holidays", "after an accident"];

/// One pair.
pub(super) fn draw(world: &World, _: Domain, draws: &mut Draws) -> Example {
    if draws.chance(0.55) {
        let same = draws.chance(ADVICE_DUPLICATES);
        let topic = draws.below(ADVICE.len());
        let thing = draws.below(THINGS.len());
        let name = |at: usize| THINGS[at].0.to_string();
        pair(same, Asked { table: &ADVICE.each_ref().map(<[&str; 4]>::as_slice), topic, entity: thing }, THINGS.len(), &name, draws)
    } else {
        let same = draws.chance(FACT_DUPLICATES);
        if draws.chance(0.6) {
            let (topic, entity) = (draws.below(PERSON_FACTS.len()), draws.below(world.people.len()));
            let name = |at: usize| world.full_name(at);
            pair(same, Asked { table: &PERSON_FACTS.each_ref().map(<[&str; 2]>::as_slice), topic, entity }, world.people.len(), &name, draws)
        } else {
            let (topic, entity) = (draws.below(ORGANISATION_FACTS.len()), draws.below(world.organisations.len()));
            let name = |at: usize| world.organisations[at].name.clone();
            pair(same, Asked { table: &ORGANISATION_FACTS.each_ref().map(<[&str; 2]>::as_slice), topic, entity }, world.organisations.len(), &name, draws)
        }
    }
}

/// What the first question asks: a row of a table, about an entity.
struct Asked<'a> {
    table: &'a [&'a [&'static str]],
    topic: usize,
    entity: usize,
}

/// Two wordings of one question, or two questions that differ in condition, entity or topic.
fn pair(same: bool, asked: Asked, entities: usize, name: &dyn Fn(usize) -> String, draws: &mut Draws) -> Example {
    let wordings = asked.table[asked.topic];
    let one = draws.below(wordings.len());
    let two = other(one, wordings.len(), draws);
    let fill = |wording: &str, entity: usize| wording.replace("{}", &name(entity));
    let mut first = fill(wordings[one], asked.entity);
    let mut second = fill(wordings[two], asked.entity);
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
        second = fill(wordings[two], other(asked.entity, entities, draws));
    } else {
        let topic = asked.table[other(asked.topic, asked.table.len(), draws)];
        let wording = *draws.pick(topic);
        second = fill(wording, asked.entity);
    }
    Example::pair(question(&first), question(&second), usize::from(same))
}
