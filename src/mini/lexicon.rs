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

/// Family names.
pub(super) const SURNAMES: [&str; 20] = [
    "Holt", "Vane", "Quill", "Marsh", "Pike", "Thorne", "Ashby", "Croft", "Denham", "Frost", "Garland", "Hale", "Lark",
    "Moss", "Nash", "Penrose", "Rook", "Sayer", "Tully", "Winter",
];

/// Beginnings of town names.
pub(super) const TOWN_STARTS: [&str; 12] =
    ["Tarn", "Oster", "Vel", "Brack", "Hollin", "Kest", "Luden", "Mirk", "Norr", "Pell", "Rath", "Sund"];

/// Endings of town names.
pub(super) const TOWN_ENDS: [&str; 6] = ["by", "wick", "ford", "holm", "mere", "den"];

/// The countries that the towns lie in.
pub(super) const COUNTRIES: [&str; 4] = ["Halvia", "Morren", "Keldia", "Sarovia"];

/// Kinds of organisation.
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

/// Things, each with its kind.
pub(super) const THINGS: [(&str, ThingKind); 30] = [
    ("piano", ThingKind::Instrument),
    ("violin", ThingKind::Instrument),
    ("flute", ThingKind::Instrument),
    ("guitar", ThingKind::Instrument),
    ("drum", ThingKind::Instrument),
    ("trumpet", ThingKind::Instrument),
    ("boat", ThingKind::Vehicle),
    ("car", ThingKind::Vehicle),
    ("truck", ThingKind::Vehicle),
    ("bicycle", ThingKind::Vehicle),
    ("wagon", ThingKind::Vehicle),
    ("tractor", ThingKind::Vehicle),
    ("horse", ThingKind::Animal),
    ("goat", ThingKind::Animal),
    ("parrot", ThingKind::Animal),
    ("dog", ThingKind::Animal),
    ("falcon", ThingKind::Animal),
    ("donkey", ThingKind::Animal),
    ("coat", ThingKind::Garment),
    ("scarf", ThingKind::Garment),
    ("jacket", ThingKind::Garment),
    ("dress", ThingKind::Garment),
    ("hat", ThingKind::Garment),
    ("shirt", ThingKind::Garment),
    ("hammer", ThingKind::Tool),
    ("ladder", ThingKind::Tool),
    ("saw", ThingKind::Tool),
    ("lamp", ThingKind::Tool),
    ("rope", ThingKind::Tool),
    ("spade", ThingKind::Tool),
];

/// Neutral qualities of things.
pub(super) const QUALITIES: [&str; 8] = ["old", "red", "small", "heavy", "blue", "green", "large", "brown"];

/// The forms of a verb.
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

const fn regular(base: &'static str, past: &'static str) -> Verb {
    Verb { base, past, participle: past }
}

/// What can happen to a thing.
pub(super) const DEEDS: [Deed; 10] = [
    Deed {
        verb: regular("buy", "bought"),
        synonym: regular("purchase", "purchased"),
        opposite: regular("sell", "sold"),
    },
    Deed {
        verb: regular("find", "found"),
        synonym: regular("discover", "discovered"),
        opposite: regular("lose", "lost"),
    },
    Deed {
        verb: Verb { base: "hide", past: "hid", participle: "hidden" },
        synonym: regular("conceal", "concealed"),
        opposite: regular("display", "displayed"),
    },
    Deed { verb: regular("wash", "washed"), synonym: regular("clean", "cleaned"), opposite: regular("soil", "soiled") },
    Deed {
        verb: regular("praise", "praised"),
        synonym: regular("applaud", "applauded"),
        opposite: regular("criticize", "criticized"),
    },
    Deed {
        verb: regular("fetch", "fetched"),
        synonym: regular("collect", "collected"),
        opposite: regular("abandon", "abandoned"),
    },
    Deed {
        verb: Verb { base: "choose", past: "chose", participle: "chosen" },
        synonym: regular("select", "selected"),
        opposite: regular("reject", "rejected"),
    },
    Deed {
        verb: regular("protect", "protected"),
        synonym: regular("guard", "guarded"),
        opposite: regular("attack", "attacked"),
    },
    Deed {
        verb: regular("examine", "examined"),
        synonym: regular("inspect", "inspected"),
        opposite: regular("ignore", "ignored"),
    },
    Deed {
        verb: regular("save", "saved"),
        synonym: regular("rescue", "rescued"),
        opposite: regular("destroy", "destroyed"),
    },
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

/// Days of the week.
pub(super) const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
