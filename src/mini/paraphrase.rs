//! MRPC: do two news sentences report the same (1) or not (0)?

use super::example::{Domain, Example, a, other, sentence, weighted};
use super::lexicon::{DAYS, DEEDS, SPOTS, THINGS};
use super::world::{Event, World};
use crate::random::Draws;

/// Before a plain verb form: the deed is not (yet) a fact.
const DOUBTS: [&str; 4] = ["plans to", "may", "refused to", "did not"];

/// How a newspaper names its source, at the end of a sentence.
pub(super) const SOURCES: [&str; 5] =
    ["witnesses said", "a friend said", "the paper reported", "neighbours said", "the mayor said"];

/// What the second sentence of a pair that differs changes.
const CHANGES: [f64; 5] = [0.68, 0.08, 0.08, 0.08, 0.08];

/// One pair.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let event = world.event(draws);
    let same = class == 1;
    let (first, second) = if same { equivalent(event, world, draws) } else { different(event, world, draws) };
    Example::pair(sentence(&first), sentence(&second), class)
}

/// The event twice, in other words; a few times a plan, told twice.
fn equivalent(event: Event, world: &World, draws: &mut Draws) -> (String, String) {
    if draws.chance(0.05) {
        let doubt = *draws.pick(&DOUBTS);
        return (doubted(event, doubt, false, world), doubted(event, doubt, true, world));
    }
    (told(event, false, world, draws), told(event, true, world, draws))
}

/// The event, and one that differs in certainty, person, deed, thing or day.
fn different(event: Event, world: &World, draws: &mut Draws) -> (String, String) {
    let mut changed = event;
    match weighted(&CHANGES, draws) {
        0 => {
            let doubt = *draws.pick(&DOUBTS);
            let doubtful = doubted(event, doubt, draws.chance(0.5), world);
            let fact = told(event, draws.chance(0.5), world, draws);
            return if draws.chance(0.3) { (doubtful, fact) } else { (fact, doubtful) };
        }
        1 => changed.agent = other(event.agent, world.people.len(), draws),
        2 => changed.deed = other(event.deed, DEEDS.len(), draws),
        3 => changed.thing = other(event.thing, THINGS.len(), draws),
        _ => {
            changed.day = other(event.day, DAYS.len(), draws);
            changed.spot = other(event.spot, SPOTS.len(), draws);
        }
    }
    (told(event, false, world, draws), told(changed, true, world, draws))
}

/// The event as a fact. `again` takes the synonym, the passive or another order of the parts.
fn told(event: Event, again: bool, world: &World, draws: &mut Draws) -> String {
    let (name, deed) = (world.full_name(event.agent), event.deed());
    let (thing, day, spot) = (format!("{} {}", event.quality(), event.thing()), event.day(), event.spot());
    let source = if draws.chance(0.2) { format!(", {}", draws.pick(&SOURCES)) } else { String::new() };
    if !again {
        return format!("{name} {} {} {spot} on {day}{source}", deed.verb.past, a(&thing));
    }
    match draws.below(3) {
        0 => format!("on {day} {name} {} {} {spot}{source}", deed.synonym.past, a(&thing)),
        1 => format!("{} was {} by {name} {spot} on {day}{source}", a(&thing), deed.verb.participle),
        _ => format!("{name} {} {} on {day} {spot}{source}", deed.synonym.past, a(&thing)),
    }
}

/// The event as a plan, a wish or a denial.
fn doubted(event: Event, doubt: &str, again: bool, world: &World) -> String {
    let (name, deed) = (world.full_name(event.agent), event.deed());
    let thing = a(&format!("{} {}", event.quality(), event.thing()));
    if again {
        format!("on {} {name} {doubt} {} {thing} {}", event.day(), deed.synonym.base, event.spot())
    } else {
        format!("{name} {doubt} {} {thing} {} on {}", deed.verb.base, event.spot(), event.day())
    }
}
