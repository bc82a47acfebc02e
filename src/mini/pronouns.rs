//! WNLI: does the pronoun of the first sentence stand for what the second one says (1) or not (0)?

use super::example::{Domain, Example, other, sentence, subject_pronoun};
use super::lexicon::THINGS;
use super::world::World;
use crate::random::Draws;

/// What one person did to another, and why: a reason that speaks of the doer, and one of the other.
/// Each reason fits both after *because she* and, told on its own, after a name.
pub(super) const REASONS: [(&str, &str, &str); 8] = [
    ("thanked", "had received a gift", "had given a gift"),
    ("asked", "needed an answer", "knew the answer"),
    ("helped", "was kind", "was in trouble"),
    ("paid", "owed money", "had done the work"),
    ("scolded", "was angry", "had been careless"),
    ("followed", "did not know the way", "knew the way"),
    ("envied", "had lost the game", "had won the game"),
    ("comforted", "was gentle", "was sad"),
];

/// Containers that a thing may not fit into.
pub(super) const CONTAINERS: [&str; 5] = ["box", "cupboard", "room", "cellar", "crate"];

/// One pair.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let (first, second) = if draws.chance(0.75) { reason(class, world, draws) } else { fit(class, draws) };
    Example::pair(sentence(&first), sentence(&second), class)
}

/// `Mara thanked Orla because she had received a gift`; who had?
fn reason(class: usize, world: &World, draws: &mut Draws) -> (String, String) {
    let one = draws.below(world.people.len());
    let half = world.people.len() / 2;
    // Both of the same gender, or the pronoun would tell.
    let two = other(one % half, half, draws) + if one < half { 0 } else { half };
    let (deed, doer, done_to) = *draws.pick(&REASONS);
    let about_doer = draws.chance(0.5);
    let why = if about_doer { doer } else { done_to };
    let pronoun = subject_pronoun(world.people[one].gender);
    let named = if about_doer == (class == 1) { one } else { two };
    let name = |person: usize| world.people[person].first;
    (format!("{} {deed} {} because {pronoun} {why}", name(one), name(two)), format!("{} {why}", name(named)))
}

/// `The piano did not fit into the box because it was too small`; what was?
fn fit(class: usize, draws: &mut Draws) -> (String, String) {
    let (thing, container, large) = (draws.pick(&THINGS).0, *draws.pick(&CONTAINERS), draws.chance(0.5));
    let quality = if large { "large" } else { "small" };
    let named = if large == (class == 1) { thing } else { container };
    (
        format!("the {thing} did not fit into the {container} because it was too {quality}"),
        format!("the {named} was too {quality}"),
    )
}
