//! Every command line that is shown is one that clap, just or cargo knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bertbench::cli;
use bertbench::config;
use bertbench::plan::{Filter, known_tasks};
use clap::ArgMatches;
use clap::error::ErrorKind;

use super::markdown::{self, Document};

/// Flags in the prose that are cargo's.
const CARGO_FLAGS: [&str; 2] = ["--release", "--locked"];

/// What clap answers to who asks for help, and to a command that lacks its arguments.
const HELP: [ErrorKind; 2] = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
const INCOMPLETE: [ErrorKind; 3] = [
    ErrorKind::MissingRequiredArgument,
    ErrorKind::MissingSubcommand,
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
];

/// Words of a shell line, quotes removed; what follows a `#` is a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None if c == '#' && word.is_none() => break,
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The commands of a shell line: the parts between `&&`, without variables in front and redirections behind.
fn commands(line: &str) -> Vec<Vec<String>> {
    let words = words(line);
    let parts = words.split(|word| word == "&&");
    parts
        .map(|part| {
            let command = part.iter().skip_while(|word| word.contains('=') && !word.starts_with('-'));
            command.take_while(|word| *word != ">").cloned().collect()
        })
        .collect()
}

/// The shell lines of a document, and the commands between backticks in its prose (`true`).
fn shown(document: &Document) -> Vec<(usize, String, bool)> {
    let mut lines = Vec::new();
    for fence in document.fences() {
        for (at, line) in fence.text.lines().enumerate() {
            let command = match fence.language.as_str() {
                "sh" => Some(line),
                "console" => line.strip_prefix("$ "),
                _ => None,
            };
            lines.extend(command.map(|command| (fence.line + 1 + at, command.to_owned(), false)));
        }
    }
    lines.extend(document.spans().into_iter().map(|(at, span)| (at, span, true)));
    lines
}

/// What is wrong with a command; `in_prose` it may lack its arguments.
fn wrong(command: &[String], in_prose: bool) -> Option<String> {
    match command.first()?.as_str() {
        "bertbench" => {
            let error = match cli::command().try_get_matches_from(command) {
                Ok(matches) => return wrong_values(matches.subcommand()?.1),
                Err(error) => error,
            };
            let fine = HELP.contains(&error.kind()) || in_prose && INCOMPLETE.contains(&error.kind());
            (!fine).then(|| error.to_string())
        }
        "just" => {
            // Variables of the justfile may come first.
            let recipe = command.iter().skip(1).find(|word| !word.contains('='))?;
            (!recipes().contains(recipe)).then(|| format!("no recipe `{recipe}`"))
        }
        "cargo" => {
            let features = command.iter().skip_while(|word| *word != "--features").nth(1)?;
            (!cargo_features().contains(features)).then(|| format!("no feature `{features}`"))
        }
        _ => None,
    }
}

/// What is wrong with the values of `--set` (put over the named experiment, if it is one of ours) and `--only`.
fn wrong_values(matches: &ArgMatches) -> Option<String> {
    let values = |flag: &str| -> Vec<String> {
        matches.try_get_many::<String>(flag).ok().flatten().into_iter().flatten().cloned().collect()
    };
    let file = matches.try_get_one::<PathBuf>("file").ok().flatten();
    let file = file.filter(|file| file.exists()).map_or(Path::new("experiments/mini.yaml"), PathBuf::as_path);
    let set = config::load(file, &known_tasks(), &values("set")).err();
    let only = || values("only").iter().find_map(|text| Filter::parse(text).err());
    set.or_else(only).map(|found| cli::render(&found, false))
}

/// The recipes of the justfile: unindented lines that end with a colon or with dependencies behind one.
fn recipes() -> BTreeSet<String> {
    let text = fs::read_to_string("justfile").unwrap();
    let heads = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && !line.contains(":="));
    let name = |line: &str| line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    heads.filter(|line| line.contains(':')).map(name).collect()
}

fn cargo_features() -> BTreeSet<String> {
    let text = fs::read_to_string("Cargo.toml").unwrap();
    let (_, features) = text.split_once("[features]\n").unwrap();
    let rows = features.lines().take_while(|line| !line.starts_with('['));
    rows.filter_map(|line| Some(line.split_once(" = [")?.0.to_owned())).collect()
}

/// Every long flag of every subcommand.
fn flags(command: &clap::Command, into: &mut BTreeSet<String>) {
    into.extend(command.get_arguments().filter_map(clap::Arg::get_long).map(|long| format!("--{long}")));
    command.get_subcommands().for_each(|subcommand| flags(subcommand, into));
}

/// What is wrong with the commands and flags of a document.
fn problems(document: &Document) -> Vec<String> {
    let mut known = BTreeSet::from(CARGO_FLAGS.map(str::to_owned));
    flags(&cli::command(), &mut known);
    let mut problems = Vec::new();
    for (at, line, in_prose) in shown(document) {
        for command in commands(&line) {
            let flag = command.first().filter(|word| word.starts_with("--"));
            let unknown = flag.filter(|flag| !known.contains(*flag)).map(|flag| format!("no flag `{flag}`"));
            problems.extend(
                wrong(&command, in_prose).or(unknown).map(|what| format!("{}: `{line}`: {what}", document.place(at))),
            );
        }
    }
    problems
}

#[test]
fn every_command_that_is_shown_is_known() {
    let documents = markdown::all();
    let problems: Vec<String> = documents.iter().flat_map(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let of_ours = |(_, line, _): &(usize, String, bool)| line.starts_with("bertbench ");
    let shown = documents.iter().flat_map(shown).filter(of_ours).count();
    assert!(shown > 30, "only {shown} commands were found");
}

#[test]
fn a_wrong_command_is_found() {
    for (text, said) in [
        ("```sh\nbertbench rum x.yaml\n```\n", "rum"),
        ("```sh\nA=1 bertbench run x.yaml --onyl task=rte # why\n```\n", "--onyl"),
        ("```sh\nbertbench run\n```\n", "required"),
        ("`bertbench run X.yaml --set training.max_lenght=64`\n", "did you mean `max_length`?"),
        ("`bertbench plan X.yaml --only lerning_rate=3e-5`\n", "did you mean `learning_rate`?"),
        ("```sh\ncd x && just run-sweeep\n```\n", "no recipe `run-sweeep`"),
        ("```console\n$ cargo build --features gpu\n```\n", "no feature `gpu`"),
        ("see `bertbench runs delete ID`\n", "delete"),
        ("see `--skip-rows`\n", "no flag `--skip-rows`"),
    ] {
        let problems = problems(&Document::of(text));
        assert!(problems.len() == 1 && problems[0].contains(said), "{text}: {problems:?}");
    }
    let fine = "`bertbench run`, `just test`\n```sh\nbertbench run 'a b.yaml' --set 'seeds=[1, 2]' > out # x\n```\n";
    assert_eq!(problems(&Document::of(fine)), Vec::<String>::new());
}

#[test]
fn every_recipe_and_every_subcommand_is_explained() {
    let development = markdown::read("docs/development.md").spans();
    for recipe in recipes().iter().filter(|recipe| *recipe != "default") {
        let named = |(_, span): &(usize, String)| commands(span).iter().any(|c| c.get(1) == Some(recipe));
        assert!(development.iter().any(named), "docs/development.md does not name `just {recipe}`");
    }
    let readme = markdown::read("README.md").spans();
    let command = cli::command();
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let line = format!("bertbench {}", subcommand.get_name());
        assert!(readme.iter().any(|(_, span)| span.starts_with(&line)), "README.md does not name `{line}`");
    }
}
