//! What is said of right and wrong files.

use super::super::{FILES, SubmissionFile};
use super::check_rows;

fn file(name: &str) -> &'static SubmissionFile {
    FILES.iter().find(|file| file.name == name).unwrap()
}

/// WNLI's 146 rows, every third a 1.
fn wnli() -> Vec<String> {
    let rows = (0..146).map(|index| format!("{index}\t{}", u8::from(index % 3 == 0)));
    std::iter::once("index\tprediction".to_owned()).chain(rows).collect()
}

/// What is said of WNLI's file after a change of its lines.
fn said(change: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
    let mut lines = wnli();
    change(&mut lines);
    said_of("WNLI.tsv", (lines.join("\n") + "\n").as_bytes())
}

fn said_of(name: &str, bytes: &[u8]) -> Vec<String> {
    let findings = check_rows(file(name), bytes);
    findings.iter().map(|finding| format!("{}: {finding}", finding.severity.name())).collect()
}

#[test]
fn a_right_file_is_right_with_and_without_the_last_line_break() {
    assert_eq!(said(|_| {}), [""; 0]);
    assert_eq!(said_of("WNLI.tsv", wnli().join("\n").as_bytes()), [""; 0]);
}

#[test]
fn a_wrong_header_is_shown() {
    let asked = "(the first line is `index`, a tab, `prediction`)";
    assert_eq!(said(|lines| drop(lines.remove(0))), [format!("rejected: WNLI.tsv:1: no header {asked}")]);
    for wrong in ["id\tlabel", "prediction\tindex", "index,prediction", "index\tprediction\tlabel", "Index\tprediction"]
    {
        let found = said(|lines| lines[0] = wrong.to_owned());
        assert_eq!(found, [format!("rejected: WNLI.tsv:1: the header is `{wrong}` {asked}")]);
    }
}

#[test]
fn wrong_indices_are_told_apart() {
    let shifted = said(|lines| {
        for (index, line) in lines.iter_mut().skip(1).enumerate() {
            *line = format!("{}\t{}", index + 1, index % 2);
        }
    });
    assert_eq!(
        shifted,
        [
            "rejected: WNLI.tsv:147: no example has the index `146` (it counts from 0 to 145)",
            "rejected: WNLI.tsv: the example with the index 0 has no prediction",
        ]
    );
    assert_eq!(
        said(|lines| lines[7] = "3\t0".into()),
        [
            "rejected: WNLI.tsv:8: the index 3 appears twice",
            "rejected: WNLI.tsv: the example with the index 6 has no prediction",
        ]
    );
    assert_eq!(
        said(|lines| lines.swap(4, 5)),
        ["rejected: WNLI.tsv:6: the index 3 comes after larger ones (the rows are in the order of the test file)"]
    );
    for wrong in ["", " 4", "4.0", "-4", "+4", "four", "\u{664}"] {
        let found = said(|lines| lines[5] = format!("{wrong}\t0"));
        assert_eq!(found[0], format!("rejected: WNLI.tsv:6: the index `{wrong}` is not a whole number"));
    }
    let found = said(|lines| lines[5] = "99999999999999999999999\t0".into());
    assert!(found[0].starts_with("rejected: WNLI.tsv:6: no example has the index `99999"), "{found:?}");
}

#[test]
fn missing_and_superfluous_rows_are_counted() {
    assert_eq!(
        said(|lines| lines.truncate(100)),
        [
            "rejected: WNLI.tsv: 99 rows where the test set has 146",
            "rejected: WNLI.tsv: the example with the index 99 has no prediction, nor have 46 others",
        ]
    );
    let found = said(|lines| lines.push("146\t1".into()));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], "rejected: WNLI.tsv: 147 rows where the test set has 146");
    assert_eq!(said_of("AX.tsv", b"index\tprediction\n"), ["rejected: AX.tsv: 0 rows where the test set has 1104"]);
    let found = said_of("AX.tsv", b"");
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("rejected: AX.tsv:1: the header is `` ("), "{found:?}");
}

#[test]
fn labels_of_another_kind_are_named_once_with_their_number() {
    let found = said(|lines| {
        for line in &mut lines[3..] {
            line.push_str(".0");
        }
    });
    assert_eq!(
        found,
        ["rejected: WNLI.tsv:4: unknown label `0.0`, and 143 more such lines (known: 0, 1)"],
        "counted from line 4"
    );
    let rows: Vec<String> =
        (0..3000).map(|index| format!("{index}\t{}", ["entailment", "Not_Entailment"][index % 2])).collect();
    assert_eq!(
        said_of("RTE.tsv", format!("index\tprediction\n{}", rows.join("\n")).as_bytes()),
        [
            "rejected: RTE.tsv:3: unknown label `Not_Entailment`, and 1499 more such lines (did you mean `not_entailment`?)"
        ]
    );
    let found = said_of("RTE.tsv", b"index\tprediction\n0\t0\n1\t\xff\n");
    assert!(found[0].ends_with(":2: unknown label `0`, and one more such line (known: entailment, not_entailment)"));
}

#[test]
fn scores_are_numbers_on_the_scale() {
    let check = |scores: [&str; 3]| {
        let rows: Vec<String> = (0..1379).map(|index| format!("{index}\t{}", scores[index % 3])).collect();
        said_of("STS-B.tsv", format!("index\tprediction\n{}", rows.join("\n")).as_bytes())
    };
    assert_eq!(check(["0.0", "5", "3.25e0"]), [""; 0]);
    let found = check(["5.01", "-0.5", "1"]);
    assert_eq!(
        found,
        [
            "rejected: STS-B.tsv:2: the score `5.01` is not between 0 and 5, and 919 more such lines (below the scale write 0, above it 5)"
        ]
    );
    for wrong in ["nan", "inf", "", "1,5", "entailment", " 1"] {
        let found = check([wrong, "1", "2"]);
        assert_eq!(
            found,
            [format!("rejected: STS-B.tsv:2: the score `{wrong}` is not a number, and 459 more such lines")]
        );
    }
}

#[test]
fn what_only_some_readers_take_is_suspicious() {
    let crlf = wnli().join("\r\n") + "\r\n";
    let found = said_of("WNLI.tsv", crlf.as_bytes());
    assert!(
        found.len() == 1 && found[0].starts_with("suspicious: WNLI.tsv:1: the line ends with CR LF, and 146 more"),
        "{found:?}"
    );
    let marked = format!("\u{feff}{}", wnli().join("\n"));
    let found = said_of("WNLI.tsv", marked.as_bytes());
    assert!(found.len() == 1 && found[0].starts_with("suspicious: WNLI.tsv: the file begins with a byte order"));
    assert_eq!(said(|lines| lines.insert(9, String::new())), ["suspicious: WNLI.tsv:10: a blank line"]);
    let constant: Vec<String> = (0..146).map(|index| format!("{index}\t0")).collect();
    let found = said_of("WNLI.tsv", format!("index\tprediction\n{}", constant.join("\n")).as_bytes());
    assert_eq!(found, ["suspicious: WNLI.tsv: every prediction is `0` (fine for a task that was not trained)"]);
    let found = said_of("WNLI.tsv", b"\xff\xfei\0n\0");
    assert_eq!(found, ["rejected: WNLI.tsv: the file is UTF-16 (save it as UTF-8)"]);
    let found = said(|lines| lines[2].push_str("\tmore"));
    assert!(found[0].starts_with("rejected: WNLI.tsv:3: 3 columns where 2 were expected"), "{found:?}");
}
