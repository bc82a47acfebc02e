//! Documents of sentences that belong together in pairs: the same told twice, a claim and what follows
//! from it, a passage and what is asked about it.

use super::super::example::{Answer, Domain, Example};
use super::super::passages;
use super::super::world::World;
use super::super::{inference, paraphrase, similarity};
use crate::random::Draws;

/// Pairs in a document.
const PAIRS: usize = 6;

/// The texts of pairs, one after the other.
fn beside(draws: &mut Draws, pair: impl Fn(&mut Draws) -> Example) -> Vec<String> {
    let pairs = (0..PAIRS).map(|_| pair(draws)).collect::<Vec<_>>();
    pairs.into_iter().flat_map(|pair| [pair.first, pair.second]).collect()
}

/// News that two papers print in their own words.
pub(super) fn news(world: &World, draws: &mut Draws) -> Vec<String> {
    beside(draws, |draws| paraphrase::draw(world, Domain::Matched, 1, draws))
}

/// Captions, headlines and questions that are much alike.
pub(super) fn alike(world: &World, draws: &mut Draws) -> Vec<String> {
    beside(draws, |draws| {
        // Most pairs share most of their meaning, or nothing could be told from the first.
        let mut pair = similarity::draw(world, Domain::Matched, 0, draws);
        for _ in 0..4 {
            if matches!(pair.answer, Answer::Score(score) if score >= 3.0) {
                break;
            }
            pair = similarity::draw(world, Domain::Matched, 0, draws);
        }
        pair
    })
}

/// A claim and what follows from it.
pub(super) fn consequences(world: &World, draws: &mut Draws) -> Vec<String> {
    let long = draws.chance(0.5);
    beside(draws, |draws| {
        if long {
            inference::draw_two_way(world, Domain::Matched, 0, draws)
        } else {
            inference::draw_three_way(world, Domain::Matched, 1, draws)
        }
    })
}

/// Passages with questions and their answers, or the questions first.
pub(super) fn passages(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..3 {
        let mut passage = passages::draw(world, draws);
        draws.shuffle(&mut passage.answered);
        passage.answered.truncate(4);
        let before = draws.below(3);
        let asked = |asked: passages::Asked| format!("{} {}.", asked.question, asked.answer.text);
        let mut asked: Vec<String> = passage.answered.into_iter().map(asked).collect();
        let after = asked.split_off(before.min(asked.len()));
        told.extend(asked);
        told.push(passage.context);
        told.extend(after);
    }
    told
}
