//! What the newspapers of the mini world print: templates of sentences, and the parts of names.

/// Sentences of a report. Phrases are parted by bars and begin with their chunk, `O` for none; a word
/// stands with its part of speech, and a slot in capitals is filled by `fill` in `entities.rs`.
pub(super) const REPORTS: [&str; 22] = [
    "NP PER | VP PAST/VBD | NP a/DT QUALITY THING | PP in/IN | NP LOC | PP on/IN | NP DAY | O ./.",
    "NP PER | O ,/, | NP a/DT JOB | PP from/IN | NP LOC | O ,/, | VP PAST/VBD | NP the/DT THING | O ./.",
    "NP the/DT ORG | VP opened/VBD | NP a/DT new/JJ hall/NN | PP in/IN | NP LOC | O ./.",
    "NP MISC JOB PER | VP arrived/VBD | PP in/IN | NP LOC | PP on/IN | NP DAY | O ./.",
    "NP PER | VP told/VBD | NP PER | NP DAY | SBAR that/IN | NP the/DT ORG | VP would/MD close/VB | O ./.",
    "NP the/DT MISC government/NN | VP refused/VBD to/TO help/VB | NP the/DT ORG | O ./.",
    "NP the/DT town/NN | PP of/IN | NP LOC | VP lies/VBZ | PP near/IN | NP LOC | O ./.",
    "NP PER | VP works/VBZ | PP for/IN | NP the/DT ORG | O ,/, | NP PER | PP for/IN | NP the/DT ORG | O ./.",
    "O \"/\" | NP we/PRP | VP are/VBP | ADJP glad/JJ | O ,/, \"/\" | VP said/VBD | NP PER | PP of/IN | NP the/DT ORG | O ./.",
    "NP CLUB | VP won/VBD | NP the/DT EVENT | PP in/IN | NP LOC | O ./.",
    "NP CLUB | VP lost/VBD | PP to/TO | NP CLUB | PP after/IN | NP a/DT long/JJ game/NN | O ./.",
    "NP trade/NN | PP between/IN | NP LOC | O and/CC | NP LOC | VP fell/VBD | PP in/IN | NP YEAR | O ./.",
    "NP a/DT MISC court/NN | VP fined/VBD | NP COMPANY | PP on/IN | NP DAY | O ./.",
    "NP COMPANY | VP bought/VBD | NP NUMBER THINGS | PP from/IN | NP PER | O ./.",
    "NP visitors/NNS | PP to/TO | NP the/DT EVENT | VP praised/VBD | NP the/DT MISC singer/NN PER | O ./.",
    "NP PER | O ,/, | NP who/WP | VP was/VBD born/VBN | PP in/IN | NP LOC | O ,/, | VP founded/VBD | NP the/DT ORG | PP in/IN | NP YEAR | O ./.",
    "NP the/DT MISC | VP crossed/VBD | NP the/DT bridge/NN | PP at/IN | NP LOC | O ./.",
    "PP on/IN | NP DAY | O ,/, | NP MISC JOBS | VP met/VBD | NP officials/NNS | PP from/IN | NP LOC | O ./.",
    "PP in/IN | NP LOC | O ,/, | NP the/DT QUALITY THING | PP of/IN | NP PER | VP was/VBD found/VBN | O ./.",
    "NP shares/NNS | PP of/IN | NP COMPANY | VP rose/VBD | NP NUMBER percent/NN | PP on/IN | NP DAY | O ./.",
    "NP nobody/NN | PP in/IN | NP LOC | VP had/VBD expected/VBN | NP it/PRP | O ,/, | VP said/VBD | NP PER | O ./.",
    "NP PER | O and/CC | NP PER | VP left/VBD | PP for/IN | NP LOC | PP with/IN | NP CLUB | O ./.",
];

/// Titles, in capitals as the agency set them.
pub(super) const HEADLINES: [&str; 8] = [
    "NP PER | VP BUYS/VBZ | NP THING | PP IN/IN | NP LOC | O ./.",
    "NP MISC JOBS | VP MEET/VBP | PP IN/IN | NP LOC | O ./.",
    "NP ORG | VP TO/TO CLOSE/VB | PP ON/IN | NP DAY | O ./.",
    "O SOCCER/NN -/: | NP CLUB | VP BEAT/VBD | NP CLUB | PP IN/IN | NP EVENT | O ./.",
    "O MUSIC/NN -/: | NP PER | VP OPENS/VBZ | NP EVENT | O ./.",
    "NP COMPANY | VP LOSES/VBZ | NP MISC ORDER/NN | O ./.",
    "NP LOC | VP SAYS/VBZ | SBAR THAT/IN | NP PER | VP LIED/VBD | O ./.",
    "O TENNIS/NN -/: | NP EVENT RESULTS/NNS | O ./.",
];

/// Lines of a table of results: towns and clubs are teams here, countries stand in brackets.
pub(super) const RESULTS: [&str; 5] = [
    "NP TEAM NUMBER TEAM NUMBER",
    "NP NUMBER PER | O (/( | NP LAND | O )/) | NP NUMBER",
    "NP PER | O (/( | NP LAND | O )/) | VP beat/VBD | NP PER | O (/( | NP LAND | O )/) | NP NUMBER NUMBER",
    "NP CLUB TEAM NUMBER NUMBER",
    "NP NUMBER -/: | NP PER | O ,/, | NP CLUB",
];

/// Where and when a report was written.
pub(super) const DATELINE: &str = "NP PLACE DATE";

/// Peoples, in the countries' order.
pub(super) const PEOPLES: [&str; 4] = ["Halvian", "Morrenese", "Keldian", "Sarovian"];
/// What people compete in or go to, after the name of a people or town.
pub(super) const EVENTS: [&str; 5] = ["Cup", "Festival", "Open", "Marathon", "Fair"];
/// What follows the town in a club's name.
pub(super) const CLUBS: [&str; 6] = ["Rovers", "United", "Athletic", "Harriers", "Wanderers", "Juniors"];
/// What follows a family name in a company's.
pub(super) const COMPANIES: [&str; 4] = ["Brothers", "Limited", "Works", "Shipping"];
/// Beginnings and endings of the family names that only some of the files know.
pub(super) const FAMILIES: [&[&str]; 2] = [
    &["Bran", "Kol", "Fer", "Zan", "Dru", "Wex", "Mol", "Tib", "Gar", "Hess", "Jor", "Lin"],
    &["dow", "ski", "nez", "lund", "tucci", "berg", "vic", "mann"],
];
/// First names that nobody in the world bears.
pub(super) const STRANGERS: [&str; 8] = ["Ilka", "Bram", "Sorel", "Wanda", "Piet", "Odile", "Kasper", "Nuria"];

/// The kinds of chunk that the templates name.
pub(super) const CHUNKS: [&str; 5] = ["NP", "VP", "PP", "SBAR", "ADJP"];
