//! The words that the small world is told in. All invented or ordinary; no list was taken from elsewhere.

/// Grammatical gender of a person's name, for pronouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gender {
    /// she, her, herself
    Female,
    /// he, him, himself
    Male,
}

/// First names; the first half are women's, the second half men's.
pub(super) const FIRST_NAMES: [&str; 40] = [
    "Mara", "Elsie", "Tamsin", "Ingrid", "Nadia", "Bettina", "Orla", "Lucia", "Petra", "Salma", "Greta", "Helene",
    "Yvonne", "Daphne", "Rosalind", "Freya", "Carmen", "Judith", "Maud", "Selene", "Otto", "Felix", "Bruno", "Edwin",
    "Callum", "Dmitri", "Anton", "Hugo", "Jasper", "Leopold", "Marcus", "Ned", "Oscar", "Pablo", "Quentin", "Rufus",
    "Stefan", "Tobias", "Viktor", "Walter",
];

pub(super) const SURNAMES: [&str; 20] = [
    "Holt", "Vane", "Quill", "Marsh", "Pike", "Thorne", "Ashby", "Croft", "Denham", "Frost", "Garland", "Hale", "Lark",
    "Moss", "Nash", "Penrose", "Rook", "Sayer", "Tully", "Winter",
];

pub(super) const TOWN_STARTS: [&str; 12] =
    ["Tarn", "Oster", "Vel", "Brack", "Hollin", "Kest", "Luden", "Mirk", "Norr", "Pell", "Rath", "Sund"];

pub(super) const TOWN_ENDS: [&str; 6] = ["by", "wick", "ford", "holm", "mere", "den"];

/// The countries that the towns lie in.
pub(super) const COUNTRIES: [&str; 4] = ["Halvia", "Morren", "Keldia", "Sarovia"];

pub(super) const INSTITUTIONS: [&str; 8] =
    ["Museum", "Bank", "School", "Hospital", "Bakery", "Library", "Theatre", "Shipyard"];

/// Jobs, each with what one does all day.
pub(super) const JOBS: [(&str, &str); 12] = [
    ("teacher", "teaches children"),
    ("nurse", "looks after patients"),
    ("baker", "bakes bread"),
    ("pilot", "flies planes"),
    ("farmer", "grows crops"),
    ("lawyer", "defends clients"),
    ("singer", "sings on stage"),
    ("writer", "writes novels"),
    ("cook", "prepares meals"),
    ("sailor", "works at sea"),
    ("engineer", "designs machines"),
    ("painter", "paints portraits"),
];

/// What a thing is an example of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThingKind {
    /// It makes music.
    Instrument,
    /// It carries people.
    Vehicle,
    /// It lives.
    Animal,
    /// It is worn.
    Garment,
    /// It helps to work.
    Tool,
}

impl ThingKind {
    /// The common noun that covers every thing of this kind.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Instrument => "instrument",
            Self::Vehicle => "vehicle",
            Self::Animal => "animal",
            Self::Garment => "garment",
            Self::Tool => "tool",
        }
    }
}

/// The things of each kind.
const OF_KIND: [(ThingKind, [&str; 6]); 5] = [
    (ThingKind::Instrument, ["piano", "violin", "flute", "guitar", "drum", "trumpet"]),
    (ThingKind::Vehicle, ["boat", "car", "truck", "bicycle", "wagon", "tractor"]),
    (ThingKind::Animal, ["horse", "goat", "parrot", "dog", "falcon", "donkey"]),
    (ThingKind::Garment, ["coat", "scarf", "jacket", "dress", "hat", "shirt"]),
    (ThingKind::Tool, ["hammer", "ladder", "saw", "lamp", "rope", "spade"]),
];

/// Things, each with its kind.
pub(super) const THINGS: [(&str, ThingKind); 30] = {
    let mut things = [("", ThingKind::Tool); 30];
    let mut at = 0;
    while at < things.len() {
        let (kind, names) = OF_KIND[at / 6];
        things[at] = (names[at % 6], kind);
        at += 1;
    }
    things
};

/// Neutral qualities of things.
pub(super) const QUALITIES: [&str; 8] = ["old", "red", "small", "heavy", "blue", "green", "large", "brown"];

#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    /// `buy`
    pub(super) base: &'static str,
    /// `bought`
    pub(super) past: &'static str,
    /// `bought`, after *was*
    pub(super) participle: &'static str,
}

/// Something that a person can do to a thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    /// The usual verb.
    pub(super) verb: Verb,
    /// Another verb that means the same.
    pub(super) synonym: Verb,
    /// A verb that cannot be true of the same person, thing and moment.
    pub(super) opposite: Verb,
}

const fn deed(verb: Verb, synonym: Verb, opposite: Verb) -> Deed {
    Deed { verb, synonym, opposite }
}

const fn regular(base: &'static str, past: &'static str) -> Verb {
    Verb { base, past, participle: past }
}

/// What can happen to a thing.
pub(super) const DEEDS: [Deed; 10] = [
    deed(regular("buy", "bought"), regular("purchase", "purchased"), regular("sell", "sold")),
    deed(regular("find", "found"), regular("discover", "discovered"), regular("lose", "lost")),
    deed(
        Verb { base: "hide", past: "hid", participle: "hidden" },
        regular("conceal", "concealed"),
        regular("display", "displayed"),
    ),
    deed(regular("wash", "washed"), regular("clean", "cleaned"), regular("soil", "soiled")),
    deed(regular("praise", "praised"), regular("applaud", "applauded"), regular("criticize", "criticized")),
    deed(regular("fetch", "fetched"), regular("collect", "collected"), regular("abandon", "abandoned")),
    deed(
        Verb { base: "choose", past: "chose", participle: "chosen" },
        regular("select", "selected"),
        regular("reject", "rejected"),
    ),
    deed(regular("protect", "protected"), regular("guard", "guarded"), regular("attack", "attacked")),
    deed(regular("examine", "examined"), regular("inspect", "inspected"), regular("ignore", "ignored")),
    deed(regular("save", "saved"), regular("rescue", "rescued"), regular("destroy", "destroyed")),
];

/// Where, inside any town, something happens.
pub(super) const SPOTS: [&str; 8] = [
    "in the park",
    "at the station",
    "near the river",
    "at the market",
    "behind the church",
    "on the bridge",
    "at the harbour",
    "in the garden",
];

pub(super) const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
