use std::collections::BTreeSet;

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{DecoderWrapper, Model, TokenizerImpl};

use super::*;
use crate::corpus::examples::tests::world::Blocks;
use crate::corpus::examples::{PassageKind, Passages};
use crate::realdata::real_data;
use crate::text::SpecialTokens;

/// Lines of text, in blocks of so many.
fn blocks(lines: &[&str], at_once: usize) -> Blocks {
    let block = |lines: &[&str]| {
        let mut block = Passages::new(PassageKind::Sentence);
        for line in lines {
            block.push(line);
        }
        block
    };
    Blocks(lines.chunks(at_once).map(block).collect())
}

fn counts(lines: &[&str], lower_case: bool) -> WordCounts {
    WordCounts::of(&mut blocks(lines, 7), lower_case, &mut |_| {}).unwrap()
}

fn settings(size: u32, min_frequency: u64) -> VocabularySettings {
    VocabularySettings { size, rows: SpecialRows::SpecialOnly, characters: None, min_frequency }
}

fn wikitext() -> Option<String> {
    Some(std::fs::read_to_string(real_data("wikitext2/wiki.valid.tokens")?).unwrap())
}

#[test]
fn words_are_cut_as_the_tokeniser_cuts_them() {
    let found = counts(&["Résumé, résumé!", "中国 résumé", &"x".repeat(101)], true).words();
    let expected = [("!", 1), (",", 1), ("resume", 3), ("中", 1), ("国", 1)];
    assert_eq!(found, expected.map(|(word, count)| (word.to_owned(), count)));
    assert_eq!(counts(&["Résumé"], false).words(), [("Résumé".to_owned(), 1)]);
}

/// By hand. Words: ab ×5, abc ×3, bc ×4. Pairs: (a, ##b) 8, (##b, ##c) 3, (b, ##c) 4. First ab; then (ab, ##c) has 3
/// and (b, ##c) 4: bc, abc.
#[test]
fn the_most_frequent_pair_is_joined_first() {
    let corpus = "ab ab ab ab ab abc abc abc bc bc bc bc";
    let learned = train_vocabulary(&counts(&[corpus], true), &settings(100, 1)).unwrap();
    assert_eq!(learned.tokens[5..], ["a", "b", "c", "##b", "##c", "ab", "bc", "abc"]);
    assert!(learned.to_text().starts_with("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"));
    let fewer =
        |size, min_frequency| train_vocabulary(&counts(&[corpus], true), &settings(size, min_frequency)).unwrap();
    assert_eq!(fewer(11, 1).tokens[5..], ["a", "b", "c", "##b", "##c", "ab"]);
    assert_eq!(fewer(100, 4).tokens[5..], ["a", "b", "c", "##b", "##c", "ab", "bc"]);
}

#[test]
fn runs_of_one_character_are_joined_from_the_left() {
    let learned = train_vocabulary(&counts(&["aaaaa aaaaa aaaaa"], true), &settings(100, 2)).unwrap();
    // a ##a ##a ##a ##a: (##a, ##a) 9 times with overlaps, then a ##aa ##aa: (a, ##aa) before (##aa, ##aa) by age.
    assert_eq!(learned.tokens[5..], ["a", "##a", "##aa", "aaa", "aaaaa"]);
}

#[test]
fn rare_characters_are_no_tokens_and_their_words_are_counted() {
    let lines = ["the the the tea tea é"];
    let learned =
        train_vocabulary(&counts(&lines, false), &VocabularySettings { characters: Some(3), ..settings(100, 2) });
    let learned = learned.unwrap();
    // e and t five times, h three, a two, é once.
    assert_eq!(learned.tokens[5..9], ["e", "h", "t", "##e"]);
    assert_eq!(learned.words_left_out, 3);
    assert!(learned.tokens.iter().all(|token| !token.contains('a') && !token.contains('é')));
}

#[test]
fn special_rows_are_googles() {
    for (name, rows, first_learned) in
        [("uncased", SpecialRows::Google, 999), ("chinese", SpecialRows::GoogleChinese, 106)]
    {
        let Some(published) = real_data(&format!("vocab/bert-base-{name}-vocab.txt")) else { continue };
        let text = std::fs::read_to_string(published).unwrap();
        let published: Vec<&str> = text.split('\n').take(first_learned + 1).collect();
        assert_eq!(rows.tokens(), published[..first_learned], "{name}");
        assert_eq!(published[first_learned], "!", "{name}");
    }
    assert_eq!(SpecialRows::SpecialOnly.tokens(), SpecialTokens::NAMES);
}

#[test]
fn what_cannot_be_learned_is_an_error() {
    let said = |counts: &WordCounts, size| train_vocabulary(counts, &settings(size, 1)).unwrap_err().to_string();
    assert_eq!(said(&WordCounts::default(), 100), "the corpus has no text");
    assert_eq!(
        said(&counts(&["ab"], true), 7),
        "7 tokens are too few: 5 special rows and 3 characters need 8 \
         (a larger `--vocab-size`, fewer `--characters`, or `--no-unused` rows)"
    );
}

#[test]
fn rare_words_are_dropped_when_there_are_too_many() {
    let lines: Vec<String> = (0..1000).map(|number| format!("the w{number}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = WordCounts::within(&mut blocks(&lines, 7), true, 200, &mut |_| {}).unwrap();
    // Two times 64 blocks of 7 lines were too much for it, the last 104 lines were not.
    assert_eq!((found.words().len(), found.dropped()), (105, 896));
    assert!(found.words().iter().any(|(word, _)| word == "w999"));
    let the = found.words().into_iter().find(|(word, _)| word == "the").unwrap();
    assert_eq!(the.1, 1000);
}

#[test]
fn threads_and_blocks_change_nothing() {
    let Some(text) = wikitext() else { return };
    let lines: Vec<&str> = text.lines().collect();
    let learn = |threads: usize, at_once: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let counts = WordCounts::of(&mut blocks(&lines, at_once), true, &mut |_| {}).unwrap();
            train_vocabulary(&counts, &settings(5000, 2)).unwrap()
        })
    };
    let one = learn(1, 100);
    assert_eq!(one.tokens.len(), 5000);
    assert_eq!(one, learn(4, 33));
}

/// The trainer of the `tokenizers` crate breaks ties by chance, so that its own results differ from time to time; on
/// `WikiText`-2's validation text 5,000 tokens are the same but for a few at the end of the list.
#[test]
fn the_crates_own_trainer_learns_nearly_the_same() {
    let Some(text) = wikitext() else { return };
    let lines: Vec<&str> = text.lines().collect();
    let ours = train_vocabulary(&counts(&lines, true), &settings(5000, 2)).unwrap();
    let special = SpecialTokens::NAMES.map(|name| tokenizers::AddedToken::from(name, true)).to_vec();
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(5000)
        .min_frequency(2)
        .special_tokens(special)
        .show_progress(false)
        .build();
    let mut theirs: TokenizerImpl<WordPiece, BertNormalizer, BertPreTokenizer, BertProcessing, DecoderWrapper> =
        TokenizerImpl::new(WordPiece::default());
    theirs.with_normalizer(Some(BertNormalizer::default())).unwrap();
    theirs.with_pre_tokenizer(Some(BertPreTokenizer));
    theirs.train(&mut trainer, lines.iter()).unwrap();
    let theirs: BTreeSet<String> = theirs.get_model().get_vocab().into_keys().collect();
    let ours: BTreeSet<String> = ours.tokens.into_iter().collect();
    let common = ours.intersection(&theirs).count();
    println!("{common} of {} tokens are also in the {} of the crate's trainer", ours.len(), theirs.len());
    assert!(common >= 4950, "{common}");
}
