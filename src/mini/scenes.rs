//! What follows what: how one goes on with a kind of thing, in a job, after a deed.

use super::lexicon::{DEEDS, ThingKind, Verb};

/// What someone does next who has taken a thing of this kind.
pub(super) fn uses(kind: ThingKind) -> &'static [&'static str; 6] {
    match kind {
        ThingKind::Instrument => &[
            "plays a slow tune on it",
            "practises a difficult melody",
            "gives a short concert",
            "plays the song of the day again",
            "makes loud music for the guests",
            "rehearses with the band",
        ],
        ThingKind::Vehicle => &[
            "travels to the next town with it",
            "loads it with boxes and leaves",
            "sets off for the coast",
            "gives the children a ride in it",
            "steers it carefully through the crowd",
            "parks it beside the gate",
        ],
        ThingKind::Animal => &[
            "feeds it some grain",
            "strokes its head",
            "gives it fresh water",
            "calls it by its name",
            "brushes its back",
            "teaches it to obey",
        ],
        ThingKind::Garment => &[
            "wears it to the party",
            "tries it on in front of the mirror",
            "sews up a hole in the cloth",
            "folds it and hangs it away",
            "finds that it is too tight",
            "puts it on against the cold",
        ],
        ThingKind::Tool => &[
            "repairs the fence with it",
            "gets to work on the roof with it",
            "uses it to build a shed",
            "does some work in the cellar with it",
            "puts it back into the toolbox",
            "lends it to the carpenter",
        ],
    }
}

/// What someone does at work, in the order of [`super::lexicon::JOBS`].
pub(super) const WORK: [[&str; 2]; 12] = [
    ["hands out the school books", "asks the children a question"],
    ["changes the bandage of a patient", "gives a patient some medicine"],
    ["puts the loaves into the oven", "kneads the dough"],
    ["lands the plane", "checks the wings of the plane"],
    ["ploughs the field", "brings in the harvest"],
    ["speaks to the judge", "reads the contract of a client"],
    ["steps up to the microphone", "sings the first song"],
    ["finishes a chapter of the novel", "corrects the last page"],
    ["stirs the soup", "tastes the sauce"],
    ["hoists the sail", "ties the ship to the pier"],
    ["tests the new machine", "draws the plan of an engine"],
    ["mixes the colours", "stretches the canvas"],
];

/// What someone does after a deed, and after its opposite, in the order of [`DEEDS`].
pub(super) const SEQUELS: [[&str; 2]; 10] = [
    ["pays the owner and takes it home", "counts the money"],
    ["tells everyone where it was", "looks for it everywhere"],
    ["covers it with straw", "waits for people to admire it"],
    ["dries it with a towel", "leaves mud all over it"],
    ["says that there is no better one", "says that it is worth nothing"],
    ["brings it back to the house", "walks away without looking back"],
    ["leaves the others behind", "asks for another one"],
    ["keeps the thieves away from it", "hits it with a stick"],
    ["writes down every scratch", "passes without a glance"],
    ["carries it out of the fire", "sweeps up the pieces"],
];

/// What nobody does: recognisable without any scene.
pub(super) const ABSURD: [&str; 10] = [
    "eats the moon with a spoon",
    "melts into a puddle of ink",
    "paints the moon green",
    "swallows a whole cloud",
    "flies to the moon on a spoon",
    "marries a cloud of ink",
    "sells the ocean to a snail",
    "turns into a snail",
    "swallows the ocean with a spoon",
    "melts the cloud into ink",
];

/// `hides`, `washes`: someone does it now.
pub(super) fn third(verb: Verb) -> String {
    let hissing = ["s", "sh", "ch", "x"].iter().any(|end| verb.base.ends_with(end));
    format!("{}{}", verb.base, if hissing { "es" } else { "s" })
}

/// The verb of a deed (0), or of its opposite (1).
pub(super) fn verb(deed: usize, side: usize) -> Verb {
    if side == 0 { DEEDS[deed].verb } else { DEEDS[deed].opposite }
}
