//! The pages about two models, from invented answers whose figures were worked out by hand.

use std::collections::BTreeMap;

use bertbench::random::Stream;
use bertbench::report::{self, ExperimentInput, OutputFile, Predictions, TaggedSentence};
use bertbench::store::{Answers, ExampleChoice, ExampleQuestion, ExampleText, Examples, Record, Score, examples_name};

use super::markup::assert_well_formed;
use super::synthetic::{TaskShape, record, settings};
use super::{input, text};

/// One run of each of two models on a task.
#[expect(clippy::needless_pass_by_value, reason = "most callers make them for the call")]
fn two(
    task: &'static str,
    metric: &'static str,
    scores: [f64; 2],
    answers: [Answers; 2],
    predictions: [Option<Predictions>; 2],
    examples: Option<Examples>,
) -> ExperimentInput {
    let mut experiment = ExperimentInput { name: "two".into(), ..ExperimentInput::default() };
    let mut draws = Stream::new(1, task).at(0);
    let all = answers.into_iter().zip(predictions).zip(scores).zip(["base", "lar<g>e"]).enumerate();
    for (at, (((answers, predictions), value), model)) in all {
        let settings = settings(model, at > 0, task, (16, 2e-5, 3), 1);
        let shape: TaskShape = (task, metric, "dev", &[], 0.5, 1.0, answers.examples() as u64);
        let mut record: Record = record("two", "GLUE", settings, &shape, &mut draws);
        record.scores = vec![Score {
            metric: metric.into(),
            split: "dev".into(),
            value: Some(value),
            unit: "fraction".into(),
            higher_is_better: true,
        }];
        experiment.planned.push(record.settings.clone());
        experiment.predictions.extend(predictions.map(|found| (record.id.clone(), found)));
        experiment.examples.extend(examples_name(&record.settings, "dev").zip(examples.clone()));
        experiment.answers.insert(record.id.clone(), answers);
        experiment.records.push(record);
    }
    experiment
}

fn rendered(experiment: ExperimentInput) -> (Vec<OutputFile>, String) {
    let files = report::render(&input(vec![experiment])).unwrap();
    let page = files.iter().find(|file| file.name.starts_with("understanding/")).expect("a page about two models");
    let page = String::from_utf8(page.bytes.clone()).unwrap();
    assert_well_formed("understanding", &page);
    (files, page)
}

/// The table with this caption, row by row, cell by cell as its text; a small line follows after a blank.
fn table(page: &str, caption: &str) -> Vec<Vec<String>> {
    let table = page
        .split("<table")
        .find(|table| table.contains(&format!("<caption>{caption}")))
        .unwrap_or_else(|| panic!("no table {caption:?} in {}", page.split("<main>").nth(1).unwrap_or_default()));
    let body = table.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let plain = |cell: &str| {
        let cell = cell.replace("<small>", " ");
        let mut text = String::new();
        let mut inside = false;
        for c in cell.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                other if !inside => text.push(other),
                _ => {}
            }
        }
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let cells = |row: &str| {
        let cells = row.split("<td ").flat_map(|part| part.split("<th ")).skip(1);
        cells.map(|cell| plain(cell.split_once('>').unwrap().1).trim().to_owned()).collect()
    };
    body.split("<tr>").skip(1).map(cells).collect()
}

const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m</td><img src=x onerror=alert(1)>";

#[test]
fn classes_have_changes_confusions_lengths_and_calibration() {
    // Gold 0 0 1 1 1 0; base is right on 0 1 3, large on 0 2 3 4.
    let gold = vec![0, 0, 1, 1, 1, 0];
    let (base, large) = (vec![0, 0, 0, 1, 0, 1], vec![0, 1, 1, 1, 1, 1]);
    let probabilities = |predicted: &[u32], sure: f64| -> Vec<f64> {
        predicted.iter().flat_map(|class| if *class == 0 { [sure, 1.0 - sure] } else { [1.0 - sure, sure] }).collect()
    };
    let names = vec!["no".to_owned(), "yes".to_owned()];
    let of = |predicted: &[u32], sure| {
        Some(Predictions::Classes { names: names.clone(), probabilities: probabilities(predicted, sure) })
    };
    let predictions = [of(&base, 0.9), of(&large, 0.7)];
    let words = |count: usize| vec!["word"; count].join(" ");
    let texts = [HOSTILE.to_owned(), words(2), words(3), words(4), words(5), words(6)];
    let text_of = |first: &String| ExampleText { first: first.clone(), second: Some("a b".into()) };
    let examples = Some(Examples::Texts(texts.iter().map(text_of).collect()));
    let answers = [base, large].map(|predicted| Answers::Classes { gold: gold.clone(), predicted });
    let (files, page) = rendered(two("rte", "accuracy", [0.5, 4.0 / 6.0], answers, predictions, examples));
    let changed = table(&page, "All 2 of “wrong → right”; all 1 of “right → wrong”");
    assert_eq!(changed.len(), 3);
    assert_eq!(changed[0], ["3", "wrong → right", "word word word", "a b", "yes", "no 90 %", "yes 70 %"]);
    assert_eq!(changed[2][..2], ["2", "right → wrong"]);
    let matrix = table(&page, "Predicted by base");
    assert_eq!(matrix[0], ["no", "2 67 %", "1 33 %"]);
    assert_eq!(matrix[1], ["yes", "2 67 %", "1 33 %"]);
    assert_eq!(matrix[2], ["Precision", "50 %", "50 %"]);
    let calibration = table(&page, "Calibration, × 100");
    // Base: three of six right at 0.9; large: four of six at 0.7.
    assert_eq!(calibration[0], ["base", "40.0", "90.0", "50.0", "+40.0"]);
    assert_eq!(calibration[1], ["lar<g>e", "3.3", "70.0", "66.7", "+3.3"]);
    let lengths = table(&page, "accuracy by length");
    assert_eq!(lengths.iter().map(|row| row[1].parse::<usize>().unwrap()).sum::<usize>(), 6);
    let worst = table(&page, "base: wrong answers of the highest confidence");
    assert_eq!(worst.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["3", "5", "6"]);
    let front = table(text(&files, "index.html"), "A page for each two models on a task");
    assert_eq!(front[0], ["rte", "lar<g>e", "base", "6", "2", "1", "2", "1"]);
    let link = files.iter().find(|file| file.name.starts_with("understanding/")).unwrap().name.clone();
    assert_eq!(link, "understanding/rte--lar-g-e--base.html");
    assert!(text(&files, "index.html").contains(&format!("href=\"{}\"", link.replace('/', "&#x2f;"))));
}

/// Two models whose texts and classes are markup.
pub fn hostile() -> ExperimentInput {
    let gold = vec![0, 1];
    let answers = [vec![0, 0], vec![1, 1]].map(|predicted| Answers::Classes { gold: gold.clone(), predicted });
    let examples = Some(Examples::Texts(vec![ExampleText { first: HOSTILE.into(), second: None }; 2]));
    let names = vec![HOSTILE.to_owned(), "b".to_owned()];
    let of = || Some(Predictions::Classes { names: names.clone(), probabilities: vec![0.5; 4] });
    two("sst2", "accuracy", [0.5, 0.5], answers, [of(), of()], examples)
}

#[test]
fn hostile_text_is_inert() {
    let (_, page) = rendered(hostile());
    assert!(page.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"), "the text is there");
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{1b}'));
}

#[test]
fn questions_are_scored_by_word_length_and_answer() {
    let question = |id: &str, question: &str, answers: &[&str]| ExampleQuestion {
        id: id.into(),
        question: question.into(),
        answers: answers.iter().map(ToString::to_string).collect(),
        context: "c".into(),
        context_words: 5,
    };
    let examples = Examples::Questions(vec![
        question("a", "Who was it?", &["Ada Lovelace", "Ada"]),
        question("b", "How many were there?", &["two hundred and six"]),
        question("c", "Who else?", &[]),
        question("d", "When?", &["1843"]),
    ]);
    let said = |all: [&str; 4]| {
        let by_id: BTreeMap<String, String> =
            ["a", "b", "c", "d"].iter().zip(all).map(|(k, v)| ((*k).into(), v.into())).collect();
        Some(Predictions::Spans(by_id))
    };
    let answers = [
        Answers::Spans { exact: vec![1, 0, 0, 1], f1: vec![1.0, 0.5, 0.0, 1.0] },
        Answers::Spans { exact: vec![1, 1, 1, 0], f1: vec![1.0, 1.0, 1.0, 0.0] },
    ];
    let predictions = [said(["Ada", "two hundred", "Bob", "1843"]), said(["Ada", "two hundred and six", "", "Ada"])];
    let (_, page) = rendered(two("squad2", "f1", [0.625, 0.75], answers, predictions, Some(examples)));
    let rows = table(&page, "By question word");
    assert_eq!(rows[0], ["who", "2", "50.0", "100.0", "+50.0", "50.0", "100.0", "+50.0"]);
    assert_eq!(rows[2], ["how many", "1", "0.0", "100.0", "+100.0", "50.0", "100.0", "+50.0"]);
    let rows = table(&page, "By the shortest gold answer");
    assert_eq!(rows.iter().map(|row| &row[0][..]).collect::<Vec<_>>(), ["1", "4 to 5"]);
    assert_eq!(rows[0][1..], ["2", "100.0", "50.0", "−50.0", "100.0", "50.0", "−50.0"]);
    let rows = table(&page, "With and without an answer in the text");
    // HasAns: a, b and d; base 2/3 exact and 2.5/3 F1, large 2/3 and 2/3.
    assert_eq!(rows[0], ["HasAns", "3", "66.7", "66.7", "0.0", "83.3", "66.7", "−16.7"]);
    assert_eq!(rows[1], ["NoAns", "1", "0.0", "100.0", "+100.0", "0.0", "100.0", "+100.0"]);
    let changed = table(&page, "All 2 of “wrong → right”");
    assert_eq!(changed[1][4..], ["no answer", "Bob F1 0", "no answer F1 100"]);
}

#[test]
fn scores_have_residuals_and_what_moved() {
    let gold = vec![0.0, 1.0, 4.0, 5.0];
    let answers = [vec![1.0, 1.5, 2.0, 5.0], vec![0.5, 2.0, 4.0, 5.0]]
        .map(|predicted| Answers::Scores { gold: gold.clone(), predicted });
    let (files, page) = rendered(two("stsb", "pearson", [0.887, 0.981], answers, [None, None], None));
    let rows = table(&page, "Residuals by gold score");
    // Of all: base 1, 0.5, −2, 0; large 0.5, 1, 0, 0.
    assert_eq!(rows.last().unwrap()[..], ["all", "4", "−0.12", "0.38", "0.88", "0.38", "1.15", "0.56"]);
    assert_eq!(rows[0], ["0.0 to 1.0", "1", "1.00", "0.50", "1.00", "0.50", "1.00", "0.50"]);
    let changed = table(&page, "All 2 of “nearer”; all 1 of “farther”");
    assert_eq!(changed[0], ["1", "nearer", "0.00", "1.00", "0.50"]);
    assert!(page.contains("The texts are not shown"));
    let front = table(text(&files, "index.html"), "A page for each two models on a task");
    assert_eq!(front[0][3..6], ["4", "2 nearer", "1 farther"]);
}

#[test]
fn entities_have_types_and_confusions() {
    let tags = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let sentence = |predicted: &str| TaggedSentence {
        words: tags("Ada Lovelace saw London today"),
        gold: tags("B-PER I-PER O B-LOC O"),
        predicted: tags(predicted),
    };
    let predictions = [
        Some(Predictions::Tags(vec![sentence("B-PER O O B-ORG O"), sentence("B-PER I-PER O B-LOC O")])),
        Some(Predictions::Tags(vec![sentence("B-PER I-PER O B-LOC O"), sentence("B-PER I-PER O O B-MISC")])),
    ];
    let answers = [
        Answers::Tags { gold: vec![2, 2], found: vec![2, 2], correct: vec![0, 2] },
        Answers::Tags { gold: vec![2, 2], found: vec![2, 2], correct: vec![2, 1] },
    ];
    let (_, page) = rendered(two("conll2003", "f1", [0.5, 0.75], answers, predictions, None));
    let rows = table(&page, "Entity types, × 100");
    assert_eq!(rows[0], ["LOC", "2", "100.0", "100.0", "50.0", "50.0", "66.7", "66.7"]);
    assert_eq!(rows.last().unwrap()[..], ["all", "4", "50.0", "75.0", "50.0", "75.0", "50.0", "75.0"]);
    let rows = table(&page, "Confusions");
    let count =
        |what: &str| rows.iter().find(|row| row[0] == what).unwrap_or_else(|| panic!("{what}: {rows:?}"))[1..].to_vec();
    assert_eq!(count("LOC taken for ORG"), ["1", "0", "−1"]);
    assert_eq!(count("PER with other ends"), ["1", "0", "−1"]);
    assert_eq!(count("LOC not found"), ["0", "1", "+1"]);
    assert_eq!(count("MISC where there is none"), ["0", "1", "+1"]);
    let changed = table(&page, "All 1 of “wrong → right”; all 1 of “right → wrong”");
    assert_eq!(changed[0][2..4], ["Ada Lovelace saw London today", "PER Ada Lovelace · LOC London"]);
    assert_eq!(changed[0][4], "PER Ada · ORG London");
}

#[test]
fn choices_are_shown_by_their_ending() {
    let choice =
        ExampleChoice { context: "He sat".into(), endings: ["down", "up", "in", "out"].map(str::to_owned).into() };
    let answers = [0, 2].map(|predicted| Answers::Classes { gold: vec![2], predicted: vec![predicted] });
    let (_, page) =
        rendered(two("swag", "accuracy", [0.0, 1.0], answers, [None, None], Some(Examples::Choices(vec![choice]))));
    let changed = table(&page, "All 1 of “wrong → right”");
    assert_eq!(changed[0][2..], ["He sat", "2: in", "0: down", "2: in"]);
    assert!(!page.contains("Calibration"), "no probabilities are known");
}

#[test]
fn many_changes_are_sampled_and_the_front_page_does_not_grow_with_them() {
    let gold = vec![1; 3000];
    let answers = [vec![0; 3000], vec![1; 3000]].map(|predicted| Answers::Classes { gold: gold.clone(), predicted });
    let long = "long ".repeat(400);
    let examples = Some(Examples::Texts(vec![ExampleText { first: long, second: None }; 3000]));
    let (files, page) = rendered(two("sst2", "accuracy", [0.0, 1.0], answers, [None, None], examples));
    let changed = table(&page, "100 of 3\u{202f}000 of “wrong → right”, drawn at random");
    assert_eq!(changed.len(), 100);
    assert!(changed[0][2].chars().count() == 601 && page.len() < 400_000, "{}", page.len());
    assert!(text(&files, "index.html").len() < 200_000);
}
