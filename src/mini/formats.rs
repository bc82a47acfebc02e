//! The columns of the official files: headers, byte-order mark, and one function a format.

use super::example::{Example, Use};
use crate::random::Draws;

/// The columns of a task's files.
#[derive(Clone, Copy)]
pub(super) struct Format {
    /// Headers of the training file and of the dev file or files; `CoLA` has none.
    labelled: [&'static str; 2],
    /// Header of the test file or files.
    test: &'static str,
    /// Whether train and dev start with a byte-order mark, as MRPC's do.
    byte_order_mark: bool,
    /// Extra rows of a dev file whose annotators did not agree.
    undecided: usize,
    /// The columns of one row.
    columns: fn(&Row, &mut Draws) -> Vec<String>,
}

/// What a row is made from.
struct Row<'a> {
    index: usize,
    purpose: Use,
    example: &'a Example,
    /// The answer as the file writes it; `-` when the annotators did not agree.
    label: String,
}

const NONE: Format = Format { labelled: [""; 2], test: "", byte_order_mark: false, undecided: 0, columns: bare };

pub(super) const COLA: Format = Format { test: "index\tsentence", columns: cola, ..NONE };

pub(super) const SST2: Format =
    Format { labelled: ["sentence\tlabel"; 2], test: "index\tsentence", columns: sst2, ..NONE };

pub(super) const MRPC: Format = Format {
    labelled: ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"; 2],
    test: "index\t#1 ID\t#2 ID\t#1 String\t#2 String",
    byte_order_mark: true,
    columns: mrpc,
    ..NONE
};

pub(super) const STSB: Format = Format {
    labelled: ["index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"; 2],
    test: "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2",
    columns: stsb,
    ..NONE
};

pub(super) const QQP: Format = Format {
    labelled: ["id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"; 2],
    test: "id\tquestion1\tquestion2",
    columns: qqp,
    ..NONE
};

pub(super) const MNLI: Format = Format {
    labelled: [
        "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
         sentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label",
        "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
         sentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label",
    ],
    test: "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
           sentence2_parse\tsentence1\tsentence2",
    undecided: 6,
    columns: mnli,
    ..NONE
};

pub(super) const QNLI: Format = Format {
    labelled: ["index\tquestion\tsentence\tlabel"; 2],
    test: "index\tquestion\tsentence",
    columns: indexed_pair,
    ..NONE
};

/// Of RTE and WNLI.
pub(super) const PAIR: Format = Format { labelled: ["index\tsentence1\tsentence2\tlabel"; 2], ..AX };

pub(super) const AX: Format = Format { test: "index\tsentence1\tsentence2", columns: indexed_pair, ..NONE };

/// The whole file of a split, from its examples with their answers as the file writes them.
pub(super) fn file(format: &Format, purpose: Use, rows: &[(&Example, String)], draws: &mut Draws) -> String {
    let header = match purpose {
        Use::Train => format.labelled[0],
        Use::Dev => format.labelled[1],
        Use::Test => format.test,
    };
    let mut text = String::new();
    if format.byte_order_mark && purpose != Use::Test {
        text.push('\u{feff}');
    }
    if !header.is_empty() {
        text.push_str(header);
        text.push('\n');
    }
    let undecided = if purpose == Use::Dev { format.undecided } else { 0 };
    // Undecided rows stand between the others, one after every so many.
    let stride = rows.len().checked_div(undecided).map_or(usize::MAX, |stride| stride.max(1));
    let mut index = 0;
    let mut push = |example: &Example, label: String, draws: &mut Draws| {
        let row = Row { index, purpose, example, label };
        text.push_str(&(format.columns)(&row, draws).join("\t"));
        text.push('\n');
        index += 1;
    };
    for (at, (example, label)) in rows.iter().enumerate() {
        push(example, label.clone(), draws);
        if at % stride == stride - 1 && at / stride < undecided {
            let unrelated = rows[(at + 1) % rows.len()].0.second.clone();
            let doubtful = Example { second: unrelated, ..(*example).clone() };
            push(&doubtful, "-".to_string(), draws);
        }
    }
    text
}

/// `columns`, with the label at the end unless the file is a test set.
fn labelled(row: &Row, mut columns: Vec<String>) -> Vec<String> {
    if row.purpose != Use::Test {
        columns.push(row.label.clone());
    }
    columns
}

fn bare(row: &Row, _: &mut Draws) -> Vec<String> {
    vec![row.example.first.clone()]
}

fn cola(row: &Row, _: &mut Draws) -> Vec<String> {
    if row.purpose == Use::Test {
        return vec![row.index.to_string(), row.example.first.clone()];
    }
    // The third column is the mark that the source's author gave: `*` for unacceptable.
    let mark = if row.label == "0" { "*" } else { "" };
    vec!["mi26".to_string(), row.label.clone(), mark.to_string(), row.example.first.clone()]
}

fn sst2(row: &Row, _: &mut Draws) -> Vec<String> {
    match row.purpose {
        Use::Test => vec![row.index.to_string(), row.example.first.clone()],
        Use::Train | Use::Dev => vec![row.example.first.clone(), row.label.clone()],
    }
}

fn mrpc(row: &Row, draws: &mut Draws) -> Vec<String> {
    let mut id = || (100_000 + draws.below(900_000)).to_string();
    let lead = if row.purpose == Use::Test { row.index.to_string() } else { row.label.clone() };
    vec![lead, id(), id(), row.example.first.clone(), row.example.second.clone()]
}

fn stsb(row: &Row, _: &mut Draws) -> Vec<String> {
    let index = row.index.to_string();
    let columns = [&index, row.example.genre, "mini", "2026", &format!("{:04}", row.index), "none", "none"];
    let texts = [row.example.first.clone(), row.example.second.clone()];
    labelled(row, columns.into_iter().map(str::to_string).chain(texts).collect())
}

fn qqp(row: &Row, draws: &mut Draws) -> Vec<String> {
    let texts = [row.example.first.clone(), row.example.second.clone()];
    let mut columns = vec![row.index.to_string()];
    if row.purpose != Use::Test {
        columns.extend([draws.below(1_000_000).to_string(), draws.below(1_000_000).to_string()]);
    }
    columns.extend(texts);
    labelled(row, columns)
}

fn indexed_pair(row: &Row, _: &mut Draws) -> Vec<String> {
    labelled(row, vec![row.index.to_string(), row.example.first.clone(), row.example.second.clone()])
}

fn mnli(row: &Row, draws: &mut Draws) -> Vec<String> {
    let Example { first, second, genre, .. } = row.example;
    let prompt = draws.below(1_000_000);
    let mut columns = vec![row.index.to_string(), prompt.to_string(), format!("{prompt}m"), (*genre).to_string()];
    columns.extend([binary_parse(first), binary_parse(second), parse(first), parse(second)]);
    columns.extend([first.clone(), second.clone()]);
    match row.purpose {
        Use::Train => columns.push(row.label.clone()),
        Use::Dev => columns.extend(votes(&row.label, draws)),
        Use::Test => {}
    }
    labelled(row, columns)
}

/// Five annotators: a majority for the label, or two, two and one when there is none.
fn votes(label: &str, draws: &mut Draws) -> [String; 5] {
    let mut votes = if label == "-" {
        ["entailment", "entailment", "neutral", "neutral", "contradiction"]
    } else {
        let dissent = if label == "neutral" { "entailment" } else { "neutral" };
        [label, label, label, label, if draws.chance(0.3) { dissent } else { label }]
    };
    draws.shuffle(&mut votes);
    votes.map(str::to_string)
}

/// A right-branching bracketing. The published columns hold a parser's output; no reader here uses them.
fn binary_parse(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let close = " )".repeat(words.len().saturating_sub(1));
    format!("{}{close}", words.join(" ( "))
}

/// A flat tree with one unknown tag, `X`.
fn parse(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(|word| format!("(X {word})")).collect();
    format!("(ROOT {})", words.join(" "))
}
