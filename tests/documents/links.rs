//! Links and paths lead somewhere.

use std::fs;
use std::path::Path;

use super::markdown::{self, Document};

/// Folders whose files are part of the project: a path into one of them must exist.
const TRACKED: [&str; 5] = ["docs/", "experiments/", "reports/sample/", "src/", "tests/"];

/// The targets of `[text](target)` and `![text](target)`.
fn targets(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
}

/// Why a link leads nowhere.
fn broken(document: &Document, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = document.path.parent().unwrap().join(file);
    if !file.is_empty() && !path.exists() {
        return Some(format!("no file {}", path.display()));
    }
    let text = if file.is_empty() { document.text.clone() } else { fs::read_to_string(&path).unwrap_or_default() };
    let found = anchor.is_empty() || Document { path, text }.anchors().iter().any(|other| other == anchor);
    (!found).then(|| format!("no heading `{anchor}`"))
}

/// Whether a word is a path of the project without a place to fill in.
fn is_path(word: &str) -> bool {
    let filled = !word.contains(['*', '{', '…', ' ']) && !word.contains("NAME") && !word.contains("ID");
    let manifest = word.starts_with("datasets/") && is_of_kind(word, "yaml");
    filled && (manifest || TRACKED.iter().any(|folder| word.starts_with(folder)))
}

fn is_of_kind(path: &str, kind: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == kind)
}

/// What leads nowhere in a document; `pictures` alone, or everything else.
fn problems(document: &Document, pictures: bool) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in document.prose() {
        for target in targets(line).into_iter().filter(|target| is_of_kind(target, "png") == pictures) {
            problems.extend(broken(document, target).map(|why| format!("{}: {why}", document.place(at))));
        }
    }
    if pictures {
        return problems;
    }
    let shown = document.fences().into_iter().filter(|fence| fence.language == "sh");
    let commands =
        shown.flat_map(|fence| fence.text.lines().map(|line| (fence.line, line.to_owned())).collect::<Vec<_>>());
    for (at, text) in document.spans().into_iter().chain(commands) {
        for word in text.split_whitespace().filter(|word| is_path(word) && !Path::new(word).exists()) {
            problems.push(format!("{}: no file {word}", document.place(at)));
        }
    }
    problems
}

#[test]
fn every_link_and_path_leads_somewhere() {
    let documents = markdown::all();
    let problems: Vec<String> = documents.iter().flat_map(|document| problems(document, false)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let links: usize = documents.iter().flat_map(|d| d.prose().into_iter().map(|(_, line)| targets(line).len())).sum();
    assert!(links > 15, "only {links} links were found");
}

#[test]
fn every_picture_is_there() {
    let problems: Vec<String> = markdown::all().iter().flat_map(|document| problems(document, true)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_leads_nowhere_is_found() {
    for (text, said) in [
        ("[a](docs/no.md)\n", "no file docs/no.md"),
        ("# B\n[a](#c)\n", "no heading `c`"),
        ("[a](docs/store.md#the-ids)\n", "no heading `the-ids`"),
        ("`experiments/no.yaml`\n", "no file experiments/no.yaml"),
        ("`datasets/no.yaml`\n", "no file datasets/no.yaml"),
        ("```sh\nbertbench run experiments/no.yaml\n```\n", "no file experiments/no.yaml"),
    ] {
        let problems = problems(&Document::of(text), false);
        assert!(problems.len() == 1 && problems[0].ends_with(said), "{text}: {problems:?}");
    }
    assert_eq!(problems(&Document::of("![a](docs/no.png)\n"), true).len(), 1);
    let fine = "# B\n[a](docs/store.md#the-id) [b](#b) `runs/x` `src/cli/NAME.rs` <https://a.b>\n";
    assert_eq!(problems(&Document::of(fine), false), Vec::<String>::new());
}

#[test]
fn the_readme_names_every_page_and_the_page_of_experiments_every_experiment() {
    for (document, folder, kind) in [("README.md", "docs", "md"), ("docs/experiments.md", "experiments", "yaml")] {
        let text = markdown::read(document).text;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == kind) {
                assert!(text.contains(path.to_str().unwrap()), "{document} does not name {}", path.display());
            }
        }
    }
}
