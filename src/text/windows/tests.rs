use proptest::prelude::*;

use super::*;
use crate::text::tokenizer::tests::small;

/// Windows of at most 8 tokens, 2 apart, with questions of at most 3.
const SMALL: WindowSettings = WindowSettings { max_length: 8, doc_stride: 2, max_query_length: 3 };

fn at(text: &str, start: u32) -> Asked<'_> {
    Asked { text: "the a", paragraph: 0, answer: SpanAnswer::At { text, start } }
}

fn build(context: &str, asked: &[Asked<'_>], settings: WindowSettings, purpose: Purpose) -> Parts {
    Windows::build(&small(true), &[context.to_owned()], asked, settings, purpose).unwrap().parts
}

/// Ids, segments, places and labels.
type Columns<'a> = (&'a [u32], &'a [u8], &'a [[u32; 2]], &'a [f32]);

/// The columns of window `i`.
fn window(windows: &Parts, i: usize) -> Columns<'_> {
    let tokens = windows.offsets[i] as usize..windows.offsets[i + 1] as usize;
    let labels = &windows.labels[2 * i..2 * i + 2];
    (&windows.ids[tokens.clone()], &windows.segments[tokens.clone()], &windows.offset_mapping[tokens], labels)
}

#[test]
fn a_short_context_is_one_window() {
    // The pieces of "unaffable" overlap "ffab" in the second and the third.
    let settings = WindowSettings { max_length: 9, ..SMALL };
    let windows = build("Thé unaffable", &[at("ffab", 7)], settings, Purpose::Training);
    assert_eq!(windows.source_index, [0]);
    let none = NO_OFFSET;
    assert_eq!(
        window(&windows, 0),
        (
            &[2, 15, 18, 3, 15, 5, 6, 7, 3][..],
            &[0, 0, 0, 0, 1, 1, 1, 1, 1][..],
            &[none, none, none, none, [0, 3], [4, 6], [6, 9], [9, 13], none][..],
            &[6.0, 7.0][..],
        )
    );
}

#[test]
fn questions_are_cut_and_what_has_no_answer_is_counted() {
    let asked = [
        Asked { text: "the a the a", ..at("a", 0) },
        Asked { answer: SpanAnswer::Nowhere, ..at("", 0) },
        Asked { answer: SpanAnswer::Unknown, ..at("", 0) },
        at("zebra", 0),
        Asked { paragraph: 1, answer: SpanAnswer::Nowhere, ..at("", 0) },
    ];
    let paragraphs = ["a the".to_owned(), " \t".to_owned()];
    let build = |purpose| Windows::build(&small(true), &paragraphs, &asked, SMALL, purpose).unwrap();
    let training = build(Purpose::Training);
    let parts = &training.parts;
    assert_eq!(parts.source_index, [0, 1]);
    assert_eq!((parts.truncated, training.unfindable, training.unanswered), (1, 1, 1));
    assert_eq!(window(parts, 0).0, [2, 15, 18, 15, 3, 18, 15, 3]);
    assert_eq!(parts.labels, [5.0, 5.0, 0.0, 0.0]);
    let evaluation = build(Purpose::Evaluation);
    assert_eq!(evaluation.parts.source_index, [0, 1, 2, 3]);
    assert!(evaluation.parts.labels[4..].iter().all(|label| label.is_nan()));
    assert_eq!(evaluation.parts.ids[..parts.ids.len()], parts.ids);
    assert_eq!((evaluation.unfindable, evaluation.unanswered), (1, 1));
}

#[test]
fn an_answer_of_characters_that_are_no_token_is_not_found() {
    let asked = [at("\u{200b}", 2)];
    let windows =
        Windows::build(&small(true), &["a \u{200b} the".to_owned()], &asked, SMALL, Purpose::Training).unwrap();
    assert_eq!((windows.parts.source_index.len(), windows.unfindable), (0, 1));
}

#[test]
fn an_accent_belongs_to_the_letter_under_it() {
    // Decomposed accents, at the ends of words and within one; a zero-width space and a blank belong to none.
    let context = "the\u{301}\u{302} a\u{200b}, re\u{301}sume\u{301}";
    let windows =
        build(context, &[at("sume\u{301}", 13)], WindowSettings { max_length: 32, ..SMALL }, Purpose::Training);
    assert_eq!(window(&windows, 0).2[4..8], [[0, 5], [6, 7], [8, 9], [10, 18]]);
    assert_eq!(windows.labels, [7.0, 7.0]);
}

#[test]
fn settings_without_room_are_refused() {
    let refused = |settings| Windows::build(&small(true), &[], &[], settings, Purpose::Training).unwrap_err();
    assert_eq!(
        refused(WindowSettings { max_length: 6, ..SMALL }).to_string(),
        "a max_length of 6 leaves no token of the context beside a max_query_length of 3 \
         (3 tokens of each window are [CLS] and [SEP])"
    );
    assert!(refused(WindowSettings { max_query_length: u32::MAX, ..SMALL }).to_string().starts_with("a max_length"));
    let still = refused(WindowSettings { doc_stride: 0, ..SMALL });
    assert_eq!(still.to_string(), "with a doc_stride of 0 no window comes after the first");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let paragraphs: Vec<String> = (1..40).map(|n| "unaffable the wa, 中a ".repeat(n)).collect();
    let asked: Vec<Asked<'_>> = (0..200).map(|i| Asked { paragraph: i * 7 % 39, ..at("the", 10 + i % 30) }).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Windows::build(&small(true), &paragraphs, &asked, SMALL, Purpose::Training).unwrap())
    };
    let (one, three) = (on(1), on(3));
    let windows = one.parts.source_index.len();
    assert!(one.unfindable > 0 && windows > 1000, "{windows} windows");
    assert_eq!(one.parts, three.parts);
}

/// The loop of `run_squad.py`.
fn as_google_cuts(total: usize, room: usize, stride: usize) -> Vec<(usize, usize)> {
    let (mut spans, mut start) = (Vec::new(), 0);
    while start < total {
        let length = room.min(total - start);
        spans.push((start, length));
        if start + length == total {
            break;
        }
        start += length.min(stride);
    }
    spans
}

proptest! {
    #[test]
    fn windows_are_cut_where_google_cuts_them(total in 0_usize..40, room in 1_u32..12, doc_stride in 1_u32..14) {
        let text = "a ".repeat(total);
        let asked = Asked { text: "", paragraph: 0, answer: SpanAnswer::Nowhere };
        let settings = WindowSettings { max_length: room + 3, doc_stride, max_query_length: 0 };
        let windows = build(&text, &[asked], settings, Purpose::Training);
        let ours: Vec<(usize, usize)> = (0..windows.source_index.len())
            .map(|i| (window(&windows, i).2[2][0] as usize / 2, window(&windows, i).0.len() - 3))
            .collect();
        prop_assert_eq!(ours, as_google_cuts(total, room as usize, doc_stride as usize));
    }
}
