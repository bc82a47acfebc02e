//! Files of every kind, from bytes to sentences.

use proptest::prelude::*;

use super::super::Separator;
use super::*;

const DEFAULT: Columns = Columns::ANY;

fn read_as(bytes: &[u8], format: &Columns, bad_rows: BadRows) -> Result<Sentences, String> {
    sentences_of(bytes, Path::new("x.txt"), format, true, bad_rows).map_err(|found| found.to_string())
}

fn read(text: &str) -> Sentences {
    read_as(text.as_bytes(), &DEFAULT, BadRows::Refuse).unwrap()
}

fn refused(text: &str) -> String {
    read_as(text.as_bytes(), &DEFAULT, BadRows::Refuse).unwrap_err()
}

/// `word/tag word/tag` and the document of each sentence.
fn shown(sentences: &Sentences) -> Vec<(String, u32)> {
    let pairs = |one: &Sentence| one.words.iter().zip(&one.tags).map(|(w, t)| format!("{w}/{t}")).collect::<Vec<_>>();
    sentences.sentences.iter().map(|one| (pairs(one).join(" "), one.document)).collect()
}

/// As the original CoNLL-2003 files are: IOB1, documents, blank lines at the end.
const CONLL: &str = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\n\n\
                     Peter NNP I-NP I-PER\nMarie NNP I-NP B-PER\n\n-DOCSTART- -X- O O\n\nBonn NNP I-NP I-LOC\n\n\n \n";

#[test]
fn conll_2003_is_read_with_its_documents() {
    let read = read(CONLL);
    let expected = [
        ("EU/B-ORG rejects/O German/B-MISC".to_owned(), 0),
        ("Peter/B-PER Marie/B-PER".to_owned(), 0),
        ("Bonn/B-LOC".to_owned(), 1),
    ];
    assert_eq!(shown(&read), expected);
    assert_eq!(read.skipped, 0);
}

#[test]
fn how_lines_end_and_begin_changes_nothing() {
    let plain = shown(&read(CONLL));
    for text in [
        CONLL.replace('\n', "\r\n"),
        format!("\u{feff}{CONLL}"),
        CONLL.trim_end().to_owned(),
        CONLL.replace(' ', "\t"),
        CONLL.replace(' ', "  "),
        CONLL.replace("\n\n", "\n \t\n"),
        format!("\n\n{CONLL}"),
        CONLL.replace("\n\n", "\n\n\n\n"),
        // A marker without blank lines around it parts sentences too.
        CONLL.replace("O O\n\n", "O O\n"),
    ] {
        assert_eq!(shown(&read(&text)), plain, "{text:?}");
    }
}

#[test]
fn documents_without_sentences_do_not_count_and_a_file_without_documents_is_one() {
    let documents = |text: &str| read(text).sentences.iter().map(|one| one.document).collect::<Vec<_>>();
    assert_eq!(documents("-DOCSTART- O\n\n-DOCSTART- O\n\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n"), [0, 0, 1]);
    assert_eq!(documents("a O\n\n-DOCSTART-\n\nb O\n"), [0, 1]);
    assert_eq!(documents("a O\n\nb O\n"), [0, 0]);
}

#[test]
fn chinese_characters_and_spaces_are_words() {
    let found = read("科 B-ORG\n  M-ORG\n\u{3000} M-ORG\n\u{a0} M-ORG\n技 E-ORG\n\n国 S-LOC\n");
    let words = &found.sentences[0].words;
    assert_eq!(words, &["科", " ", "\u{3000}", "\u{a0}", "技"]);
    assert_eq!(found.sentences.len(), 2);
    let found = read("科\tB-ORG\n \tO\n\tO\n技\tI-ORG\n");
    assert_eq!(found.sentences[0].words, ["科", " ", " ", "技"]);
    let long = "字 O\n".repeat(2000);
    assert_eq!(read(&long).sentences[0].words.len(), 2000);
}

#[test]
fn weibo_characters_lose_their_number() {
    let format = Columns { segmentation_digit: true, ..DEFAULT };
    let text = "科0\tB-ORG.NAM\n技1\tI-ORG.NAM\n20\tO\n\u{fffd}\u{fffd}0\tO\n";
    let found = read_as(text.as_bytes(), &format, BadRows::Refuse).unwrap();
    assert_eq!(found.sentences[0].words, ["科", "技", "2", "\u{fffd}\u{fffd}"]);
    assert_eq!(
        read_as("科0\tO\n技\tO\n".as_bytes(), &format, BadRows::Refuse).unwrap_err(),
        "x.txt:2: no number follows the character in `技` (segmentation_digit says that one does, as in `科0`; \
         `--skip-bad-rows` skips and counts the sentence)"
    );
}

#[test]
fn columns_are_chosen() {
    let format = Columns { token_column: 2, tag_column: Some(3), ..DEFAULT };
    let found = read_as(b"1 EU B-ORG x\n2 in O x\n", &format, BadRows::Refuse).unwrap();
    assert_eq!(shown(&found)[0].0, "EU/B-ORG in/O");
    let same = Columns { token_column: 2, tag_column: Some(2), ..DEFAULT };
    let said = read_as(b"a O\n", &same, BadRows::Refuse).unwrap_err();
    assert_eq!(said, "x.txt: column 2 cannot be both the word and the tag (they are `token_column` and `tag_column`)");
    let far = Columns { tag_column: Some(4), ..DEFAULT };
    let said = read_as(b"a O\n", &far, BadRows::Refuse).unwrap_err();
    assert!(said.starts_with("x.txt:1: 2 columns where 4 were expected (the tag is column 4, counted from 1; "));
}

#[test]
fn a_file_without_tags_has_words_alone() {
    let words = |text: &str| {
        let read = sentences_of(text.as_bytes(), Path::new("x.txt"), &DEFAULT, false, BadRows::Refuse).unwrap();
        assert!(read.sentences.iter().all(|one| one.tags.is_empty()));
        read.sentences.into_iter().map(|one| one.words.join("|")).collect::<Vec<_>>()
    };
    assert_eq!(words("科\n技\n\n\u{3000}\n"), ["科|技", "\u{3000}"]);
    assert_eq!(words("-DOCSTART- -X-\n\nEU NNP\nrejects VBZ\n"), ["EU|rejects"]);
    // Tags that nobody asked for may be anything.
    assert_eq!(words("EU ?\n  ?\n"), ["EU| "]);
}

#[test]
fn bad_lines_are_named() {
    const SKIP: &str = "`--skip-bad-rows` skips and counts the sentence";
    for (text, expected) in [
        (
            "a O\n\nb\n",
            "3: 1 column where 2 were expected (a line is a word and its tag, with a space or a tab between them; ",
        ),
        (
            "EU NNP I-NP O\nin IN O\n",
            "2: 3 columns where 4 were expected (every line has as many columns as the file's first; ",
        ),
        ("a PER\n", "1: `PER` is not a tag (a tag is O, or a prefix and a type such as B-PER; "),
        ("a O\nb B-\n", "2: `B-` is not a tag (a tag is O, or a prefix and a type such as B-PER; "),
        ("a X-PER\n", "1: the tag `X-PER` has an unknown prefix (prefixes are B, I, M, E, S, L, U; "),
    ] {
        assert_eq!(refused(text), format!("x.txt:{expected}{SKIP})"));
    }
    let iob2 = Columns { scheme: Scheme::Iob2, ..DEFAULT };
    let said = read_as(b"a M-PER\n", &iob2, BadRows::Refuse).unwrap_err();
    assert_eq!(
        said,
        format!("x.txt:1: the tag `M-PER` has a prefix that iob2 does not have (prefixes are B, I; {SKIP})")
    );
    // Three columns throughout are fine: the last one is the tag.
    assert_eq!(shown(&read("a b O\n"))[0].0, "a/O");
    let long = format!("a {}\n", "x".repeat(1000));
    assert!(refused(&long).len() < 200);
}

#[test]
fn tags_are_checked_against_the_scheme() {
    let said = |tag, scheme| check(tag, scheme).unwrap_err().message;
    for tag in ["O", "B-PER", "I-PER.NAM", "I-A-B", "B--"] {
        assert_eq!(check(tag, Scheme::Iob1), Ok(()), "{tag}");
    }
    for tag in ["", "PER", "B", "B-", "-PER", "o", "0", "B_PER", "B-\u{3000}", "B-A B"] {
        assert_eq!(said(tag, Scheme::Auto), format!("`{tag}` is not a tag"));
    }
    assert_eq!(check("M-X", Scheme::Auto), Ok(()));
    assert_eq!(said("M-X", Scheme::Iob2), "the tag `M-X` has a prefix that iob2 does not have");
    assert_eq!(said("b-X", Scheme::Auto), "the tag `b-X` has an unknown prefix");
}

#[test]
fn files_without_a_sentence_are_refused() {
    for text in ["", "\n\n", "\u{feff}", "-DOCSTART- -X- O O\n"] {
        assert_eq!(refused(text), "x.txt: the file has no sentences (was its download cut short?)", "{text:?}");
    }
    assert_eq!(refused("a PER\n").split(' ').next(), Some("x.txt:1:"));
    assert_eq!(
        read_as(b"a PER\n\nb PER\n", &DEFAULT, BadRows::Skip).unwrap_err(),
        "x.txt: none of the file's 2 sentences can be read (without `--skip-bad-rows` the first bad line is explained)"
    );
    let utf_16: Vec<u8> = "\u{feff}a O\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_as(&utf_16, &DEFAULT, BadRows::Skip).unwrap_err(), "x.txt: the file is UTF-16 (save it as UTF-8)");
}

#[test]
fn a_bad_line_takes_its_whole_sentence_with_it_and_no_other() {
    let text = "-DOCSTART- O\n\na O\n\nb O\nc PER\nd O\n\n-DOCSTART- O\n\ne\n\n-DOCSTART- O\n\nf O\n";
    let found = read_as(text.as_bytes(), &DEFAULT, BadRows::Skip).unwrap();
    assert_eq!(shown(&found), [("a/O".to_owned(), 0), ("f/O".to_owned(), 2)]);
    assert_eq!(found.skipped, 2);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_or_replaced() {
    let bytes = b"a O\n\nb\xe9 B-X\n\xff I-X\n\nc O\n";
    assert_eq!(
        read_as(bytes, &DEFAULT, BadRows::Refuse).unwrap_err(),
        "x.txt:3: the line is not valid UTF-8 (`--lossy` reads such bytes as U+FFFD; \
         `--skip-bad-rows` skips and counts the sentence; or save the file as UTF-8)"
    );
    let lossy = read_as(bytes, &Columns { lossy: true, ..DEFAULT }, BadRows::Refuse).unwrap();
    assert_eq!(shown(&lossy)[1].0, "b\u{fffd}/B-X \u{fffd}/I-X");
    assert_eq!((lossy.replaced, lossy.skipped), (2, 0));
    let skipped = read_as(bytes, &DEFAULT, BadRows::Skip).unwrap();
    assert_eq!((skipped.sentences.len(), skipped.skipped, skipped.replaced), (2, 1, 0));
}

proptest! {
    /// Whatever the bytes, an answer; and what is read has a tag a word, none of them empty, in IOB2.
    #[test]
    fn any_bytes_are_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            &b"a"[..], b"O", b"B-X", b"I-X", b"M-X", b"E-Y", b"S-X", b" ", b" ", b"\t", b"\n", b"\n\n", b"\r\n",
            b"\0", b"\xe9", b"\xc3\xa9", b"\xe3\x80\x80", b"\xef\xbb\xbf", b"-DOCSTART-", b"0", b" O\n", b"\tO\n",
        ]), 0..60),
        separator in prop::sample::select(vec![Separator::Any, Separator::Space, Separator::Tab]),
        token_column in 1_u32..4,
        tag_column in prop::option::of(1_u32..4),
        segmentation_digit in any::<bool>(),
        lossy in any::<bool>(),
        labelled in any::<bool>(),
    ) {
        let format = Columns { separator, scheme: Scheme::Auto, token_column, tag_column, segmentation_digit, lossy };
        for bad_rows in [BadRows::Refuse, BadRows::Skip] {
            let Ok(read) = sentences_of(&parts.concat(), Path::new("x.txt"), &format, labelled, bad_rows) else { continue };
            prop_assert!(!read.sentences.is_empty());
            for sentence in &read.sentences {
                prop_assert!(!sentence.words.is_empty() && sentence.words.iter().all(|word| !word.is_empty()));
                prop_assert_eq!(sentence.tags.len(), if labelled { sentence.words.len() } else { 0 });
                for (at, tag) in sentence.tags.iter().enumerate() {
                    let before = at.checked_sub(1).map_or("O", |at| &sentence.tags[at]);
                    let goes_on = |kind: &str| before.get(1..) == Some(kind) && before.starts_with(['B', 'I']);
                    prop_assert!(**tag == *"O" || tag.starts_with("B-") || goes_on(&tag[1..]), "{:?}", sentence.tags);
                }
            }
        }
    }
}

#[test]
fn a_carriage_return_ends_a_line_with_its_line_feed_or_is_refused() {
    let bare = "-DOCSTART-\n\nEU B-ORG\n\n-DOCSTART-\n\nBonn B-LOC\n";
    assert_eq!(shown(&read(&bare.replace('\n', "\r\n"))), shown(&read(bare)));
    let swapped = Columns { token_column: 2, tag_column: Some(1), ..DEFAULT };
    let crlf = b"O -DOCSTART-\r\n\r\nO EU\r\n";
    assert_eq!(read_as(crlf, &swapped, BadRows::Refuse).unwrap().sentences[0].words, ["EU"]);
    let alone = "a carriage return (CR) stands alone within the line (lines end with LF or CRLF: save the file with such \
                 line ends; `--skip-bad-rows` skips and counts the sentence)";
    assert_eq!(refused("EU B-ORG\rrejects O\r\rBonn B-LOC\r"), format!("x.txt:1: {alone}"));
    assert_eq!(refused("EU B-ORG\n\nBonn\r B-LOC\n"), format!("x.txt:3: {alone}"));
    assert_eq!(refused("EU B-ORG\r\n\r\r\nBonn B-LOC\n"), format!("x.txt:2: {alone}"));
    let skipped = read_as(b"EU\rx B-ORG\n\nBonn B-LOC\n", &DEFAULT, BadRows::Skip).unwrap();
    assert_eq!((skipped.sentences.len(), skipped.skipped), (1, 1));
}
