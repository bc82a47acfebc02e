//! Scores by the length of the examples.

use super::grouped::{by_number, table};
use super::shown::tagged;
use super::sides::Sides;
use crate::report::Error;
use crate::report::block::Block;
use crate::store::Examples;

/// Parts of about equally many examples.
const PARTS: usize = 5;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let Some(lengths) = (0..pair.len()).map(|at| words(pair, at)).collect::<Option<Vec<u32>>>() else {
        return Ok(Vec::new());
    };
    let parts = by_number(&lengths, PARTS);
    if parts.len() < 2 {
        return Ok(Vec::new());
    }
    let of = match pair.examples {
        Some(Examples::Texts(_)) => "Words of an example, all its texts together",
        Some(Examples::Choices(_)) => "Words of the beginning and all endings",
        Some(Examples::Questions(_)) => "Words of the paragraph",
        None => "Words of the sentence",
    };
    let caption = format!("{} by length", pair.metric.metric_name());
    Ok(vec![Block::Table(table(pair, &caption, of, &parts, &[&pair.metric.metric]))])
}

/// White-space-separated words that a model reads; tagged ones as the file has them.
fn words(pair: &Sides<'_>, at: usize) -> Option<u32> {
    let count = |text: &str| text.split_whitespace().count() as u32;
    match pair.examples {
        Some(Examples::Texts(all)) => Some(count(&all[at].first) + all[at].second.as_deref().map_or(0, count)),
        Some(Examples::Choices(all)) => {
            Some(count(&all[at].context) + all[at].endings.iter().map(|ending| count(ending)).sum::<u32>())
        }
        Some(Examples::Questions(all)) => Some(all[at].context_words),
        None => tagged(pair, 0, at).map(|sentence| sentence.words.len() as u32),
    }
}
