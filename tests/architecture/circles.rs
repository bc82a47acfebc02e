//! Circles of files inside a module: files that name each other, if only by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{code, is_test, module_path, paths, sources};

/// A file → the files of its room that it names; what a `mod.rs` re-exports is followed to its file. A folder's `mod.rs`
/// and what is in the folder may name each other.
fn file_graph() -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<String, PathBuf> =
        sources().into_iter().map(|path| (module_path(&path).join("::"), path)).collect();
    let named: BTreeMap<&String, Vec<Vec<String>>> = files
        .iter()
        .filter(|(_, path)| !is_test(path))
        .map(|(module, path)| (module, paths(&code(path, false), &module_path(path))))
        .collect();
    let file_of = |mut path: Vec<String>| {
        // Re-exports of re-exports; more would be a circle.
        for _ in 0..5 {
            let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length].join("::")))?;
            let file = path[..length].join("::");
            let inside = format!("{file}::");
            let exported = path.get(length).and_then(|name| {
                let found = |to: &&Vec<String>| to.last() == Some(name) && to.join("::").starts_with(&inside);
                named.get(&file)?.iter().find(found)
            });
            match exported {
                Some(to) if files.keys().any(|known| known.starts_with(&inside)) => {
                    let rest = path.split_off(length + 1);
                    path = to.iter().cloned().chain(rest).collect();
                }
                _ => return Some(file),
            }
        }
        None
    };
    let is_above = |a: &str, b: &str| b.starts_with(&format!("{a}::"));
    let room = |module: &str| module.split("::").next().map(str::to_owned);
    let edges = |module: &str, paths: &[Vec<String>]| {
        let files = paths.iter().filter_map(|path| file_of(path.clone()));
        files
            .filter(|to| to != module && room(to) == room(module) && !is_above(to, module) && !is_above(module, to))
            .collect()
    };
    named.iter().map(|(module, paths)| ((*module).clone(), edges(module, paths))).collect()
}

/// Every file that `from` leads to.
fn reachable(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = open.pop() {
        for to in graph.get(&next).into_iter().flatten() {
            if seen.insert(to.clone()) {
                open.push(to.clone());
            }
        }
    }
    seen
}

#[test]
fn no_circle_of_files_inside_a_room() {
    let graph = file_graph();
    let circular: Vec<&String> = graph.keys().filter(|file| reachable(&graph, file).contains(*file)).collect();
    let wrong: Vec<String> = circular
        .iter()
        .map(|file| {
            let to: Vec<&String> = graph[*file].iter().filter(|to| circular.contains(to)).collect();
            format!("`{file}` names {to:?}, which lead back to it")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let graph =
        BTreeMap::from([("a".to_owned(), set(&["b"])), ("b".to_owned(), set(&["c"])), ("c".to_owned(), set(&["b"]))]);
    assert!(!reachable(&graph, "a").contains("a") && reachable(&graph, "b").contains("b"));
    assert!(file_graph()["data::fetch::job"].contains("data::fetch::plan"));
}
