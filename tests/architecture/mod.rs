//! The imports of `src/` against the import table in `src/lib.rs`, and circles of files inside its modules.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules that every module may use; the first line of the table in `src/lib.rs` says so.
const EVERYWHERE: [&str; 5] = ["units", "random", "checksum", "diagnostic", "settings"];

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

/// All Rust files of `src/`.
fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    sources
}

/// The text of a file without comments, and without its unit tests when `tested` is false.
fn code(path: &Path, tested: bool) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let end = text.find("#[cfg(test)]\nmod tests {").filter(|_| !tested).unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    let in_folder = path.strip_prefix(root()).unwrap().iter().any(|part| part == "tests");
    in_folder || path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.ends_with("tests"))
}

/// `data::fetch::job` of `src/data/fetch/job.rs`; a `mod.rs` is its folder.
fn module_path(path: &Path) -> Vec<String> {
    let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut parts: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The paths of a `use` tree: `a::{b, c::d as e}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in group.strip_suffix('}').unwrap_or(group).chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(part)).map(|path| format!("{}{path}", before.trim())).collect()
}

/// Every path that begins with `crate`, `self` or `super` in the code of the module `of`, and every path of a `use`, from
/// the crate's root on.
fn paths(code: &str, of: &[String]) -> Vec<Vec<String>> {
    let (mut found, mut rest) = (Vec::new(), String::new());
    for (at, statement) in code.split(';').enumerate() {
        match statement.rfind("use ").filter(|at| statement[..*at].chars().last().is_none_or(char::is_whitespace)) {
            Some(at) => {
                rest.push_str(&statement[..at]);
                found.extend(expand(&statement[at + 4..]));
            }
            None if at == 0 => rest.push_str(statement),
            None => rest = rest + ";" + statement,
        }
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    found.extend(
        words
            .filter(|word| ["crate::", "self::", "super::"].iter().any(|start| word.starts_with(start)))
            .map(str::to_owned),
    );
    let absolute = |path: String| {
        let mut names: Vec<String> = path.split("::").map(|name| name.trim().to_owned()).collect();
        let mut base = of.to_vec();
        match names[0].as_str() {
            "crate" => base.clear(),
            "super" | "self" => {}
            _ => names.insert(0, String::new()),
        }
        let up = names.iter().take_while(|name| *name == "super").count();
        base.truncate(base.len().saturating_sub(up));
        base.extend(names.into_iter().skip(up.max(1)));
        base
    };
    found.into_iter().map(absolute).collect()
}

/// The rooms that code of the module `of` names.
fn imports(code: &str, of: &str) -> BTreeSet<String> {
    let of: Vec<String> = of.split("::").map(str::to_owned).collect();
    paths(code, &of).into_iter().filter_map(|path| path.into_iter().next()).collect()
}

fn module_of(path: &Path) -> String {
    module_path(path).remove(0)
}

#[test]
fn every_import_is_in_the_table_and_every_permission_is_used() {
    let table = table();
    assert!(table.len() > 14, "the table was not found: {table:?}");
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for path in sources() {
        let module = module_of(&path);
        if module == "main" || module == "lib" {
            continue;
        }
        let allowed = table.get(&module).unwrap_or_else(|| panic!("`{module}` is not in the table"));
        for import in imports(&code(&path, true), &module_path(&path).join("::")) {
            let fine = import == module
                || EVERYWHERE.contains(&import.as_str())
                || !table.contains_key(&import)
                || allowed.as_ref().is_none_or(|allowed| allowed.contains(&import));
            if !fine {
                wrong.push(format!("{}: `{module}` imports `{import}`", path.display()));
            }
            used.insert((module.clone(), import));
        }
    }
    for (module, allowed) in &table {
        let unused = allowed.iter().flatten().filter(|name| !used.contains(&(module.clone(), (*name).clone())));
        wrong.extend(unused.map(|name| format!("src/lib.rs: `{module}` may import `{name}`, and does not")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nothing but `modules` names a crate whose name begins with `name`.
fn only(modules: &[&str], name: &str) {
    for path in sources() {
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
fn only_the_command_line_and_its_terminal_print_and_only_kernels_are_unsafe() {
    for path in sources() {
        let module = module_of(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests may say that they were skipped.
        if is_test(&path) {
            continue;
        }
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let prints = ["println!(", "eprintln!(", "print!(", "eprint!("].iter().any(|call| text.contains(call));
        assert!(!prints || ["cli", "terminal"].contains(&module.as_str()), "{} prints", path.display());
        assert!(!text.contains("unsafe {") || module == "kernel", "{} is unsafe", path.display());
    }
}

#[test]
fn only_the_command_line_uses_the_terminal() {
    let rows = table();
    let may = rows.iter().filter(|(_, allowed)| allowed.as_ref().is_none_or(|of| of.contains("terminal")));
    assert_eq!(may.map(|(module, _)| module.as_str()).collect::<Vec<_>>(), ["cli"]);
}

#[test]
fn imports_are_found_in_groups_and_in_paths() {
    let found = |code: &str| imports(code, "report::page").into_iter().collect::<Vec<_>>();
    assert_eq!(found("use crate::store::Record;"), ["store"]);
    assert_eq!(found("use crate::{\n    data::{self, Dataset},\n    text as t,\n};"), ["data", "text"]);
    assert_eq!(found("fn f() -> crate::plan::Plan { g(&super::super::exec::Job) }"), ["exec", "plan"]);
    assert_eq!(found("use super::phrase;\nlet because = self::x;"), ["report"]);
    assert!(!table()["report"].as_ref().unwrap().contains("train"));
}
