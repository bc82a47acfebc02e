//! Stand-in runs of BERT-base and BERT-large with answers to every example: no model was trained for them.

use bertbench::metric;
use bertbench::random::{Draws, Stream};
use bertbench::report::{ExperimentInput, Predictions, TaggedSentence};
use bertbench::store::{Answers, ExampleText, Examples, Record, RunSettings, Score, examples_name};

use super::synthetic::{TaskShape, record, settings};

/// Task, primary metric, dev examples, benchmark, and how often base and large are wrong.
type StandIn = (&'static str, &'static str, usize, &'static str, [f64; 2]);

pub const STAND_INS: [StandIn; 5] = [
    ("rte", "accuracy", 277, "GLUE", [0.37, 0.28]),
    ("sst2", "accuracy", 872, "GLUE", [0.08, 0.06]),
    ("mrpc", "f1", 408, "GLUE", [0.16, 0.12]),
    ("stsb", "spearman", 1500, "GLUE", [0.45, 0.40]),
    ("conll2003", "f1", 600, "CoNLL-2003", [0.12, 0.05]),
];

/// The answers of a model that is wrong so often. Examples that are hard are so for every model.
fn answers(task: &str, metric: &str, examples: usize, wrong: f64, draws: &mut Draws) -> Answers {
    let mut world = Stream::new(1, task).at(0);
    let mut is_wrong = || {
        let (hard, own) = (world.uniform(), draws.uniform());
        (if own < 0.7 { hard } else { draws.uniform() }) < wrong
    };
    let wrong: Vec<bool> = (0..examples).map(|_| is_wrong()).collect();
    let mut gold = Stream::new(2, task).at(0);
    match (task, metric) {
        ("conll2003", _) => {
            let gold: Vec<u32> = (0..examples).map(|_| gold.below(4) as u32).collect();
            let correct: Vec<u32> =
                gold.iter().zip(&wrong).map(|(gold, wrong)| gold.saturating_sub(u32::from(*wrong))).collect();
            Answers::Tags { found: gold.clone(), gold, correct }
        }
        (_, "spearman") => {
            let gold: Vec<f32> = (0..examples).map(|_| (gold.uniform() * 5.0) as f32).collect();
            let away = |(gold, wrong): (&f32, &bool)| if *wrong { 5.0 - gold } else { gold + 0.01 };
            let predicted = gold.iter().zip(&wrong).map(away).collect();
            Answers::Scores { gold, predicted }
        }
        _ => {
            let gold: Vec<u32> = (0..examples).map(|_| u32::from(gold.uniform() < 0.6)).collect();
            let predicted = gold.iter().zip(&wrong).map(|(gold, wrong)| gold ^ u32::from(*wrong)).collect();
            Answers::Classes { gold, predicted }
        }
    }
}

fn score(answers: &Answers, metric: &str) -> f64 {
    match answers {
        Answers::Classes { gold, predicted } if metric == "f1" => metric::f1(predicted, gold),
        Answers::Classes { gold, predicted } => metric::accuracy(predicted, gold),
        Answers::Scores { gold, predicted } => metric::spearman(predicted, gold),
        Answers::Tags { gold, found, correct } => {
            let sum = |of: &[u32]| of.iter().map(|count| f64::from(*count)).sum::<f64>();
            2.0 * sum(correct) / (sum(gold) + sum(found))
        }
        Answers::Spans { .. } => unreachable!(),
    }
}

/// One run with its record, whose score is that of its answers.
pub fn run(experiment: &str, large: bool, of: &StandIn, point: (u32, f64, u32), seed: u64) -> (Record, Answers) {
    let (task, metric, examples, benchmark, wrong) = *of;
    let case = if task == "conll2003" { "cased" } else { "uncased" };
    let model = format!("bert-{}-{case}", if large { "large" } else { "base" });
    let settings: RunSettings = settings(&model, large, task, point, seed);
    let name = format!("{experiment} {task} {point:?} {seed}");
    let mut draws = Stream::new(seed, &name).at(0);
    let wrong = wrong[usize::from(large)] + if point.1 > 2.5e-5 { 0.01 } else { 0.0 };
    let answers = answers(task, metric, examples, wrong, &mut draws);
    let shape: TaskShape = (task, metric, "dev", &[], 0.5, 1.0, examples as u64);
    let mut record = record(experiment, benchmark, settings, &shape, &mut draws);
    let unit = if metric == "spearman" { "correlation" } else { "fraction" };
    record.scores = vec![Score {
        metric: metric.into(),
        split: "dev".into(),
        value: Some(score(&answers, metric)),
        unit: unit.into(),
        higher_is_better: true,
    }];
    (record, answers)
}

/// Two points × three seeds of each task.
pub fn experiment(name: &str, large: bool) -> ExperimentInput {
    let mut experiment = ExperimentInput { name: name.into(), ..ExperimentInput::default() };
    for of in &STAND_INS {
        for (point, seed) in [2e-5, 3e-5].into_iter().flat_map(|rate| (1..4).map(move |seed| ((16, rate, 3), seed))) {
            let (record, answers) = run(name, large, of, point, seed);
            experiment.planned.push(record.settings.clone());
            experiment.predictions.extend(predictions(of.0, &answers).map(|found| (record.id.clone(), found)));
            let texts = texts(of.0, answers.examples());
            experiment.examples.extend(examples_name(&record.settings, "dev").zip(texts));
            experiment.answers.insert(record.id.clone(), answers);
            experiment.records.push(record);
        }
    }
    experiment
}

const NAMES: [&str; 8] = ["Ada", "Blaise", "Carl", "Diophantus", "Emmy", "Fermat", "Georg", "Hypatia"];
const THINGS: [&str; 6] = ["a theorem", "the old engine", "a long letter", "two proofs", "the third book", "a lamp"];

fn sentence(draws: &mut Draws) -> String {
    let mut words = vec![*draws.pick(&NAMES)];
    for _ in 0..=draws.below(4) {
        words.extend([*draws.pick(&["found", "lost", "praised", "sold"]), *draws.pick(&THINGS), "and"]);
    }
    words.pop();
    words.join(" ") + "."
}

/// Invented texts: pairs, single ones for SST-2, none of tagged words.
fn texts(task: &str, examples: usize) -> Option<Examples> {
    let mut draws = Stream::new(3, task).at(0);
    let text = |_| ExampleText { first: sentence(&mut draws), second: (task != "sst2").then(|| sentence(&mut draws)) };
    (task != "conll2003").then(|| Examples::Texts((0..examples).map(text).collect()))
}

/// Invented probabilities, and tags that go with the counts.
fn predictions(task: &str, answers: &Answers) -> Option<Predictions> {
    let mut draws = Stream::new(4, task).at(0);
    match answers {
        Answers::Classes { gold, predicted } => {
            let names = match task {
                "rte" => ["entailment", "not_entailment"],
                "sst2" => ["negative", "positive"],
                _ => ["not_equivalent", "equivalent"],
            };
            let mut sure = |(gold, predicted): (&u32, &u32)| {
                let most = if gold == predicted { 0.75 + 0.25 * draws.uniform() } else { 0.5 + 0.49 * draws.uniform() };
                if *predicted == 0 { [most, 1.0 - most] } else { [1.0 - most, most] }
            };
            let probabilities = gold.iter().zip(predicted).flat_map(&mut sure).collect();
            Some(Predictions::Classes { names: names.map(str::to_owned).into(), probabilities })
        }
        Answers::Tags { gold, correct, .. } => {
            let sentences = gold.iter().zip(correct).map(|(gold, correct)| tagged(*gold, *correct, &mut draws));
            Some(Predictions::Tags(sentences.collect()))
        }
        Answers::Scores { .. } | Answers::Spans { .. } => None,
    }
}

/// A sentence with so many entities, of which so many were found and the others taken for another type.
fn tagged(gold: u32, correct: u32, draws: &mut Draws) -> TaggedSentence {
    let mut sentence = TaggedSentence::default();
    for entity in 0..gold {
        let kind = *draws.pick(&["PER", "LOC", "ORG", "MISC"]);
        let other = if kind == "ORG" { "LOC" } else { "ORG" };
        let predicted = if entity < correct { kind } else { other };
        sentence.words.extend([draws.pick(&NAMES).to_string(), "was".into(), "there".into()]);
        sentence.gold.extend([format!("B-{kind}"), "O".into(), "O".into()]);
        sentence.predicted.extend([format!("B-{predicted}"), "O".into(), "O".into()]);
    }
    sentence
}
