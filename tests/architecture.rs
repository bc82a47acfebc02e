//! The `use` lines of `src/` against the import table in `src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules that every module may use; the first line of the table in `src/lib.rs` says so.
const EVERYWHERE: [&str; 4] = ["units", "random", "checksum", "diagnostic"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Words between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table: module → modules that it may import; `None` for "all".
fn table() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | ")).filter(|row| row.starts_with('`'));
    let mut table = BTreeMap::new();
    for row in rows {
        let (modules, allowed) = row.split_once('|').unwrap();
        let allowed = (!allowed.trim().starts_with("all")).then(|| quoted(allowed).into_iter().collect());
        for module in quoted(modules) {
            table.insert(module, allowed.clone());
        }
    }
    table
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The first name after every `crate::` of a line that is code, groups `crate::{a, b}` included.
fn imports(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or(group).split(',').map(|part| name(part.trim())).collect(),
            None => vec![name(rest)],
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn every_use_is_in_the_table() {
    let table = table();
    assert!(table.len() > 14, "the table was not found: {table:?}");
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    let mut wrong = Vec::new();
    for path in sources {
        let module = module_of(&path);
        if module == "main" || module == "lib" {
            continue;
        }
        let allowed = table.get(&module).unwrap_or_else(|| panic!("`{module}` is not in the table"));
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for import in imports(line) {
                let fine = import == module
                    || EVERYWHERE.contains(&import.as_str())
                    || !table.contains_key(&import)
                    || allowed.as_ref().is_none_or(|allowed| allowed.contains(&import));
                if !fine {
                    wrong.push(format!("{}:{}: `{module}` imports `{import}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nothing but `modules` names a crate whose name begins with `name`.
fn only(modules: &[&str], name: &str) {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    for path in sources {
        if modules.contains(&module_of(&path).as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!code.contains(name), "{}:{} names {name}", path.display(), number + 1);
        }
    }
}

#[test]
fn only_the_tensor_modules_name_burn() {
    only(&["kernel", "model", "train", "infer"], "burn::");
}

#[test]
fn only_reports_and_readers_of_data_name_polars() {
    only(&["report", "corpus"], "polars");
}

#[test]
fn only_the_command_line_prints_and_only_kernels_are_unsafe() {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    for path in sources {
        let module = module_of(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests may say that they were skipped.
        if path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let prints = ["println!(", "eprintln!(", "print!(", "eprint!("].iter().any(|call| text.contains(call));
        assert!(!prints || module == "cli", "{} prints", path.display());
        assert!(!text.contains("unsafe {") || module == "kernel", "{} is unsafe", path.display());
    }
}

#[test]
fn the_check_finds_a_forbidden_import() {
    assert_eq!(imports("use crate::store::Record;"), ["store"]);
    assert_eq!(imports("use crate::{data::Dataset, text};"), ["data", "text"]);
    assert_eq!(imports("// use crate::store"), Vec::<String>::new());
    assert!(!table()["report"].as_ref().unwrap().contains("train"));
}
