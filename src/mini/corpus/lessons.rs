//! Documents that explain words: what a thing is, what a verb means, how sentences go.

use super::super::acceptability;
use super::super::example::{Domain, a, frequent, other, sentence};
use super::super::lexicon::{DEEDS, Deed, JOBS, THINGS};
use super::super::scenes::uses;
use super::super::sentiment::{BLAME, PRAISE, SUBJECTS};
use super::super::world::World;
use crate::random::Draws;

/// Things of one kind, and things of others.
pub(super) fn things(world: &World, draws: &mut Draws) -> Vec<String> {
    let kind = THINGS[draws.below(THINGS.len())].1;
    let noun = kind.noun();
    let mut told = vec![format!("{} asks what {} is", draws.pick(&world.people).first, a(noun))];
    let mut facts = Vec::new();
    for (thing, of) in THINGS {
        if of == kind {
            facts.push(format!("{} is {}", a(thing), a(noun)));
            facts.push(format!("someone who has {} has {}", a(thing), a(noun)));
            facts.push(format!("one takes {} and {}", a(thing), draws.pick(uses(kind))));
        } else if draws.chance(0.2) {
            facts.push(format!("{} is not {}, it is {}", a(thing), a(noun), a(of.noun())));
        }
    }
    draws.shuffle(&mut facts);
    told.extend(facts.into_iter().take(16));
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// Verbs and adjectives: which mean the same, and which rule each other out.
pub(super) fn words(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..2 {
        let Deed { verb, synonym, opposite } = *draws.pick(&DEEDS);
        let (thing, who) = (draws.pick(&THINGS).0, draws.pick(&world.people).first);
        told.push(format!("to {} {} means to {} it", synonym.base, a(thing), verb.base));
        told.push(format!("if {} was {}, then it was {}", a(thing), verb.participle, synonym.participle));
        told.push(format!("whoever {} the {thing} did not {} it", verb.past, opposite.base));
        told.push(format!("either {who} {} the {thing} or {who} {} it", verb.past, opposite.past));
        told.push(format!("\"{}\" is the opposite of \"{}\" and of \"{}\"", opposite.base, verb.base, synonym.base));
    }
    for _ in 0..2 {
        let (good, bad) = (frequent(&PRAISE, draws), frequent(&BLAME, draws));
        let (better, worse) = (frequent(&PRAISE, draws), frequent(&BLAME, draws));
        let subject = *draws.pick(&SUBJECTS);
        told.push(format!("{} {subject} is not {bad}", a(good)));
        told.push(format!("people love {} {subject}, for it is {good}", a(better)));
        told.push(format!("people hate {} {subject}, for it is {worse}", a(bad)));
    }
    let (one, job) = (draws.below(JOBS.len()), draws.below(JOBS.len()));
    told.push(format!("{} is someone who {}", a(JOBS[job].0), JOBS[job].1));
    told.push(format!("someone who {} is called {}", JOBS[one].1, a(JOBS[one].0)));
    let elsewhere = other(one, JOBS.len(), draws);
    told.push(format!("{} is not someone who {}", a(JOBS[one].0), JOBS[elsewhere].1));
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// Sentences as they should be.
pub(super) fn grammar(world: &World, draws: &mut Draws) -> Vec<String> {
    (0..10 + draws.below(10)).map(|_| acceptability::draw(world, Domain::Matched, 1, draws).first).collect()
}
