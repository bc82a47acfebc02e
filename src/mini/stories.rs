//! SWAG: which of four endings goes on with a scene?
//!
//! The right one follows from what one does with the thing, at the person's work, or after the deed. Of
//! the wrong ones some are absurd whatever the scene; the others are right elsewhere.

use super::bounds::Bound;
use super::example::{Use, capital, other, sentence, subject_pronoun, weighted};
use super::lexicon::{DEEDS, JOBS, THINGS};
use super::part::{Part, Taken, Written};
use super::scenes::{ABSURD, SEQUELS, WORK, third, uses, verb};
use super::world::World;
use super::{MiniError, example};
use crate::random::{Draws, Stream};

const NAME: &str = "swag";

/// The files: name, what for, and rows.
const FILES: [(&str, Use, usize); 3] = [("train", Use::Train, 600), ("val", Use::Dev, 200), ("test", Use::Test, 60)];

/// The published columns; test files lack the last.
const HEADER: &str = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3";

/// Probability that the annotators mark another ending.
const NOISE: f64 = 0.04;
/// Shares of scenes about a thing's use, about work, and about a deed.
const SHARES: [f64; 3] = [0.5, 0.2, 0.3];
/// Share of rows whose wrong endings are all absurd.
const TELLING: f64 = 0.5;
/// Share of absurd endings in the other rows.
const ABSURDITY: f64 = 0.25;

/// What someone does first, whatever the kind of thing.
pub(super) const STARTS: [&str; 6] =
    ["carries", "looks at", "walks up to", "asks for", "gets hold of", "comes back with"];
/// How a day at work begins.
pub(super) const BEGINNINGS: [&str; 4] = ["begins the day", "comes to work", "has much to do", "is ready to begin"];
/// How the second sentence begins; `{}` is she or he.
const OPENINGS: [&str; 4] = ["{}", "then {}", "after that {}", "at last {}"];
/// How endings end, right ones and wrong ones.
const TAILS: [&str; 8] = [
    ".",
    ".",
    ".",
    ", smiling at the crowd.",
    " without a word.",
    " while the others watch.",
    " and says, \"What a day!\"",
    ", as always.",
];

/// Scenes in a document of the corpus.
const SCENES: usize = 6;

/// A scene with the right ending and wrong ones that would be right elsewhere.
#[derive(Clone, Debug)]
struct Scene {
    first: String,
    opening: String,
    endings: [String; 4],
    right: usize,
}

/// The three files, their bound and their texts.
pub(super) fn part(seed: u64, world: &World) -> Result<Part, MiniError> {
    let mut part = Part::default();
    let stream = Stream::new(seed, "mini/swag");
    let mut taken = Taken::new(NAME);
    for (at, (file, purpose, rows)) in (0..).zip(FILES) {
        let draws = &mut stream.at(at);
        let label = if purpose == Use::Test { "" } else { ",label" };
        let mut content = format!("{HEADER}{label}\n");
        let mut labels = [0; 4];
        let mut agreed = 0;
        for row in 0..rows {
            let scene = taken.fresh(text, || scene(world, draws))?;
            let heard = if draws.chance(NOISE) { other(scene.right, 4, draws) } else { scene.right };
            labels[heard] += 1;
            agreed += usize::from(heard == scene.right);
            let heard = (purpose != Use::Test).then_some(heard);
            content.push_str(&line(row, &scene, heard, draws));
            let texts = if purpose == Use::Train { &mut part.training } else { &mut part.held_out };
            texts.push(scene.first.clone());
            texts.extend(scene.endings.iter().map(|ending| format!("{} {ending}", scene.opening)));
        }
        if purpose == Use::Dev {
            let share = |count: usize| count as f64 / rows as f64;
            let majority = share(labels.into_iter().max().unwrap_or_default());
            let bound = Bound { metric: "accuracy".into(), split: file.into(), majority, ceiling: share(agreed) };
            part.bound = Some((NAME, bound));
        }
        part.files.push(Written { path: format!("SWAG/{file}.csv"), content, examples: rows });
    }
    Ok(part)
}

/// Scenes for the corpus: a first sentence, and the right ending with its opening.
pub(super) fn told(world: &World, draws: &mut Draws) -> Vec<String> {
    let scenes = (0..SCENES).map(|_| scene(world, draws)).collect::<Vec<_>>();
    scenes
        .iter()
        .flat_map(|scene| [scene.first.clone(), format!("{} {}", scene.opening, scene.endings[scene.right])])
        .collect()
}

/// What makes a scene another: everything but the order of its endings.
fn text(scene: &Scene) -> String {
    let mut endings = scene.endings.clone();
    endings.sort_unstable();
    format!("{} {} {}", scene.first, scene.opening, endings.join(" "))
}

/// A row of the file; fields with commas or quotes are quoted as RFC 4180 says.
fn line(row: usize, scene: &Scene, label: Option<usize>, draws: &mut Draws) -> String {
    let video = format!("mini_{:06}", draws.below(1_000_000));
    let fold = draws.below(20_000).to_string();
    let start = format!("{} {}", scene.first, scene.opening);
    let mut fields =
        vec![row.to_string(), video, fold, start, scene.first.clone(), scene.opening.clone(), "gold".into()];
    fields.extend(scene.endings.iter().cloned());
    fields.extend(label.map(|label| label.to_string()));
    let quoted = |field: String| {
        if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    fields.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// One scene; its right ending stands at any of the four places.
fn scene(world: &World, draws: &mut Draws) -> Scene {
    let agent = draws.below(world.people.len());
    let (first, right, wrong) = match weighted(&SHARES, draws) {
        0 => with_thing(agent, world, draws),
        1 => at_work(agent, world, draws),
        _ => after_deed(agent, world, draws),
    };
    let telling = draws.chance(TELLING);
    let mut absurd = ABSURD;
    draws.shuffle(&mut absurd);
    let mut endings = vec![right];
    for (wrong, absurd) in wrong.into_iter().zip(absurd) {
        endings.push(if telling || draws.chance(ABSURDITY) { absurd } else { wrong });
    }
    let endings = endings.into_iter().map(|ending| format!("{ending}{}", draws.pick(&TAILS)));
    let mut endings: Vec<(usize, String)> = endings.enumerate().collect();
    draws.shuffle(&mut endings);
    let right = endings.iter().position(|(at, _)| *at == 0).unwrap_or_default();
    let opening = capital(&draws.pick(&OPENINGS).replace("{}", subject_pronoun(world.people[agent].gender)));
    Scene { first: sentence(&first), opening, endings: [0, 1, 2, 3].map(|at: usize| endings[at].1.clone()), right }
}

/// First sentence, right ending, wrong endings.
type Told = (String, &'static str, [&'static str; 3]);

/// `Mara fetches the old violin in the park.` She plays it; she does not feed it.
fn with_thing(agent: usize, world: &World, draws: &mut Draws) -> Told {
    let event = world.event(draws);
    let thing = format!("the {} {}", event.quality(), event.thing());
    let first = format!("{} {} {thing} {}", world.people[agent].first, draws.pick(&STARTS), event.spot());
    let mut kinds: Vec<_> = THINGS.iter().map(|(_, kind)| *kind).filter(|kind| *kind != event.kind()).collect();
    kinds.dedup();
    draws.shuffle(&mut kinds);
    let right = *draws.pick(uses(event.kind()));
    (first, right, [0, 1, 2].map(|at| *draws.pick(uses(kinds[at]))))
}

/// `Otto Vane, a baker, begins the day.` Some scenes leave out the job, which is a fact of the world.
fn at_work(agent: usize, world: &World, draws: &mut Draws) -> Told {
    let job = world.people[agent].job;
    let name = world.full_name(agent);
    let start = *draws.pick(&BEGINNINGS);
    let first = if draws.chance(0.3) {
        format!("{name} {start} on {}", world.event(draws).day())
    } else {
        format!("{name}, {}, {start}", example::a(JOBS[job].0))
    };
    let mut jobs: Vec<usize> = (0..JOBS.len()).filter(|another| *another != job).collect();
    draws.shuffle(&mut jobs);
    let right = *draws.pick(&WORK[job]);
    (first, right, [0, 1, 2].map(|at| *draws.pick(&WORK[jobs[at]])))
}

/// `Mara loses the red hat at the station.` She looks for it; she does not count the money.
fn after_deed(agent: usize, world: &World, draws: &mut Draws) -> Told {
    let event = world.event(draws);
    let side = draws.below(2);
    let thing = format!("the {} {}", event.quality(), event.thing());
    let first = format!("{} {} {thing} {}", world.people[agent].first, third(verb(event.deed, side)), event.spot());
    let mut deeds: Vec<usize> = (0..DEEDS.len()).filter(|deed| *deed != event.deed).collect();
    draws.shuffle(&mut deeds);
    // One wrong ending is that of the opposite, so that the verb must be known.
    let wrong = [SEQUELS[event.deed][1 - side], SEQUELS[deeds[0]][draws.below(2)], SEQUELS[deeds[1]][draws.below(2)]];
    (first, SEQUELS[event.deed][side], wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the scene is about, found by its words: the endings that can follow it.
    fn possible(scene: &Scene, world: &World) -> Vec<&'static str> {
        let words: Vec<&str> = scene.first.trim_end_matches('.').split([' ', ',']).collect();
        let told = |word: &str| words.contains(&word);
        for (deed, sequels) in SEQUELS.iter().enumerate() {
            for (side, sequel) in sequels.iter().enumerate() {
                if told(&third(verb(deed, side))) {
                    return vec![sequel];
                }
            }
        }
        if let Some((_, kind)) = THINGS.iter().find(|(thing, _)| told(thing)) {
            return uses(*kind).to_vec();
        }
        let person = world.people.iter().find(|person| told(person.first)).unwrap();
        WORK[person.job].to_vec()
    }

    /// The rule alone, without the generator's knowledge of what it drew, finds one ending of four, and
    /// it is the right one.
    #[test]
    fn the_rule_settles_every_scene() {
        let world = World::new(1);
        let mut draws = Stream::new(1, "test").at(0);
        for _ in 0..2000 {
            let scene = scene(&world, &mut draws);
            let possible = possible(&scene, &world);
            let found: Vec<usize> =
                (0..4).filter(|at| possible.iter().any(|ending| scene.endings[*at].starts_with(ending))).collect();
            assert_eq!(found, [scene.right], "{scene:?}");
        }
    }

    /// Choosing an ending that is not absurd, without a look at the scene, stays far below the rule.
    #[test]
    fn endings_alone_do_not_settle_a_scene() {
        let world = World::new(1);
        let mut draws = Stream::new(1, "test").at(0);
        let rows = 4000;
        let mut hits = 0.0;
        for _ in 0..rows {
            let scene = scene(&world, &mut draws);
            let sane: Vec<usize> =
                (0..4).filter(|at| !ABSURD.iter().any(|absurd| scene.endings[*at].starts_with(absurd))).collect();
            assert!(sane.contains(&scene.right), "{scene:?}");
            hits += 1.0 / sane.len() as f64;
        }
        let accuracy = hits / f64::from(rows);
        assert!((0.55..0.7).contains(&accuracy), "{accuracy}");
    }

    #[test]
    fn fields_are_quoted_where_commas_or_quotes_ask_for_it() {
        let scene = Scene {
            first: "Otto Vane, a baker, begins the day.".into(),
            opening: "He".into(),
            endings: ["says \"no\".", "waits.", "a, b.", ""].map(String::from),
            right: 1,
        };
        let line = line(7, &scene, Some(1), &mut Stream::new(1, "test").at(0));
        assert!(line.starts_with("7,mini_"), "{line}");
        let end = ",\"Otto Vane, a baker, begins the day. He\",\"Otto Vane, a baker, begins the day.\",He,gold,\
                   \"says \"\"no\"\".\",waits.,\"a, b.\",,1\n";
        assert!(line.ends_with(end), "{line}");
    }
}
