//! QNLI: does a sentence answer a question (0, entailment) or not (1)?

use super::example::{Domain, Example, a, other, question, sentence};
use super::lexicon::JOBS;
use super::world::World;
use crate::random::Draws;

/// Things that one can ask about a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Birth,
    Home,
    Job,
    Employer,
    Foundation,
}

const TOPICS: [Topic; 5] = [Topic::Birth, Topic::Home, Topic::Job, Topic::Employer, Topic::Foundation];

/// Sentences that tell nothing that one could ask for; `{}` is a name.
const PRAISES: [&str; 8] = [
    "{} is well known among the people of the town",
    "many stories are told about {} even today",
    "few visitors ever speak of {} without a smile",
    "little is known about the early years of {}",
    "some say that {} deserves more attention",
    "there are several books about {} in the library",
    "{} remains popular with visitors of all ages",
    "people often ask about {} but hear no clear answer",
];

/// One pair.
pub(super) fn draw(world: &World, _: Domain, class: usize, draws: &mut Draws) -> Example {
    let topic = draws.below(TOPICS.len());
    let subject = match TOPICS[topic] {
        Topic::Foundation => draws.below(world.organisations.len()),
        Topic::Birth | Topic::Home | Topic::Job | Topic::Employer => draws.below(world.people.len()),
    };
    let asked = ask(TOPICS[topic], subject, world, draws);
    let told = if class == 0 {
        // The asked fact, most often with another one.
        let more = draws.chance(0.65);
        tell(TOPICS[topic], subject, more, world, draws)
    } else {
        miss(topic, subject, world, draws)
    };
    Example::pair(question(&asked), sentence(&told), class)
}

fn name(topic: Topic, subject: usize, world: &World) -> String {
    match topic {
        Topic::Foundation => format!("the {}", world.organisations[subject].name),
        Topic::Birth | Topic::Home | Topic::Job | Topic::Employer => world.full_name(subject),
    }
}

fn ask(topic: Topic, subject: usize, world: &World, draws: &mut Draws) -> String {
    let name = name(topic, subject, world);
    let wordings = match topic {
        Topic::Birth => ["when was {} born", "in which year was {} born"],
        Topic::Home => ["where does {} live", "in which town does {} live"],
        Topic::Job => ["what is the profession of {}", "what is the job of {}"],
        Topic::Employer => ["who pays {}", "for whom does {} work"],
        Topic::Foundation => ["who founded {}", "who was the founder of {}"],
    };
    draws.pick(&wordings).replace("{}", &name)
}

/// One fact; with `more`, a second one beside it.
fn tell(topic: Topic, subject: usize, more: bool, world: &World, draws: &mut Draws) -> String {
    if topic == Topic::Foundation {
        let organisation = &world.organisations[subject];
        let founder = world.full_name(organisation.founder);
        let when = if more { format!(" in {}", organisation.founded) } else { String::new() };
        return format!("the {} was founded by {founder}{when}", organisation.name);
    }
    let person = &world.people[subject];
    let name = world.full_name(subject);
    let (job, duty) = JOBS[person.job];
    let aside = if more {
        format!(", a friend of {},", world.people[other(subject, world.people.len(), draws)].first)
    } else {
        String::new()
    };
    match topic {
        Topic::Birth => format!("{name}{aside} was born in {}", person.born),
        Topic::Home => format!("{name}{aside} has a house in {}", world.towns[person.home].name),
        Topic::Job if draws.chance(0.5) => format!("{name}{aside} {duty}"),
        Topic::Job => format!("{name}{aside} is {}", a(job)),
        Topic::Employer | Topic::Foundation => {
            format!("{name}{aside} works for the {}", world.organisations[person.employer].name)
        }
    }
}

/// Empty words, another fact about the same subject, or the same fact about another.
fn miss(topic: usize, subject: usize, world: &World, draws: &mut Draws) -> String {
    let more = draws.chance(0.2);
    if draws.chance(0.5) {
        return draws.pick(&PRAISES).replace("{}", &name(TOPICS[topic], subject, world));
    }
    if TOPICS[topic] == Topic::Foundation {
        if draws.chance(0.5) {
            let organisation = &world.organisations[subject];
            return format!("the {} opened in {}", organisation.name, organisation.founded);
        }
        return tell(Topic::Foundation, other(subject, world.organisations.len(), draws), more, world, draws);
    }
    if draws.chance(0.5) {
        // In this world one lives where one works, so that an employer would answer a question for a home.
        let elsewhere = match TOPICS[topic] {
            Topic::Birth => [Topic::Home, Topic::Job, Topic::Employer],
            Topic::Home => [Topic::Birth, Topic::Job, Topic::Birth],
            Topic::Job => [Topic::Birth, Topic::Home, Topic::Employer],
            Topic::Employer | Topic::Foundation => [Topic::Birth, Topic::Home, Topic::Job],
        };
        return tell(*draws.pick(&elsewhere), subject, more, world, draws);
    }
    tell(TOPICS[topic], other(subject, world.people.len(), draws), more, world, draws)
}
