//! The small world that every mini task speaks of: who lives where, works for whom, and what happened.

use super::lexicon::{
    COUNTRIES, DAYS, DEEDS, Deed, FIRST_NAMES, Gender, INSTITUTIONS, JOBS, QUALITIES, SPOTS, SURNAMES, THINGS,
    TOWN_ENDS, TOWN_STARTS, ThingKind,
};
use crate::random::{Draws, Stream};

/// People in the world: every first name once, so that a first name alone identifies a person.
const PEOPLE: usize = FIRST_NAMES.len();
const TOWNS: usize = 16;
const ORGANISATIONS: usize = 20;

/// Someone.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// First name, unique in the world.
    pub(super) first: &'static str,
    pub(super) surname: &'static str,
    /// For pronouns.
    pub(super) gender: Gender,
    /// Index of the home town.
    pub(super) home: usize,
    /// Index into [`JOBS`].
    pub(super) job: usize,
    /// Index of the organisation that pays.
    pub(super) employer: usize,
    /// Year of birth.
    pub(super) born: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Town {
    /// Such as `Tarnby`.
    pub(super) name: String,
    /// Index into [`COUNTRIES`].
    pub(super) country: usize,
}

/// A museum, bank, school…
#[derive(Clone, Debug)]
pub(super) struct Organisation {
    /// Such as `Tarnby Museum`, without article.
    pub(super) name: String,
    /// Index of the town where it stands.
    pub(super) seat: usize,
    /// Index of the person who founded it.
    pub(super) founder: usize,
    /// Year of its foundation.
    pub(super) founded: u32,
}

/// A person doing something to a thing, somewhere, some day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Index of the person.
    pub(super) agent: usize,
    /// Index into [`DEEDS`].
    pub(super) deed: usize,
    /// Index into [`THINGS`].
    pub(super) thing: usize,
    /// Index into [`QUALITIES`].
    pub(super) quality: usize,
    /// Index of the town.
    pub(super) town: usize,
    /// Index into [`SPOTS`].
    pub(super) spot: usize,
    /// Index into [`DAYS`].
    pub(super) day: usize,
}

impl Event {
    /// What is done.
    pub(super) fn deed(self) -> Deed {
        DEEDS[self.deed]
    }

    /// `piano`
    pub(super) fn thing(self) -> &'static str {
        THINGS[self.thing].0
    }

    /// Instrument, vehicle…
    pub(super) fn kind(self) -> ThingKind {
        THINGS[self.thing].1
    }

    /// `old`
    pub(super) fn quality(self) -> &'static str {
        QUALITIES[self.quality]
    }

    /// `at the market`
    pub(super) fn spot(self) -> &'static str {
        SPOTS[self.spot]
    }

    /// `Monday`
    pub(super) fn day(self) -> &'static str {
        DAYS[self.day]
    }
}

/// Everything that is the case.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) people: Vec<Person>,
    pub(super) towns: Vec<Town>,
    pub(super) organisations: Vec<Organisation>,
}

impl World {
    /// The world of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut draws = Stream::new(seed, "mini/world").at(0);
        let towns = towns(&mut draws);
        let organisations = organisations(&towns, &mut draws);
        let people = people(&organisations, &mut draws);
        Self { people, towns, organisations }
    }

    /// Something that someone does; each part uniform.
    pub(super) fn event(&self, draws: &mut Draws) -> Event {
        Event {
            agent: draws.below(self.people.len()),
            deed: draws.below(DEEDS.len()),
            thing: draws.below(THINGS.len()),
            quality: draws.below(QUALITIES.len()),
            town: draws.below(self.towns.len()),
            spot: draws.below(SPOTS.len()),
            day: draws.below(DAYS.len()),
        }
    }

    /// `Mara Holt`
    pub(super) fn full_name(&self, person: usize) -> String {
        format!("{} {}", self.people[person].first, self.people[person].surname)
    }
}

/// Town names are combinations that no two towns share; each town lies in one country.
fn towns(draws: &mut Draws) -> Vec<Town> {
    let mut names: Vec<String> =
        TOWN_STARTS.iter().flat_map(|start| TOWN_ENDS.iter().map(move |end| format!("{start}{end}"))).collect();
    draws.shuffle(&mut names);
    names.into_iter().take(TOWNS).map(|name| Town { name, country: draws.below(COUNTRIES.len()) }).collect()
}

/// No two organisations share town and kind, so that the name identifies one.
fn organisations(towns: &[Town], draws: &mut Draws) -> Vec<Organisation> {
    let mut pairs: Vec<(usize, &str)> =
        (0..towns.len()).flat_map(|town| INSTITUTIONS.iter().map(move |kind| (town, *kind))).collect();
    draws.shuffle(&mut pairs);
    pairs
        .into_iter()
        .take(ORGANISATIONS)
        .map(|(seat, kind)| Organisation {
            name: format!("{} {kind}", towns[seat].name),
            seat,
            founder: draws.below(PEOPLE),
            founded: year(1970, 50, draws),
        })
        .collect()
}

/// Everyone lives in the town of their employer: one fact implies the other.
fn people(organisations: &[Organisation], draws: &mut Draws) -> Vec<Person> {
    FIRST_NAMES
        .iter()
        .enumerate()
        .map(|(at, first)| {
            let employer = draws.below(organisations.len());
            Person {
                first,
                surname: SURNAMES[draws.below(SURNAMES.len())],
                gender: if at < PEOPLE / 2 { Gender::Female } else { Gender::Male },
                home: organisations[employer].seat,
                job: draws.below(JOBS.len()),
                employer,
                born: year(1930, 40, draws),
            }
        })
        .collect()
}

/// A year in `first..first + span`.
fn year(first: u32, span: u32, draws: &mut Draws) -> u32 {
    first + draws.next_u32() % span
}
