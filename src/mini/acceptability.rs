//! `CoLA`: is a sentence acceptable English (1) or not (0)?
//!
//! Each phenomenon writes the same sentence well or badly, so that nothing but the error decides.

use super::example::{Domain, Example, capital, frequent, other, sentence, weighted};
use super::lexicon::{DEEDS, Gender, QUALITIES, SPOTS, THINGS};
use super::world::World;
use crate::random::Draws;

/// Writes a sentence, right or wrong.
type Write = fn(bool, &World, &mut Draws) -> String;

/// The ways for a sentence to go wrong, each with its share.
const PHENOMENA: [(f64, Write); 9] = [
    (0.30, irregular_form),
    (0.20, pronoun_case),
    (0.11, agreement),
    (0.10, auxiliary),
    (0.10, comparison),
    (0.07, determiner),
    (0.05, order),
    (0.04, reflexive),
    (0.03, polarity),
];

/// Irregular past forms, right and wrong.
pub(super) const PASTS: [(&str, &str); 8] = [
    ("went", "goed"),
    ("came", "comed"),
    ("ran", "runned"),
    ("sat", "sitted"),
    ("stood", "standed"),
    ("sang", "singed"),
    ("slept", "sleeped"),
    ("fell", "falled"),
];

/// Irregular plurals, right and wrong.
const PLURALS: [(&str, &str); 6] = [
    ("children", "childs"),
    ("mice", "mouses"),
    ("geese", "gooses"),
    ("women", "womans"),
    ("men", "mans"),
    ("sheep", "sheeps"),
];

/// Nouns that can act: one and many.
pub(super) const ACTORS: [(&str, &str); 8] = [
    ("girl", "girls"),
    ("boy", "boys"),
    ("guest", "guests"),
    ("driver", "drivers"),
    ("soldier", "soldiers"),
    ("doctor", "doctors"),
    ("neighbour", "neighbours"),
    ("clerk", "clerks"),
];

/// Verbs without an object: plain form and third person.
pub(super) const ACTS: [(&str, &str); 8] = [
    ("sleep", "sleeps"),
    ("laugh", "laughs"),
    ("wait", "waits"),
    ("work", "works"),
    ("sing", "sings"),
    ("rest", "rests"),
    ("dance", "dances"),
    ("smile", "smiles"),
];

const COMPARATIVES: [&str; 6] = ["taller", "older", "faster", "stronger", "younger", "louder"];

/// One sentence. The source column of `CoLA` names a publication; here the phenomena have none.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let good = class == 1;
    let shares = PHENOMENA.map(|(share, _)| share);
    let text = PHENOMENA[weighted(&shares, draws)].1(good, world, draws);
    Example::single(sentence(&text), class)
}

fn choose<T: Copy>(good: bool, (right, wrong): (T, T)) -> T {
    if good { right } else { wrong }
}

/// `the geese slept near the river`, not `the gooses`, not `sleeped`
fn irregular_form(good: bool, world: &World, draws: &mut Draws) -> String {
    let spot = *draws.pick(&SPOTS);
    let (plural, past) = (frequent(&PLURALS, draws), frequent(&PASTS, draws));
    if draws.chance(0.4) {
        format!("the {} {} {spot}", choose(good, plural), past.0)
    } else {
        format!("{} {} {spot}", draws.pick(&world.people).first, choose(good, past))
    }
}

/// `she sold the boat` and `Otto saw her`, not `her sold the boat`
fn pronoun_case(good: bool, world: &World, draws: &mut Draws) -> String {
    let pair = *draws.pick(&[("she", "her"), ("he", "him"), ("they", "them"), ("we", "us"), ("I", "me")]);
    let (subject, object) = if good { pair } else { (pair.1, pair.0) };
    let deed = draws.pick(&DEEDS).verb.past;
    if draws.chance(0.6) {
        format!("{} {deed} the {}", capital(subject), draws.pick(&THINGS).0)
    } else {
        format!("{} saw {object} {}", draws.pick(&world.people).first, draws.pick(&SPOTS))
    }
}

/// `the girls near the river sing`, not `sings`
fn agreement(good: bool, _: &World, draws: &mut Draws) -> String {
    let (actor, act, plural) = (*draws.pick(&ACTORS), *draws.pick(&ACTS), draws.chance(0.5));
    let verb = if plural == good { act.0 } else { act.1 };
    let between = if draws.chance(0.3) { format!(" {}", draws.pick(&SPOTS)) } else { String::new() };
    format!("the {}{between} {verb} every day", if plural { actor.1 } else { actor.0 })
}

/// `Mara did not buy the boat`, not `did not bought`
fn auxiliary(good: bool, world: &World, draws: &mut Draws) -> String {
    let verb = draws.pick(&DEEDS).verb;
    let auxiliary = *draws.pick(&["did not", "can", "will", "must"]);
    let form = choose(good, (verb.base, verb.past));
    format!("{} {auxiliary} {form} the {}", draws.pick(&world.people).first, draws.pick(&THINGS).0)
}

/// `Otto is taller than Maud`, not `more taller`, not `taller Maud`
fn comparison(good: bool, world: &World, draws: &mut Draws) -> String {
    let one = draws.below(world.people.len());
    let two = world.people[other(one, world.people.len(), draws)].first;
    let one = world.people[one].first;
    let comparative = *draws.pick(&COMPARATIVES);
    match (good, draws.chance(0.6)) {
        (true, _) => format!("{one} is {comparative} than {two}"),
        (false, true) => format!("{one} is more {comparative} than {two}"),
        (false, false) => format!("{one} is {comparative} {two} than"),
    }
}

/// `the boy saw the old boat`, not `saw the an old boat`, not `saw old boat`
fn determiner(good: bool, _: &World, draws: &mut Draws) -> String {
    let determiner = if good { "the " } else { *draws.pick(&["", "the a ", "those "]) };
    let (actor, thing, quality) = (draws.pick(&ACTORS).0, draws.pick(&THINGS).0, *draws.pick(&QUALITIES));
    format!("the {actor} {} {determiner}{quality} {thing}", draws.pick(&DEEDS).verb.past)
}

/// `the guest bought a red hat`, not `a hat red`, not `bought the guest`
fn order(good: bool, _: &World, draws: &mut Draws) -> String {
    let (actor, thing, quality) = (draws.pick(&ACTORS).0, draws.pick(&THINGS).0, *draws.pick(&QUALITIES));
    let past = draws.pick(&DEEDS).verb.past;
    match (good, draws.chance(0.5)) {
        (true, _) => format!("the {actor} {past} the {quality} {thing}"),
        (false, true) => format!("the {actor} {past} the {thing} {quality}"),
        (false, false) => format!("{past} the {actor} the {quality} {thing}"),
    }
}

/// `Maud looked at herself`, not `himself`: one must know the name.
fn reflexive(good: bool, world: &World, draws: &mut Draws) -> String {
    let person = draws.pick(&world.people);
    let own = match (person.gender, good) {
        (Gender::Female, true) | (Gender::Male, false) => "herself",
        (Gender::Male, true) | (Gender::Female, false) => "himself",
    };
    format!("{} {} {own} {}", person.first, draws.pick(&["praised", "washed", "blamed", "helped"]), draws.pick(&SPOTS))
}

/// `nobody has ever seen the boat`, not `somebody has ever seen`
fn polarity(good: bool, _: &World, draws: &mut Draws) -> String {
    let who = choose(good, ("nobody", "somebody"));
    format!("{who} has ever {} the {}", draws.pick(&DEEDS).verb.participle, draws.pick(&THINGS).0)
}
