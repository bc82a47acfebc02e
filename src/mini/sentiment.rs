//! SST-2: is an opinion favourable (1) or not (0)?

use super::example::{Domain, Example, a, frequent, weighted};
use super::lexicon::THINGS;
use super::world::World;
use crate::random::Draws;

/// Adjectives of praise, the frequent ones first.
pub(super) const PRAISE: [&str; 32] = [
    "wonderful",
    "charming",
    "delightful",
    "excellent",
    "lovely",
    "superb",
    "brilliant",
    "gorgeous",
    "moving",
    "elegant",
    "clever",
    "fresh",
    "honest",
    "graceful",
    "vivid",
    "tender",
    "witty",
    "splendid",
    "warm",
    "inspired",
    "generous",
    "radiant",
    "masterful",
    "refined",
    "sincere",
    "sparkling",
    "joyous",
    "polished",
    "bold",
    "touching",
    "lively",
    "flawless",
];

/// Adjectives of blame, the frequent ones first.
pub(super) const BLAME: [&str; 32] = [
    "awful",
    "boring",
    "terrible",
    "dull",
    "clumsy",
    "dreadful",
    "stale",
    "ugly",
    "tedious",
    "shallow",
    "bland",
    "messy",
    "lifeless",
    "crude",
    "silly",
    "tired",
    "hollow",
    "noisy",
    "dreary",
    "careless",
    "bitter",
    "feeble",
    "pointless",
    "sloppy",
    "vulgar",
    "cold",
    "muddled",
    "gloomy",
    "wooden",
    "grating",
    "flimsy",
    "sour",
];

/// Verbs of liking and of disliking, in the past.
pub(super) const VERBS: [[&str; 5]; 2] =
    [["hated", "regretted", "disliked", "endured", "resented"], ["loved", "enjoyed", "adored", "admired", "treasured"]];

/// What is judged.
pub(super) const SUBJECTS: [&str; 16] = [
    "film", "play", "soup", "story", "concert", "book", "song", "dinner", "show", "painting", "dance", "novel",
    "speech", "garden", "bread", "service",
];

/// Words before an adjective that leave its direction as it is.
const DEGREES: [&str; 5] = ["very", "truly", "rather", "really", "so"];

/// Words before an adjective that turn it around.
pub(super) const REVERSERS: [&str; 5] = ["not", "never", "hardly", "far from", "anything but"];

/// Opinions without an opinion word: unfavourable, favourable.
pub(super) const IDIOMS: [[&str; 8]; 2] = [
    [
        "we left before the end",
        "i kept looking at my watch",
        "i want my money back",
        "half of the guests fell asleep",
        "once was more than enough",
        "nobody clapped when it was over",
        "even the dog walked away",
        "i would rather wash the floor",
    ],
    [
        "we wished it would go on for ever",
        "i forgot to look at my watch",
        "worth every coin",
        "all the guests stood up and clapped",
        "once was not enough",
        "nobody wanted to go home",
        "we will come back next week",
        "i have told all my friends",
    ],
];

/// A property, something that has it and something that has it not: *as quiet as a drum* is no praise.
pub(super) const SIMILES: [(&str, &str, &str); 8] = [
    ("warm", "a summer morning", "a winter night"),
    ("fresh", "morning dew", "last week's bread"),
    ("funny", "a born joker", "a funeral"),
    ("lively", "a village fair", "an empty station"),
    ("bright", "the midday sun", "a coal cellar"),
    ("graceful", "a swan", "a falling piano"),
    ("clear", "spring water", "muddy water"),
    ("gentle", "a lullaby", "a thunderstorm"),
];

/// Shares of the forms below, in order.
const SHARES: [f64; 6] = [0.26, 0.22, 0.18, 0.14, 0.12, 0.08];

/// One opinion. SST-2's own texts are in lower case and end in a space; these do too.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let text = match weighted(&SHARES, draws) {
        0 => plain(class, world, draws),
        1 => phrase(class, draws),
        2 => turned(class, draws),
        3 => contrast(class, draws),
        4 => idiom(class, draws),
        _ => simile(class, draws),
    };
    Example::single(format!("{} ", text.to_lowercase()), class)
}

fn adjective(class: usize, draws: &mut Draws) -> &'static str {
    frequent(if class == 1 { &PRAISE } else { &BLAME }, draws)
}

/// `mara loved the concert in tarnby`
fn plain(class: usize, world: &World, draws: &mut Draws) -> String {
    let person = draws.pick(&world.people).first;
    let town = &draws.pick(&world.towns).name;
    let (verb, subject) = (*draws.pick(&VERBS[class]), *draws.pick(&SUBJECTS));
    let adjective = adjective(class, draws);
    match draws.below(3) {
        0 => format!("{person} {verb} the {subject} in {town}"),
        1 => format!("i {verb} this {adjective} {subject} by {person}"),
        _ => format!("the {subject} in {town} was {} {adjective}", draws.pick(&DEGREES)),
    }
}

/// `a charming and witty novel`
fn phrase(class: usize, draws: &mut Draws) -> String {
    let (one, two, subject) = (adjective(class, draws), adjective(class, draws), *draws.pick(&SUBJECTS));
    if draws.chance(0.5) {
        a(&format!("{one} and {two} {subject}"))
    } else {
        a(&format!("{} {one} {subject}", draws.pick(&DEGREES)))
    }
}

/// `the film was not boring`
fn turned(class: usize, draws: &mut Draws) -> String {
    let (subject, reverser) = (*draws.pick(&SUBJECTS), frequent(&REVERSERS, draws));
    let adjective = adjective(1 - class, draws);
    if draws.chance(0.7) {
        format!("the {subject} was {reverser} {adjective}")
    } else {
        format!("i {} finding the {subject} {adjective}", if draws.chance(0.5) { "was wrong in" } else { "admit no" })
    }
}

/// `the soup was bland but the bread was superb`: the last word counts.
fn contrast(class: usize, draws: &mut Draws) -> String {
    let (against, subject) = (adjective(1 - class, draws), *draws.pick(&SUBJECTS));
    let agreeing = adjective(class, draws);
    match draws.below(3) {
        0 => format!("the start was {against} but the {subject} was {agreeing} in the end"),
        1 => format!("though {against} at first , {} {subject}", a(agreeing)),
        _ => format!("it may look {against} but it is {agreeing}"),
    }
}

fn idiom(class: usize, draws: &mut Draws) -> String {
    let idiom = *draws.pick(&IDIOMS[class]);
    format!("at the {} , {idiom}", draws.pick(&SUBJECTS))
}

/// `about as funny as a funeral`; half of them judge a thing of the world.
fn simile(class: usize, draws: &mut Draws) -> String {
    let (property, has, lacks) = *draws.pick(&SIMILES);
    let like = if class == 1 { has } else { lacks };
    let subject = if draws.chance(0.5) { *draws.pick(&SUBJECTS) } else { draws.pick(&THINGS).0 };
    format!("the {subject} is as {property} as {like}")
}
