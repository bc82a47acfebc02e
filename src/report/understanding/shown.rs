//! An example as people read it: its text, the gold answer, and what the models answered.

use super::sides::Sides;
use crate::metric::{Entity, entities};
use crate::report::block::{Cell, Column, Tone};
use crate::report::phrase::percent;
use crate::report::predictions::{Predictions, TaggedSentence};
use crate::store::{Answers, Examples};

/// The longest text that is shown, in characters: a page holds hundreds.
const LONGEST: usize = 600;

/// The columns of [`cells`].
pub(super) fn columns(pair: &Sides<'_>) -> Vec<Column> {
    let texts: &[&str] = match pair.examples {
        Some(Examples::Texts(all)) if all.iter().any(|example| example.second.is_some()) => {
            &["First text", "Second text"]
        }
        Some(Examples::Texts(_)) => &["Text"],
        Some(Examples::Choices(_)) => &["Beginning"],
        Some(Examples::Questions(_)) => &["Question", "Text around the answer"],
        None if matches!(pair.predictions[0], Some(Predictions::Tags(_))) => &["Sentence"],
        None => &[],
    };
    let answers = std::iter::once("Gold").chain(pair.labels.iter().copied());
    let column: fn(&str) -> Column =
        if matches!(pair.answers[0], Answers::Scores { .. }) { Column::number } else { Column::text };
    texts.iter().copied().map(Column::text).chain(answers.map(column)).collect()
}

/// The texts of an example, the gold answer, and the models' own.
pub(super) fn cells(pair: &Sides<'_>, at: usize) -> Vec<Cell> {
    let mut cells = texts(pair, at);
    cells.push(gold(pair, at));
    cells.extend(pair.sides().map(|side| predicted(pair, side, at)));
    cells
}

fn texts(pair: &Sides<'_>, at: usize) -> Vec<Cell> {
    let cell = |text: &str| Cell::text(cut(text));
    match pair.examples {
        Some(Examples::Texts(all)) => {
            let is_pairs = all.iter().any(|example| example.second.is_some());
            let second = is_pairs.then(|| cell(all[at].second.as_deref().unwrap_or_default()));
            std::iter::once(cell(&all[at].first)).chain(second).collect()
        }
        Some(Examples::Choices(all)) => vec![cell(&all[at].context)],
        Some(Examples::Questions(all)) => vec![cell(&all[at].question), cell(&all[at].context)],
        None => tagged(pair, 0, at).map(|sentence| vec![cell(&sentence.words.join(" "))]).unwrap_or_default(),
    }
}

fn gold(pair: &Sides<'_>, at: usize) -> Cell {
    match pair.answers[0] {
        Answers::Classes { gold, .. } => Cell::text(class(pair, gold[at], at)),
        Answers::Scores { gold, .. } => score(gold[at]),
        Answers::Spans { .. } => match pair.examples {
            Some(Examples::Questions(all)) if all[at].answers.is_empty() => Cell::text("no answer").tone(Tone::Quiet),
            Some(Examples::Questions(all)) => Cell::text(cut(&all[at].answers.join(" / "))),
            Some(Examples::Texts(_) | Examples::Choices(_)) | None => Cell::absent("the texts are not in the store"),
        },
        Answers::Tags { gold, .. } => match tagged(pair, 0, at) {
            Some(sentence) => Cell::text(named(&sentence.words, &sentence.gold)),
            None => Cell::number(format!("{} entities", gold[at]), f64::from(gold[at])),
        },
    }
}

fn predicted(pair: &Sides<'_>, side: usize, at: usize) -> Cell {
    let tone = if pair.is_right(side, at) == Some(false) { Tone::Bad } else { Tone::Plain };
    let cell = match pair.answers[side] {
        Answers::Classes { predicted, .. } => {
            let cell = Cell::text(class(pair, predicted[at], at));
            pair.confidence(side, at).map_or(cell.clone(), |sure| cell.small(percent(sure)))
        }
        Answers::Scores { predicted, .. } => score(predicted[at]),
        Answers::Spans { f1, .. } => span(pair, side, at).small(format!("F1 {:.0}", 100.0 * f1[at])),
        Answers::Tags { found, correct, .. } => match tagged(pair, side, at) {
            Some(sentence) => Cell::text(named(&sentence.words, &sentence.predicted)),
            None => Cell::text(format!("{} entities, {} right", found[at], correct[at])),
        },
    };
    cell.tone(tone)
}

fn span(pair: &Sides<'_>, side: usize, at: usize) -> Cell {
    let (Some(Examples::Questions(all)), Some(Predictions::Spans(by_id))) = (pair.examples, pair.predictions[side])
    else {
        return Cell::absent("the predicted text is not in the store");
    };
    match by_id.get(&all[at].id).map(String::as_str) {
        None => Cell::absent("nothing was predicted"),
        Some("") => Cell::text("no answer"),
        Some(text) => Cell::text(cut(text)),
    }
}

/// A class by its name; of choices, with the text of the ending.
fn class(pair: &Sides<'_>, class: u32, at: usize) -> String {
    let of_side = |side: usize| {
        let Some(Predictions::Classes { names, .. }) = pair.predictions[side] else { return None };
        names.get(class as usize).cloned()
    };
    let name = pair.sides().find_map(of_side).unwrap_or_else(|| class.to_string());
    let Some(Examples::Choices(all)) = pair.examples else { return name };
    match all[at].endings.get(class as usize) {
        Some(ending) => format!("{name}: {}", cut(ending)),
        None => name,
    }
}

fn score(value: f32) -> Cell {
    Cell::number(format!("{value:.2}").replace('-', "−"), f64::from(value))
}

/// A side's sentence with its tags.
pub(super) fn tagged<'r>(pair: &Sides<'r>, side: usize, at: usize) -> Option<&'r TaggedSentence> {
    pair.sentences(side)?.get(at)
}

/// `PER Ada Lovelace · LOC London`.
fn named(words: &[String], tags: &[String]) -> String {
    let of = |entity: Entity<'_>| format!("{} {}", entity.kind, words[entity.start..entity.end].join(" "));
    let all: Vec<String> = entities(tags).into_iter().map(of).collect();
    if all.is_empty() { "none".to_owned() } else { cut(&all.join(" · ")) }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}
