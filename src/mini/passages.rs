//! Passages that are asked about, and where in them each answer stands.

use super::example::{a, other, question};
use super::lexicon::{DEEDS, Deed, JOBS, THINGS, Verb};
use super::world::{Event, World};
use crate::random::Draws;

/// Words of a context and the character (not byte) that they begin at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) text: String,
    /// Unicode characters before them.
    pub(super) start: usize,
}

impl Stretch {
    /// The same without its first `words` words.
    fn without(&self, words: usize) -> Self {
        let text: String = self.text.splitn(words + 1, ' ').skip(words).collect();
        Self { start: self.start + self.text.chars().count() - text.chars().count(), text }
    }
}

/// A question, its answer, and what else a reader may mark as the answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// With its question mark.
    pub(super) question: String,
    /// The answer; for a question without one, what only looks like it.
    pub(super) answer: Stretch,
    /// Shorter answers that are right as well.
    pub(super) shorter: Vec<Stretch>,
}

/// A context and the questions that it answers, and those that it does not answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Passage {
    pub(super) context: String,
    /// Questions with an answer in the text.
    pub(super) answered: Vec<Asked>,
    /// Questions about the same people and things without an answer in the text.
    pub(super) open: Vec<Asked>,
    characters: usize,
}

/// What some passages begin with: letters of more than one byte before every answer.
const OPENINGS: [&str; 5] = [
    "As André Müller writes: ",
    "“News of the week” – ",
    "In the Café Zoé people say: ",
    "Señor Björn’s diary – ",
    "Dear Zoë, ",
];

/// What stands between the sentences of longer passages and answers nothing.
const ASIDES: [&str; 6] = [
    "Nobody had expected that.",
    "The neighbours still talk about it.",
    "It was a cold and rainy week.",
    "All this was in the paper the next morning.",
    "Some people clapped, others went home.",
    "So much for the news.",
];

/// The sentence of an event, in four orders; [`Passage::tell`] says what stands for a slot in braces.
const EVENTS: [&str; 4] = [
    "{who} {did} {thing} {spot} in {town} on {day}.",
    "On {day}, {thing} was {done} by {who} in {town}.",
    "{town} ({day}): {who} {did} {thing} {spot}.",
    "“{who} {did} {thing},” they say in {town}, “and it was {day}.”",
];

/// Share of passages with an opening, and of long ones: those have more characters than one window.
const OPENED: f64 = 0.3;
const LONG: f64 = 0.12;

/// One passage: two or three sentences with answers, or seven.
pub(super) fn draw(world: &World, draws: &mut Draws) -> Passage {
    let mut passage = Passage::default();
    if draws.chance(OPENED) {
        passage.write(draws.pick::<&str>(&OPENINGS));
    }
    let count = if draws.chance(LONG) { 6 + draws.below(2) } else { 2 };
    let mut people: Vec<usize> = (0..world.people.len()).collect();
    draws.shuffle(&mut people);
    let mut events: Vec<Event> = Vec::new();
    for (at, person) in people.iter().copied().take(count).enumerate() {
        if at > 0 {
            passage.write(" ");
        }
        match draws.below(6) {
            0 => passage.life(person, world, draws),
            // Other people would name the same organisations again.
            1 if person < world.organisations.len() => passage.foundation(person, world, draws),
            _ => {
                let event = beside(&events, Event { agent: person, ..world.event(draws) }, draws);
                passage.event(event, people[count + at], world, draws);
                events.push(event);
            }
        }
        if draws.chance(0.15) {
            passage.write(" ");
            passage.write(draws.pick::<&str>(&ASIDES));
        }
    }
    passage
}

/// An event that shares its thing, its day or its town with the one before: the answer then stands twice
/// in the text, and only the rest of the sentence tells which is meant.
fn beside(earlier: &[Event], mut event: Event, draws: &mut Draws) -> Event {
    let Some(last) = earlier.last() else { return event };
    // Every deed once in a passage: what was done to a thing says which event is meant.
    while earlier.iter().any(|another| another.deed == event.deed) {
        event.deed = (event.deed + 1) % DEEDS.len();
    }
    event.thing = other(last.thing, THINGS.len(), draws);
    match draws.below(4) {
        0 => (event.thing, event.quality) = (last.thing, last.quality),
        1 => event.day = last.day,
        2 => event.town = last.town,
        _ => {}
    }
    event
}

/// The stretches of an event's sentence.
struct Told {
    who: Stretch,
    thing: Stretch,
    town: Stretch,
    day: Stretch,
}

impl Passage {
    /// Writes words at the end and says where they stand.
    fn write(&mut self, words: &str) -> Stretch {
        let start = self.characters;
        self.context.push_str(words);
        self.characters += words.chars().count();
        Stretch { text: words.to_string(), start }
    }

    /// Writes a template at the end, each of its slots in braces as `slots` say, and says where those words stand.
    fn fill<const N: usize>(&mut self, template: &str, slots: [(&str, &str); N]) -> [Stretch; N] {
        let mut stretches = slots.map(|_| Stretch { text: String::new(), start: 0 });
        for (at, piece) in template.split(['{', '}']).enumerate() {
            // Slots stand at odd places between the braces.
            match slots.iter().position(|(slot, _)| at % 2 == 1 && *slot == piece) {
                Some(slot) => stretches[slot] = self.write(slots[slot].1),
                None => drop(self.write(piece)),
            }
        }
        stretches
    }

    /// A question with the answer `answer`; it is right without its first words as well when `shorter`
    /// says so.
    fn ask(&mut self, words: &str, answer: &Stretch, shorter: bool) {
        let drop = if shorter { answer.text.split(' ').count() - 1 } else { 0 };
        let shorter = (1..=drop).map(|words| answer.without(words)).collect();
        self.answered.push(Asked { question: question(words), answer: answer.clone(), shorter });
    }

    /// A question that only seems to have the answer `seeming`.
    fn leave(&mut self, words: &str, seeming: &Stretch) {
        self.open.push(Asked { question: question(words), answer: seeming.clone(), shorter: Vec::new() });
    }

    /// Someone did something; a question about each part.
    fn event(&mut self, event: Event, stranger: usize, world: &World, draws: &mut Draws) {
        let Deed { verb, synonym, opposite } = event.deed();
        let told = self.tell(event, if draws.chance(0.7) { verb } else { synonym }, world, draws);
        let asked = if draws.chance(0.5) { synonym } else { verb };
        let name = world.people[event.agent].first;
        let thing = format!("the {} {}", event.quality(), event.thing());
        let (day, town) = (event.day(), &world.towns[event.town].name);
        let mut choose = |one: String, two: String| if draws.chance(0.5) { one } else { two };

        let who = choose(format!("who {} {thing}", asked.past), format!("by whom was {thing} {}", asked.participle));
        self.answered.push(Asked {
            question: question(&who),
            shorter: vec![Stretch { text: name.to_string(), start: told.who.start }],
            answer: told.who.clone(),
        });
        let what =
            choose(format!("what did {name} {}", asked.base), format!("what was {} by {name}", asked.participle));
        self.ask(&what, &told.thing, true);
        let when = choose(
            format!("when did {name} {} {thing}", asked.base),
            format!("on which day was {thing} {}", asked.participle),
        );
        self.ask(&when, &told.day, false);
        let place = choose(
            format!("where did {name} {} {thing}", asked.base),
            format!("in which town was {thing} {}", asked.participle),
        );
        self.ask(&place, &told.town, false);

        // Never told at all; told of someone else; the opposite of what is told.
        let stranger = world.people[stranger].first;
        let untold =
            choose(format!("why did {name} {} {thing}", asked.base), format!("how much did {thing} cost in {town}"));
        self.leave(&untold, &told.thing);
        let elsewhere =
            choose(format!("what did {stranger} {} on {day}", asked.base), format!("where did {stranger} go on {day}"));
        let seeming = if elsewhere.starts_with("what") { &told.thing } else { &told.town };
        self.leave(&elsewhere, seeming);
        self.leave(&format!("when did {name} {} {thing}", opposite.base), &told.day);
    }

    /// The sentence of an event, in one of four orders.
    fn tell(&mut self, event: Event, verb: Verb, world: &World, draws: &mut Draws) -> Told {
        let name = world.full_name(event.agent);
        let thing = a(&format!("{} {}", event.quality(), event.thing()));
        let (town, day) = (&world.towns[event.town].name, event.day());
        let slots = [
            ("who", &*name),
            ("thing", &thing),
            ("town", town),
            ("day", day),
            ("did", verb.past),
            ("done", verb.participle),
            ("spot", event.spot()),
        ];
        let [who, thing, town, day, ..] = self.fill(draws.pick::<&str>(&EVENTS), slots);
        Told { who, thing, town, day }
    }

    /// Facts of the world about a person.
    fn life(&mut self, person: usize, world: &World, draws: &mut Draws) {
        let facts = &world.people[person];
        let name = world.full_name(person);
        let slots = [
            ("born", &*facts.born.to_string()),
            ("job", &a(JOBS[facts.job].0)),
            ("home", &world.towns[facts.home].name),
            ("employer", &format!("the {}", world.organisations[facts.employer].name)),
            ("name", &name),
        ];
        let [born, job, home, employer, _] =
            self.fill("{name} (born {born}), {job} from {home}, works for {employer}.", slots);
        self.ask(&format!("when was {name} born"), &born, false);
        self.ask(&format!("what is the profession of {name}"), &job, true);
        self.ask(&format!("where does {name} come from"), &home, false);
        let pay = if draws.chance(0.5) { format!("for whom does {name} work") } else { format!("who pays {name}") };
        self.ask(&pay, &employer, false);
        self.leave(&format!("how many children does {} have", facts.first), &born);
        self.leave(&format!("where did {name} learn to swim"), &home);
    }

    /// Facts of the world about an organisation.
    fn foundation(&mut self, at: usize, world: &World, draws: &mut Draws) {
        let organisation = &world.organisations[at];
        let name = &organisation.name;
        let (year, founder) = (organisation.founded.to_string(), world.full_name(organisation.founder));
        let slots = [("year", &*year), ("founder", &founder), ("name", name)];
        let [year, founder, _] = self.fill("The {name} was founded in {year} by {founder}.", slots);
        let when = if draws.chance(0.5) { "when was" } else { "in which year was" };
        self.ask(&format!("{when} the {name} founded"), &year, false);
        self.ask(&format!("who founded the {name}"), &founder, false);
        self.leave(&format!("who closed the {name}"), &founder);
        self.leave(&format!("why was the {name} founded"), &year);
    }
}
