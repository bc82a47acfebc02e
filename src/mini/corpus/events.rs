//! Documents about what happens: reports and restatements, plans, days, reasons.

use super::super::example::{a, other, sentence, subject_pronoun};
use super::super::lexicon::{COUNTRIES, Deed, JOBS, THINGS, Verb};
use super::super::paraphrase::SOURCES;
use super::super::pronouns::{CONTAINERS, REASONS};
use super::super::scenes::{SEQUELS, WORK, third, uses, verb};
use super::super::stories::{BEGINNINGS, STARTS};
use super::super::world::{Event, World};
use super::people::object_pronoun;
use crate::random::Draws;

/// What an event may be told with that need not follow from it.
const ADDITIONS: [&str; 6] = [
    "because it was cheap",
    "to please a friend",
    "for the first time",
    "after a long search",
    "with great joy",
    "in secret",
];

/// Two or three events, each told, told again in other words, and what it rules out denied.
pub(super) fn report(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..2 + draws.below(2) {
        let event = world.event(draws);
        let Deed { verb, synonym, opposite } = event.deed();
        let (verb, synonym, opposite) =
            if draws.chance(0.65) { (verb, synonym, opposite) } else { (opposite, opposite, verb) };
        told.push(opening(event, verb, world, draws));
        let mut more = restated(event, verb, synonym, world, draws);
        more.extend(denied(event, opposite, world));
        more.extend(circumstances(event, verb, world));
        draws.shuffle(&mut more);
        more.truncate(4 + draws.below(4));
        told.extend(more);
    }
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// The event in full, as a newspaper begins.
fn opening(event: Event, verb: Verb, world: &World, draws: &mut Draws) -> String {
    let (name, town) = (world.full_name(event.agent), &world.towns[event.town].name);
    let thing = a(&format!("{} {}", event.quality(), event.thing()));
    let (spot, day, source) = (event.spot(), event.day(), *draws.pick(&SOURCES));
    match draws.below(5) {
        0 => format!("on {day} {name} {} {thing} {spot} in {town}", verb.past),
        1 => format!("{name} {} {thing} {spot} on {day}, {source}", verb.past),
        2 => format!("{thing} was {} by {name} in {town} on {day}", verb.participle),
        3 => {
            let job = a(JOBS[world.people[event.agent].job].0);
            format!("{name}, {job}, {} {thing} on {day}, {source}", verb.past)
        }
        _ => format!("{name} {} {thing} in {town}, {source}", verb.past),
    }
}

/// What follows from the event: the same in other words, or less.
fn restated(event: Event, verb: Verb, synonym: Verb, world: &World, draws: &mut Draws) -> Vec<String> {
    let person = &world.people[event.agent];
    let first = person.first;
    let (she, job) = (subject_pronoun(person.gender), JOBS[person.job].0);
    let (thing, kind) = (event.thing(), a(event.kind().noun()));
    let full = format!("{} {thing}", event.quality());
    let country = COUNTRIES[world.towns[event.town].country];
    vec![
        format!("in other words, {first} {} {}", synonym.past, a(&full)),
        format!("so {} was {} by {first}", a(thing), synonym.participle),
        format!("{she} {} the {thing}", verb.past),
        format!("{first} {} {} {}", synonym.past, a(thing), event.spot()),
        format!("the {full} was {} {}", verb.participle, event.spot()),
        format!("someone {} {}, for {} is {kind}", verb.past, a(thing), a(thing)),
        format!("{kind} was {} by {}", synonym.participle, a(job)),
        format!("{first}, {}, {} the {thing} in {country}", a(job), synonym.past),
        format!("{} from {} {} {kind}", a(job), world.towns[person.home].name, verb.past),
        format!("{she} {} the {thing} {}", verb.past, draws.pick(&ADDITIONS)),
    ]
}

/// What cannot be true beside the event.
fn denied(event: Event, opposite: Verb, world: &World) -> Vec<String> {
    let person = &world.people[event.agent];
    let (first, thing) = (person.first, event.thing());
    vec![
        format!("{first} did not {} the {thing}", opposite.base),
        format!("the {thing} was not {}", opposite.participle),
        format!("it is wrong that {first} {} {}", opposite.past, a(thing)),
        format!("nobody says that {} {} it", subject_pronoun(person.gender), opposite.past),
    ]
}

/// Who, where and when, each on its own.
fn circumstances(event: Event, verb: Verb, world: &World) -> Vec<String> {
    let person = &world.people[event.agent];
    let (day, spot, town) = (event.day(), event.spot(), &world.towns[event.town].name);
    vec![
        format!("it happened on {day}, {spot}"),
        format!("it was {} who {} the {}", person.first, verb.past, event.thing()),
        format!("all this was in {town}"),
        format!("the {} is {}", event.thing(), event.quality()),
        format!("people saw {} {spot}", object_pronoun(person.gender)),
        format!("{} is with the {}", person.first, world.organisations[person.employer].name),
    ]
}

/// What someone means to do, and that it is therefore no fact yet.
pub(super) fn intentions(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..2 + draws.below(2) {
        let event = world.event(draws);
        let deed = event.deed();
        let verb = if draws.chance(0.5) { deed.verb } else { deed.synonym };
        let person = &world.people[event.agent];
        let (first, she) = (person.first, subject_pronoun(person.gender));
        let thing = a(&format!("{} {}", event.quality(), event.thing()));
        let plan = *draws.pick(&["hopes to", "plans to", "may", "promised to", "was asked to", "refused to"]);
        told.push(format!("{} {plan} {} {thing} on {}", world.full_name(event.agent), verb.base, event.day()));
        let mut more = vec![
            format!("this does not mean that {she} {} it", verb.past),
            format!("so far nobody has {} the {}", verb.participle, event.thing()),
            format!("whether {first} will {} the {} is open", verb.base, event.thing()),
            format!("that {first} {plan} {} it is all that we know", verb.base),
            format!("{she} has not {} it yet", verb.participle),
        ];
        draws.shuffle(&mut more);
        more.truncate(3);
        told.extend(more);
        match (plan, draws.chance(0.5)) {
            ("refused to", _) => told.push(format!("{first} did not {} {}", verb.base, a(event.thing()))),
            (_, true) => told.push(format!("a week later {she} {} it, and now it is a fact", verb.past)),
            (_, false) => told.push(format!("in the end {she} did not {} it", verb.base)),
        }
    }
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// Someone's day, in the present: work, then things and what one does with them.
pub(super) fn day(world: &World, draws: &mut Draws) -> Vec<String> {
    let agent = draws.below(world.people.len());
    let person = &world.people[agent];
    let (first, she, job) = (person.first, subject_pronoun(person.gender), person.job);
    let day = world.event(draws).day();
    let begins = *draws.pick(&BEGINNINGS);
    let mut told = vec![
        format!("it is {day}, and {}, {}, {begins}", world.full_name(agent), a(JOBS[job].0)),
        format!("first {she} {}", WORK[job][0]),
        format!("then {she} {}", WORK[job][1]),
    ];
    for _ in 0..2 + draws.below(2) {
        let event = Event { agent, ..world.event(draws) };
        let thing = format!("the {} {}", event.quality(), event.thing());
        if draws.chance(0.5) {
            told.push(format!("{} {first} {} {thing}", later(draws), draws.pick(&STARTS)));
            let acts = uses(event.kind());
            let one = draws.below(acts.len());
            told.push(format!("{she} {}", acts[one]));
            told.push(format!(
                "after that {she} {}, as one does with {}",
                acts[other(one, 6, draws)],
                a(event.kind().noun())
            ));
        } else {
            let side = draws.below(2);
            told.push(format!("{} {first} {} {thing} {}", later(draws), third(verb(event.deed, side)), event.spot()));
            told.push(format!("{she} {}", SEQUELS[event.deed][side]));
            told.push(format!("so {first} {} it", third(verb(event.deed, side))));
        }
    }
    told.push(format!("at night {she} goes home to {}", world.towns[person.home].name));
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// When the next thing happens.
fn later(draws: &mut Draws) -> &'static str {
    draws.pick::<&str>(&["later", "at noon", "in the afternoon", "before dinner", "an hour later"])
}

/// Why people did something to each other, and who is meant.
pub(super) fn reasons(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..3 {
        let one = draws.below(world.people.len());
        let two = other(one, world.people.len(), draws);
        let (doer, done_to) = (&world.people[one], &world.people[two]);
        let (deed, own, others) = *draws.pick(&REASONS);
        told.push(format!("{} {own}", doer.first));
        told.push(format!("{} {others}", done_to.first));
        told.push(format!("that is why {} {deed} {}", doer.first, done_to.first));
        told.push(format!("{} {deed} {} because {}, and nobody else, {own}", doer.first, done_to.first, doer.first));
        told.push(format!("{} {deed} {} because the latter {others}", doer.first, done_to.first));
    }
    let (thing, container) = (draws.pick(&THINGS).0, *draws.pick(&CONTAINERS));
    told.push(format!("the {thing} did not go into the {container}"));
    told.push(format!("either the {thing} was too large or the {container} was too small"));
    told.iter().map(|phrase| sentence(phrase)).collect()
}
