//! CoNLL-2003: people, places, organisations and other names in newspaper text, in the shared task's files.
//!
//! Half of the names in the dev and test files occur in no training file, and town names stand for the
//! place or for its team, so that the words around a name must tell.

use std::fmt::Write;

use super::columns::{Member, Scheme, Tally, misjudge, tags};
use super::example::Use;
use super::lexicon::{COUNTRIES, DAYS, DEEDS, INSTITUTIONS, JOBS, QUALITIES, SURNAMES, THINGS, TOWN_ENDS, TOWN_STARTS};
use super::newspaper::{
    CHUNKS, CLUBS, COMPANIES, DATELINE, EVENTS, FAMILIES, HEADLINES, PEOPLES, REPORTS, RESULTS, STRANGERS,
};
use super::part::{Part, Taken, Written};
use super::world::World;
use super::{MiniError, example};
use crate::random::{Draws, Stream};

const NAME: &str = "conll2003";

const KINDS: [&str; 4] = ["PER", "LOC", "ORG", "MISC"];

/// The files: name, what for, sentences, and the share of the invented names that it may use.
const FILES: [(&str, Use, usize, std::ops::Range<usize>); 3] = [
    ("eng.train", Use::Train, 600, 0..50),
    ("eng.testa", Use::Dev, 150, 50..75),
    ("eng.testb", Use::Test, 100, 75..100),
];

/// Invented names of a kind that an article of the corpus makes do with.
const FEW: usize = 3;
/// Half of the sentences of an article of the corpus.
const ARTICLE: usize = 8;

/// A word and what its line says of it.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    speech: String,
    chunk: Option<Member>,
    entity: Option<Member>,
}

/// The names that a file may use.
struct Names<'a> {
    world: &'a World,
    families: Vec<String>,
    towns: Vec<String>,
}

/// The three files, their bound and their texts.
pub(super) fn part(seed: u64, world: &World) -> Result<Part, MiniError> {
    let mut part = Part::default();
    let stream = Stream::new(seed, "mini/conll2003");
    let (families, towns) = invented(world, &mut stream.at(0));
    let mut taken = Taken::new(NAME);
    for (at, (file, purpose, sentences, share)) in (1..).zip(FILES) {
        let draws = &mut stream.at(at);
        let of = |all: &[String]| all[share.start * all.len() / 100..share.end * all.len() / 100].to_vec();
        let names = Names { world, families: of(&families), towns: of(&towns) };
        let mut content = String::new();
        let mut tally = Tally::default();
        let mut left = sentences;
        while left > 0 {
            content.push_str("-DOCSTART- -X- -X- O\n\n");
            for template in document(draws).into_iter().take(left) {
                let words = taken.fresh(|words: &Vec<Word>| text(words), || write(template, &names, draws))?;
                let texts = if purpose == Use::Train { &mut part.training } else { &mut part.held_out };
                texts.push(text(&words));
                lines(words, &mut tally, &mut content, draws);
                left -= 1;
            }
        }
        if purpose == Use::Dev {
            part.bound = Some((NAME, tally.bound(file)));
        }
        part.files.push(Written { path: format!("CoNLL-2003/{file}"), content, examples: sentences });
    }
    Ok(part)
}

/// Family names that only some files know, and the towns that the world lacks, in random order.
fn invented(world: &World, draws: &mut Draws) -> (Vec<String>, Vec<String>) {
    let [starts, ends] = FAMILIES;
    let mut families: Vec<String> =
        starts.iter().flat_map(|start| ends.iter().map(move |end| format!("{start}{end}"))).collect();
    let mut towns: Vec<String> =
        TOWN_STARTS.iter().flat_map(|start| TOWN_ENDS.iter().map(move |end| format!("{start}{end}"))).collect();
    towns.retain(|name| world.towns.iter().all(|town| town.name != *name));
    draws.shuffle(&mut families);
    draws.shuffle(&mut towns);
    (families, towns)
}

/// The templates of one article: a headline, a dateline and a report, or a headline and a table.
fn document(draws: &mut Draws) -> Vec<&'static str> {
    let mut templates = vec![*draws.pick(&HEADLINES), DATELINE];
    let table = draws.chance(0.3);
    let line = *draws.pick(&RESULTS);
    for _ in 0..3 + draws.below(6) {
        templates.push(if table { line } else { *draws.pick(&REPORTS) });
    }
    templates
}

/// The sentences of an article for the corpus, in which the same few towns and families are named again and
/// again. Any name of any file can be among them.
pub(super) fn article(world: &World, draws: &mut Draws) -> Vec<String> {
    let (mut families, mut towns) = invented(world, draws);
    families.truncate(FEW);
    towns.truncate(FEW);
    let names = Names { world, families, towns };
    let mut templates = Vec::new();
    while templates.len() < 2 * ARTICLE {
        templates.extend(document(draws));
    }
    templates.truncate(2 * ARTICLE);
    templates.into_iter().map(|template| text(&write(template, &names, draws))).collect()
}

/// Strangers: their first names, family names and towns, all of which the world lacks.
pub(super) fn strangers(world: &World, draws: &mut Draws) -> Vec<(String, String, String)> {
    let (families, towns) = invented(world, draws);
    let first = |draws: &mut Draws| (*draws.pick(&STRANGERS)).to_string();
    families.into_iter().zip(towns).take(FEW).map(|(family, town)| (first(draws), family, town)).collect()
}

fn text(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// The lines of a sentence, as its annotators tagged it, and the blank line after it.
fn lines(words: Vec<Word>, tally: &mut Tally, content: &mut String, draws: &mut Draws) {
    let mut entities: Vec<Option<Member>> = words.iter().map(|word| word.entity).collect();
    misjudge(&mut entities, &KINDS, tally, draws);
    let chunks: Vec<Option<Member>> = words.iter().map(|word| word.chunk).collect();
    let tagged = tags(&chunks, Scheme::Iob1).into_iter().zip(tags(&entities, Scheme::Iob1));
    for (word, (chunk, entity)) in words.into_iter().zip(tagged) {
        // Writing to a String cannot fail.
        let _ = writeln!(content, "{} {} {chunk} {entity}", word.text, word.speech);
    }
    content.push('\n');
}

/// The words of a template with every slot filled; a headline's template gives capitals throughout.
fn write(template: &str, names: &Names, draws: &mut Draws) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut entities = 0;
    for (group, phrase) in template.split(" | ").enumerate() {
        let mut items = phrase.split(' ');
        let first = items.next().unwrap_or_default();
        let chunk = CHUNKS.iter().find(|kind| **kind == first).map(|kind| Member { group, kind });
        for item in items {
            let (filled, speech, entity) = fill(item, names, draws);
            entities += 1;
            let entity = entity.map(|kind| Member { group: entities, kind });
            let word = |text: &str| Word { text: text.to_string(), speech: speech.to_string(), chunk, entity };
            if let Some(article) = words.last_mut().filter(|word| word.text == "a") {
                article.text = example::article(&filled).to_string();
            }
            words.extend(filled.split(' ').map(word));
        }
    }
    if HEADLINES.contains(&template) {
        for word in &mut words {
            word.text = word.text.to_uppercase();
        }
    } else if let Some(first) = words.first_mut() {
        first.text = example::capital(&first.text);
    }
    words
}

/// What stands for an item of a template: its words, their part of speech, and the kind of entity.
fn fill<'a>(item: &'a str, names: &Names, draws: &mut Draws) -> (String, &'a str, Option<&'static str>) {
    let plain = |words: &str, speech: &'static str| (words.to_string(), speech, None);
    let name = |words: String, kind: &'static str| (words, "NNP", Some(kind));
    let number = |draws: &mut Draws| (1 + draws.below(99)).to_string();
    match item {
        "PER" => name(names.person(draws), "PER"),
        "LOC" if draws.chance(0.25) => name((*draws.pick(&COUNTRIES)).to_string(), "LOC"),
        "LOC" => name(names.town(draws), "LOC"),
        "PLACE" => name(names.town(draws).to_uppercase(), "LOC"),
        "LAND" => name((*draws.pick(&COUNTRIES)).to_string(), "LOC"),
        "ORG" => name(format!("{} {}", names.town(draws), draws.pick(&INSTITUTIONS)), "ORG"),
        "CLUB" => name(format!("{} {}", names.town(draws), draws.pick(&CLUBS)), "ORG"),
        "TEAM" => name(names.town(draws), "ORG"),
        "COMPANY" => name(format!("{} {}", names.family(draws), draws.pick(&COMPANIES)), "ORG"),
        "MISC" => ((*draws.pick(&PEOPLES)).to_string(), "JJ", Some("MISC")),
        "EVENT" => name(format!("{} {}", draws.pick(&PEOPLES), draws.pick(&EVENTS)), "MISC"),
        "DAY" => plain(draws.pick::<&str>(&DAYS), "NNP"),
        "DATE" => (format!("1996-{:02}-{:02}", 1 + draws.below(12), 1 + draws.below(28)), "CD", None),
        "YEAR" => ((1970 + draws.below(50)).to_string(), "CD", None),
        "NUMBER" => (number(draws), "CD", None),
        "THING" => plain(draws.pick(&THINGS).0, "NN"),
        "THINGS" => (format!("{}s", draws.pick(&THINGS).0), "NNS", None),
        "QUALITY" => plain(draws.pick::<&str>(&QUALITIES), "JJ"),
        "JOB" => plain(draws.pick(&JOBS).0, "NN"),
        "JOBS" => (format!("{}s", draws.pick(&JOBS).0), "NNS", None),
        "PAST/VBD" => plain(draws.pick(&DEEDS).verb.past, "VBD"),
        word => {
            let (text, speech) = word.rsplit_once('/').unwrap_or((word, "NN"));
            (text.to_string(), speech, None)
        }
    }
}

impl Names<'_> {
    /// Someone of the world, by full or family name, or a stranger.
    fn person(&self, draws: &mut Draws) -> String {
        let first = if draws.chance(0.5) { draws.pick(&self.world.people).first } else { *draws.pick(&STRANGERS) };
        let family = draws.pick(&self.families).clone();
        match (draws.chance(0.5), draws.chance(0.7)) {
            (true, true) => self.world.full_name(draws.below(self.world.people.len())),
            (true, false) => (*draws.pick(&SURNAMES)).to_string(),
            (false, true) => format!("{first} {family}"),
            (false, false) => family,
        }
    }

    fn family(&self, draws: &mut Draws) -> String {
        if draws.chance(0.5) { (*draws.pick(&SURNAMES)).to_string() } else { draws.pick(&self.families).clone() }
    }

    fn town(&self, draws: &mut Draws) -> String {
        if draws.chance(0.5) { draws.pick(&self.world.towns).name.clone() } else { draws.pick(&self.towns).clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(template: &str) -> Vec<(String, String, String)> {
        let world = World::new(1);
        let names = Names { world: &world, families: vec!["Kolberg".into()], towns: vec!["Farwick".into()] };
        let words = write(template, &names, &mut Stream::new(1, "test").at(0));
        let of =
            |member: fn(&Word) -> Option<Member>| tags(&words.iter().map(member).collect::<Vec<_>>(), Scheme::Iob1);
        let (chunks, entities) = (of(|word| word.chunk), of(|word| word.entity));
        words
            .iter()
            .zip(chunks)
            .zip(entities)
            .map(|((word, chunk), entity)| (word.speech.clone(), chunk, entity))
            .collect()
    }

    #[test]
    fn names_that_touch_are_told_apart_as_the_shared_task_does() {
        let found = tagged("NP CLUB TEAM NUMBER | O ./.");
        let row = |speech: &str, chunk: &str, entity: &str| (speech.into(), chunk.into(), entity.into());
        let expected = [
            row("NNP", "I-NP", "I-ORG"),
            row("NNP", "I-NP", "I-ORG"),
            row("NNP", "I-NP", "B-ORG"),
            row("CD", "I-NP", "O"),
            row(".", "O", "O"),
        ];
        assert_eq!(found, expected);
        let day = tagged("VP told/VBD | NP DAY | NP the/DT LAND");
        assert_eq!(day[2], row("DT", "B-NP", "O"));
        assert_eq!(day[3], row("NNP", "I-NP", "I-LOC"));
    }

    /// Every item of a template is a slot or a word with its part of speech.
    #[test]
    fn templates_have_no_unknown_slots_or_chunks() {
        for template in REPORTS.iter().chain(&HEADLINES).chain(&RESULTS).chain([&DATELINE]) {
            for (speech, ..) in tagged(template) {
                assert!(!speech.is_empty() && speech != "NN/", "{template}");
            }
            for phrase in template.split(" | ") {
                let chunk = phrase.split(' ').next().unwrap();
                assert!(chunk == "O" || CHUNKS.contains(&chunk), "{phrase}");
                for item in phrase.split(' ').skip(1).filter(|item| !item.contains('/')) {
                    let world = World::new(1);
                    let names = Names { world: &world, families: vec!["X".into()], towns: vec!["Y".into()] };
                    let (text, ..) = fill(item, &names, &mut Stream::new(1, "test").at(0));
                    assert_ne!(text, item, "an unknown slot");
                }
            }
        }
    }
}
