//! Documents about what is the case: lives, towns, organisations.

use super::super::example::{a, question, sentence, subject_pronoun};
use super::super::lexicon::{COUNTRIES, Gender, JOBS};
use super::super::scenes::WORK;
use super::super::world::World;
use crate::random::Draws;

/// `him` or `her`.
pub(super) fn object_pronoun(gender: Gender) -> &'static str {
    match gender {
        Gender::Female => "her",
        Gender::Male => "him",
    }
}

/// `his` or `her`.
pub(super) fn possessive(gender: Gender) -> &'static str {
    match gender {
        Gender::Female => "her",
        Gender::Male => "his",
    }
}

/// Someone's facts, in changing order and words, and how they compare with others'.
pub(super) fn life(world: &World, draws: &mut Draws) -> Vec<String> {
    let at = draws.below(world.people.len());
    let person = &world.people[at];
    let (full, first) = (world.full_name(at), person.first);
    let (she, her) = (subject_pronoun(person.gender), possessive(person.gender));
    let (job, duty) = JOBS[person.job];
    let town = &world.towns[person.home];
    let country = COUNTRIES[town.country];
    let employer = &world.organisations[person.employer].name;
    let mut told: Vec<String> = vec![
        format!("{she} was born in {}", person.born),
        format!("the year of {her} birth is {}", person.born),
        format!("{first} has a house in {}", town.name),
        format!("{she} lives in {}, a town in {country}", town.name),
        format!("the home of {first} is {}", town.name),
        format!("{first} is {}", a(job)),
        format!("every day {she} {duty}"),
        format!("as {}, {first} {duty}", a(job)),
        format!("{she} works for the {employer}"),
        format!("the {employer} pays {first}"),
        format!("{first}, {}, lives in {country}", a(job)),
        format!("{first} from {} is {}", town.name, a(job)),
        format!("at work {she} {}", draws.pick(&WORK[person.job])),
        format!("{first} of the {employer} was born in {}", person.born),
    ];
    draws.shuffle(&mut told);
    told.truncate(7 + draws.below(6));
    told.insert(0, format!("this is the story of {full}, {} from {}", a(job), town.name));
    for _ in 0..3 {
        told.push(compared(at, world, draws));
    }
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// Someone beside another: age, work, home.
fn compared(at: usize, world: &World, draws: &mut Draws) -> String {
    let other = draws.below(world.people.len());
    let (one, two) = (&world.people[at], &world.people[other]);
    let (first, second) = (one.first, two.first);
    match draws.below(3) {
        0 if one.born < two.born => format!("{first} is older than {second}, and {second} is younger than {first}"),
        0 if one.born > two.born => format!("{first} is younger than {second}, who was born in {}", two.born),
        1 if one.home == two.home => format!("{second} lives in the same town as {first}"),
        1 => format!("{second} does not live there, but in {}", world.towns[two.home].name),
        _ if one.job == two.job => format!("{second} is {} as well", a(JOBS[two.job].0)),
        _ => format!("{second} is not {}, but {}", a(JOBS[one.job].0), a(JOBS[two.job].0)),
    }
}

/// A town: its country, its organisations and who lives there.
pub(super) fn town(world: &World, draws: &mut Draws) -> Vec<String> {
    let at = draws.below(world.towns.len());
    let name = &world.towns[at].name;
    let country = COUNTRIES[world.towns[at].country];
    let mut told = vec![format!("{name} is a town in {country}")];
    let mut facts = vec![
        format!("whoever lives in {name} lives in {country}"),
        format!("travellers who come to {country} like {name}"),
        format!("what happens in {name} happens in {country}"),
        format!("there is a market in {name}, and a station near the river"),
    ];
    for organisation in world.organisations.iter().filter(|organisation| organisation.seat == at) {
        facts.push(format!("the {} is in {name}", organisation.name));
        facts.push(format!("the {} has been open since {}", organisation.name, organisation.founded));
    }
    for (index, person) in world.people.iter().enumerate().filter(|(_, person)| person.home == at) {
        facts.push(format!("{} lives in {name}", world.full_name(index)));
        facts.push(format!("{} from {name} {}", person.first, JOBS[person.job].1));
        facts.push(format!("{}, {}, has a house there", person.first, a(JOBS[person.job].0)));
    }
    let elsewhere = &world.towns[draws.below(world.towns.len())];
    let other = COUNTRIES[elsewhere.country];
    facts.push(if other == country {
        format!("{} is in {country} too", elsewhere.name)
    } else {
        format!("{} is not in {country}, it is in {other}", elsewhere.name)
    });
    draws.shuffle(&mut facts);
    told.extend(facts);
    told.iter().map(|phrase| sentence(phrase)).collect()
}

/// An organisation: who founded it and when, where it is, whom it pays.
pub(super) fn organisation(world: &World, draws: &mut Draws) -> Vec<String> {
    let at = draws.below(world.organisations.len());
    let organisation = &world.organisations[at];
    let (name, year) = (&organisation.name, organisation.founded);
    let founder = &world.people[organisation.founder];
    let (full, town) = (world.full_name(organisation.founder), &world.towns[organisation.seat].name);
    let mut told = vec![sentence(&format!("the {name} stands in {town}"))];
    let mut facts = vec![
        sentence(&format!("{full} founded the {name} in {year}")),
        sentence(&format!("the {name} was founded by {full}")),
        sentence(&format!("the founder of the {name} is {}", founder.first)),
        sentence(&format!("the {name} opened in {year}")),
        sentence(&format!("before {year} there was no {name}")),
        question(&format!("do you know who founded the {name}")),
        sentence(&format!("it was {full}")),
        question(&format!("do you know when the {name} was founded")),
        sentence(&format!("that was in {year}")),
        sentence(&format!("{} is {}", founder.first, a(JOBS[founder.job].0))),
    ];
    for (index, person) in world.people.iter().enumerate().filter(|(_, person)| person.employer == at) {
        facts.push(sentence(&format!("the {name} pays {}", world.full_name(index))));
        facts.push(sentence(&format!("{} of the {name} {}", person.first, JOBS[person.job].1)));
        facts.push(sentence(&format!("{} works for the {name} and lives in {town}", person.first)));
    }
    // A question and its answer stay together; the other facts change places.
    let (mut fixed, mut free) = (facts[5..9].to_vec(), [&facts[..5], &facts[9..]].concat());
    draws.shuffle(&mut free);
    if draws.chance(0.5) {
        fixed.rotate_left(2);
    }
    let middle = free.len() / 2;
    told.extend(free[..middle].iter().cloned());
    told.extend(fixed);
    told.extend(free[middle..].iter().cloned());
    told
}
