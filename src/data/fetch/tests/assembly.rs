//! MRPC made of the corpus's files: what GLUE's script writes, and what the reader of those files reads.

use super::super::{FetchError, Lock, Outcome, Trust};
use super::manifest;
use super::network::{fetched, settings};
use crate::data::{BadRows, Dataset, Manifest};
use crate::download::server::Server;

const TRAIN: &str = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n\
    1\t702876\t702977\tAmrozi accused \"him\" .\tReferring to him , Amrozi .\r\n\
    0\t2108705\t2108831\tYucaipa owned D.\tYucaipa bought D.  \r\n\
    1\t1330381\t1330521\tThey had published.\tOn June 10.\r\n\
    0\t977938\t702977\tA \u{a0}b\tc\r\n";
const TEST: &str = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\ta\tb\n0\t3\t4\tc \"d\te";
const DEV_IDS: &str = "2108705\t2108831\n702977\t702876\n977938\t702977\n9\t9\n";

/// `format_mrpc` of GLUE's script for the texts above, written out by hand.
const EXPECTED: [(&str, &str); 3] = [
    (
        "train.tsv",
        "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n\
         1\t702876\t702977\tAmrozi accused \"him\" .\tReferring to him , Amrozi .\n\
         1\t1330381\t1330521\tThey had published.\tOn June 10.\n",
    ),
    (
        "dev.tsv",
        "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n\
         0\t2108705\t2108831\tYucaipa owned D.\tYucaipa bought D.\n\
         0\t977938\t702977\tA \u{a0}b\tc\n",
    ),
    ("test.tsv", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta\tb\n1\t3\t4\tc \"d\te\n"),
];

fn served(train: &str, test: &str, ids: &str) -> (Server, Manifest) {
    let files = [
        ("/x/msr_paraphrase_train.txt", train.as_bytes()),
        ("/x/msr_paraphrase_test.txt", test.as_bytes()),
        ("/x/mrpc_dev_ids.tsv", ids.as_bytes()),
    ];
    let server = Server::with(&files);
    let address = &server.address;
    let addresses = format!(
        "fetch:\n  download:\n    files:\n      - url: {address}/x/msr_paraphrase_train.txt\n      \
         - url: {address}/x/msr_paraphrase_test.txt\n      \
         - {{url: '{address}/x/mrpc_dev_ids.tsv', as: dev_ids.tsv}}\n    assemble: mrpc"
    );
    let manifest = manifest("mrpc", &addresses);
    (server, Manifest { folder: "MRPC".to_owned(), ..manifest })
}

#[test]
fn the_files_are_those_of_glue_s_script_and_read_as_the_corpus_is() {
    let root = tempfile::tempdir().unwrap();
    let (_server, manifest) = served(TRAIN, TEST, DEV_IDS);
    let Outcome::Fetched { files, .. } = fetched(&manifest, &settings(root.path())).unwrap() else { panic!("there") };
    assert_eq!(files, 6);
    let folder = root.path().join("MRPC");
    for (name, text) in EXPECTED {
        assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), text, "{name}");
    }
    assert_eq!(Lock::read(&folder).files["dev.tsv"].trust, Trust::FirstUse);
    let mrpc = Dataset::find("mrpc").unwrap();
    let read = |split: &str| mrpc.read(root.path(), mrpc.split(split).unwrap(), BadRows::Refuse).unwrap();
    let assembled: Vec<_> = ["train", "dev", "test"].into_iter().map(read).collect();
    for (name, _) in EXPECTED {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    for (assembled, corpus) in assembled.into_iter().zip(["train", "dev", "test"].into_iter().map(read)) {
        let texts = |split: crate::data::Split| -> Vec<_> {
            // The script removes white space at a row's end; the reader of the corpus leaves it.
            let end = |text: Option<String>| text.map(|text| text.trim_end().to_owned());
            split.examples.into_iter().map(|one| (one.first, end(one.second), one.label)).collect()
        };
        assert_eq!(texts(assembled), texts(corpus));
    }
}

#[test]
fn what_was_made_is_made_again_without_a_transfer() {
    let root = tempfile::tempdir().unwrap();
    let (server, manifest) = served(TRAIN, TEST, DEV_IDS);
    fetched(&manifest, &settings(root.path())).unwrap();
    server.requests();
    std::fs::remove_file(root.path().join("MRPC/dev.tsv")).unwrap();
    let ended = fetched(&manifest, &settings(root.path())).unwrap();
    assert!(matches!(ended, Outcome::Fetched { files: 1, trusted: 0, .. }), "{ended:?}");
    assert!(server.requests().is_empty());
    assert_eq!(std::fs::read_to_string(root.path().join("MRPC/dev.tsv")).unwrap(), EXPECTED[1].1);
}

#[test]
fn other_files_are_refused_and_nothing_is_kept() {
    for (train, ids, why) in [
        (&TRAIN.replace("1\t702876", "702876")[..], DEV_IDS, "msr_paraphrase_train.txt.part:2: 4 columns where 5"),
        (TRAIN, "1\t1\n", "no pair of ids of this file is in msr_paraphrase_train.txt"),
        ("", DEV_IDS, "the file is empty"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let (_server, manifest) = served(train, TEST, ids);
        let error = fetched(&manifest, &settings(root.path())).unwrap_err();
        assert!(matches!(error, FetchError::Assembly(_)) && error.to_string().contains(why), "{error}");
        assert!(!root.path().join("MRPC").exists());
    }
}
