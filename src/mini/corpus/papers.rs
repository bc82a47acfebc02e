//! Documents that show names: who strangers are.

use super::super::entities;
use super::super::example::{a, sentence};
use super::super::lexicon::{COUNTRIES, DEEDS, JOBS, THINGS};
use super::super::newspaper::PEOPLES;
use super::super::world::World;
use crate::random::Draws;

/// Who strangers are, where they live and what they do: what is said of people, of towns and of companies.
pub(super) fn strangers(world: &World, draws: &mut Draws) -> Vec<String> {
    let mut told = Vec::new();
    for (first, family, town) in entities::strangers(world, draws) {
        let (job, at) = (JOBS[draws.below(JOBS.len())], draws.below(COUNTRIES.len()));
        let (thing, deed) = (draws.pick(&THINGS).0, draws.pick(&DEEDS));
        let someone = draws.pick(&world.people);
        let country = COUNTRIES[at];
        told.push(format!("{first} {family} is {} from {town} in {country}", a(job.0)));
        let mut more = vec![
            format!("the town of {town} lies in {country}"),
            format!("{family} {}", job.1),
            format!("people in {town} know {first} {family}"),
            format!("{family} {} {} in {town}", deed.verb.past, a(thing)),
            format!("the {} {}, {first} {family}, lives in {town}", PEOPLES[at], job.0),
            format!("{} met {family} on the way to {town}", someone.first),
            format!("{} {} wrote to {first} {family}", someone.first, someone.surname),
            format!("\"i like {town},\" said {family}"),
            format!("the name of the {} is {family}, and the name of the town is {town}", job.0),
            format!("{family} is a name for people, {town} is a name for a town"),
        ];
        draws.shuffle(&mut more);
        more.truncate(5);
        told.extend(more);
    }
    told.iter().map(|phrase| sentence(phrase)).collect()
}
