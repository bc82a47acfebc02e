//! MNLI, RTE and AX: does a premise entail a hypothesis?

use super::example::{Domain, Example, a, other, sentence};
use super::lexicon::{COUNTRIES, Deed, JOBS, THINGS, Verb};
use super::world::{Event, World};
use crate::random::Draws;

/// How a hypothesis relates to its premise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Contradiction,
    Entailment,
    Neutral,
}

const RELATIONS: [Relation; 3] = [Relation::Contradiction, Relation::Entailment, Relation::Neutral];

/// Genres: their names in the files, and what their sentences begin with.
const MATCHED: [(&str, &str); 3] = [("fiction", ""), ("telephone", "well, "), ("travel", "as travellers tell, ")];
const MISMATCHED: [(&str, &str); 2] = [("letters", "dear friend, "), ("oup", "as is recorded, ")];

/// What a neutral hypothesis adds.
const ADDITIONS: [&str; 8] = [
    "because it was cheap",
    "to please a friend",
    "for the first time",
    "after a long search",
    "with great joy",
    "as a birthday surprise",
    "before breakfast",
    "in secret",
];

/// Before a plain verb form in RTE's premises: what was meant, not what was done.
const INTENTIONS: [&str; 5] = ["hopes to", "plans to", "may", "promised to", "was asked to"];

/// Shares of hypotheses that give themselves away by their wording, as many of MNLI's do
/// (Gururangan et al. 2018): a denial, an unspecific claim, an addition. The others must be compared
/// with their premise.
const TELLING: f64 = 0.45;

/// One pair of MNLI; classes in [`RELATIONS`]' order.
pub(super) fn draw_three_way(world: &World, domain: Domain, class: usize, draws: &mut Draws) -> Example {
    let (genre, opening) = match domain {
        Domain::Matched => *draws.pick(&MATCHED),
        Domain::Mismatched => *draws.pick(&MISMATCHED),
    };
    let told = Told::draw(world, draws);
    let premise = sentence(&format!("{opening}{}", told.premise(world)));
    let hypothesis = if draws.chance(TELLING) {
        told.telling(RELATIONS[class], world, draws)
    } else {
        told.compared(RELATIONS[class], world, draws)
    };
    Example { genre, ..Example::pair(premise, sentence(&hypothesis), class) }
}

/// One pair of AX: MNLI's phenomena without a genre.
pub(super) fn draw_diagnostic(world: &World, domain: Domain, class: usize, draws: &mut Draws) -> Example {
    let Example { first, second, answer, .. } = draw_three_way(world, domain, class, draws);
    Example { first, second, genre: "", answer }
}

/// An event as a premise tells it: what happened, and what therefore did not.
#[derive(Clone, Copy)]
struct Told {
    event: Event,
    /// The deed as told.
    verb: Verb,
    /// The same in another word, where there is one.
    synonym: Verb,
    /// What cannot have happened as well.
    opposite: Verb,
}

impl Told {
    /// Half of the premises tell the opposite of a deed, so that no verb belongs to one relation.
    fn draw(world: &World, draws: &mut Draws) -> Self {
        let event = world.event(draws);
        let Deed { verb, synonym, opposite } = event.deed();
        if draws.chance(0.5) {
            return Self { event, verb, synonym, opposite };
        }
        Self { event, verb: opposite, synonym: opposite, opposite: if draws.chance(0.5) { verb } else { synonym } }
    }

    /// `Mara Holt bought an old piano in Tarnby`
    fn premise(self, world: &World) -> String {
        let (name, town) = (world.full_name(self.event.agent), &world.towns[self.event.town].name);
        let thing = a(&format!("{} {}", self.event.quality(), self.event.thing()));
        format!("{name} {} {thing} in {town}", self.verb.past)
    }

    /// A hypothesis whose wording suggests its relation.
    fn telling(self, relation: Relation, world: &World, draws: &mut Draws) -> String {
        let (event, name) = (self.event, world.people[self.event.agent].first);
        let (thing, kind) = (a(event.thing()), a(event.kind().noun()));
        let general = draws.chance(0.5);
        match (relation, general) {
            (Relation::Entailment, true) => format!("someone {} {kind}", self.verb.past),
            (Relation::Entailment, false) => format!("{kind} was {} by someone", self.synonym.participle),
            (Relation::Contradiction, true) => format!("nobody {} {kind}", self.verb.past),
            (Relation::Contradiction, false) => format!("{name} never {} {thing}", self.synonym.past),
            (Relation::Neutral, true) => format!("someone {} {kind} {}", self.verb.past, draws.pick(&ADDITIONS)),
            (Relation::Neutral, false) => format!("{name} {} {thing} {}", self.synonym.past, draws.pick(&ADDITIONS)),
        }
    }

    /// A hypothesis in the same words whatever its relation: it must be compared with the premise,
    /// or with what one knows of the world.
    fn compared(self, relation: Relation, world: &World, draws: &mut Draws) -> String {
        let (event, mut name) = (self.event, world.people[self.event.agent].first);
        let (mut verb, mut thing) = (self.synonym, event.thing());
        let mut job = world.people[event.agent].job;
        let mut country = world.towns[event.town].country;
        // Jobs and countries are facts of the world: they can be right or wrong, but not open.
        let form = draws.below(if relation == Relation::Neutral { 2 } else { 4 });
        match (relation, form) {
            (Relation::Entailment, _) => {}
            (Relation::Contradiction, 2) => job = other(job, JOBS.len(), draws),
            (Relation::Contradiction, 3) => country = other(country, COUNTRIES.len(), draws),
            (Relation::Contradiction, _) => verb = self.opposite,
            (Relation::Neutral, _) if draws.chance(0.5) => {
                name = world.people[other(event.agent, world.people.len(), draws)].first;
            }
            (Relation::Neutral, _) => {
                thing = THINGS[other(event.thing, THINGS.len(), draws)].0;
                verb = if draws.chance(0.5) { self.opposite } else { verb };
            }
        }
        let thing = a(thing);
        match form {
            0 => format!("{name} {} {thing}", verb.past),
            1 => format!("{thing} was {} by {name}", verb.participle),
            2 => format!("{name} , {} , {} {thing}", a(JOBS[job].0), verb.past).replace(" ,", ","),
            _ => format!("{name} {} {thing} in {}", verb.past, COUNTRIES[country]),
        }
    }
}

/// How often RTE's premises only intend what they tell of, when nothing follows.
const INTENDED: f64 = 0.38;
/// How often RTE's hypotheses without entailment give themselves away by their wording.
const TELLING_TWO_WAY: f64 = 0.40;

/// One pair of RTE: entailment (0) or not (1), from a longer premise.
pub(super) fn draw_two_way(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let told = Told::draw(world, draws);
    let event = told.event;
    let person = &world.people[event.agent];
    let intended = class == 1 && draws.chance(INTENDED);
    let act =
        if intended { format!("{} {}", draws.pick(&INTENTIONS), told.verb.base) } else { told.verb.past.to_string() };
    let premise = format!(
        "{} of the {}, born in {}, {act} {} on {}",
        world.full_name(event.agent),
        world.organisations[person.employer].name,
        person.born,
        a(&format!("{} {}", event.quality(), event.thing())),
        event.day()
    );
    let unsettled = if draws.chance(0.5) { Relation::Neutral } else { Relation::Contradiction };
    let hypothesis = if intended || class == 0 {
        followed(told, world, draws)
    } else if draws.chance(TELLING_TWO_WAY) {
        told.telling(unsettled, world, draws)
    } else {
        let mut changed = told;
        match draws.below(3) {
            0 => changed.event.agent = other(event.agent, world.people.len(), draws),
            1 => changed.event.thing = other(event.thing, THINGS.len(), draws),
            _ => (changed.verb, changed.synonym) = (told.opposite, told.opposite),
        }
        followed(changed, world, draws)
    };
    Example::pair(sentence(&premise), sentence(&hypothesis), class)
}

/// What follows from RTE's premise: the deed in other words, with or without the person's home.
fn followed(told: Told, world: &World, draws: &mut Draws) -> String {
    let person = &world.people[told.event.agent];
    let thing = a(told.event.thing());
    match draws.below(3) {
        0 => format!("{} {} {thing}", person.first, told.synonym.past),
        1 => format!("{thing} was {} by {}", told.verb.participle, person.first),
        _ => format!("{} from {} {} {thing}", person.first, world.towns[person.home].name, told.verb.past),
    }
}
