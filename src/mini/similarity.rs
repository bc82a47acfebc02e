//! STS-B: how much of their meaning do two sentences share, from 0 to 5?
//!
//! The score is a sum over the parts of what is said: the deed 2, the thing 1.5, the person 1, the
//! circumstances 0.5. A part counts in full when both sentences give it alike, in half when one is
//! vague about it, and not at all when they differ.

use super::example::{Answer, Domain, Example, a, other, question, sentence, weighted};
use super::lexicon::{DEEDS, SPOTS, THINGS};
use super::world::{Event, World};
use crate::random::Draws;

/// How the second sentence treats a part of the first one's meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Same,
    Vague,
    Different,
}

impl Part {
    fn share(self) -> f64 {
        match self {
            Self::Same => 1.0,
            Self::Vague => 0.5,
            Self::Different => 0.0,
        }
    }
}

/// How a genre words an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// What a picture shows, without names.
    Caption,
    /// What a named person did on a day.
    News,
    /// What somebody asks others.
    Question,
}

/// A kind of text: how often a part of its pairs is the same, vague and different.
struct Genre {
    name: &'static str,
    manner: Manner,
    share: f64,
    parts: [f64; 3],
}

const GENRES: [Genre; 3] = [
    Genre { name: "main-captions", manner: Manner::Caption, share: 0.4, parts: [0.50, 0.30, 0.20] },
    Genre { name: "main-news", manner: Manner::News, share: 0.3, parts: [0.75, 0.20, 0.05] },
    Genre { name: "main-forums", manner: Manner::Question, share: 0.3, parts: [0.20, 0.20, 0.60] },
];

/// Who is in a picture.
const FIGURES: [&str; 6] = ["man", "woman", "boy", "girl", "sailor", "nurse"];

/// One pair.
pub(super) fn draw(world: &World, _: Domain, _: usize, draws: &mut Draws) -> Example {
    let genre = &GENRES[weighted(&GENRES.each_ref().map(|genre| genre.share), draws)];
    let mut part = || [Part::Same, Part::Vague, Part::Different][weighted(&genre.parts, draws)];
    let (deed, thing, agent, circumstance) = (part(), part(), part(), part());
    let event = world.event(draws);
    let figure = draws.below(FIGURES.len());
    let (mut changed, mut changed_figure) = (event, figure);
    if agent == Part::Different {
        changed.agent = other(event.agent, world.people.len(), draws);
        changed_figure = other(figure, FIGURES.len(), draws);
    }
    if deed == Part::Different {
        changed.deed = other(event.deed, DEEDS.len(), draws);
    }
    if thing == Part::Different {
        changed.thing = other(event.thing, THINGS.len(), draws);
    }
    if circumstance == Part::Different {
        changed.spot = other(event.spot, SPOTS.len(), draws);
    }
    let score = 2.0 * deed.share() + 1.5 * thing.share() + agent.share() + 0.5 * circumstance.share();
    let manner = genre.manner;
    let first = tell(manner, event, FIGURES[figure], [Part::Same; 4], false, world);
    let parts = [deed, thing, agent, circumstance];
    let second = tell(manner, changed, FIGURES[changed_figure], parts, draws.chance(0.5), world);
    Example { first, second, genre: genre.name, answer: Answer::Score(score) }
}

/// The event in the genre's manner; vague parts lose their words.
fn tell(manner: Manner, event: Event, figure: &str, parts: [Part; 4], synonym: bool, world: &World) -> String {
    let [deed, thing, agent, spot] = parts.map(|part| part == Part::Vague);
    let verb = if synonym { event.deed().synonym } else { event.deed().verb };
    let thing = if thing { "something".to_string() } else { a(event.thing()) };
    let spot = if spot { "somewhere" } else { event.spot() };
    match manner {
        Manner::Caption | Manner::News => {
            let act = if deed { "did something with" } else { verb.past };
            let who = match (agent, manner) {
                (true, _) => "someone".to_string(),
                (false, Manner::News) => world.people[event.agent].first.to_string(),
                (false, _) => a(figure),
            };
            let day = if manner == Manner::News { format!(" on {}", event.day()) } else { String::new() };
            sentence(&format!("{who} {act} {thing} {spot}{day}"))
        }
        Manner::Question => {
            let act = if deed { "do something with" } else { verb.base };
            let who = if agent { "one".to_string() } else { format!("my {figure}") };
            question(&format!("should {who} {act} {thing} {spot}"))
        }
    }
}
