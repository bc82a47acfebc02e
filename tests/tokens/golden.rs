//! The golden files: digests of blocks of lines, and the lines on which the references differ.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use bertbench::checksum::sha256;
use bertbench::text::Tokenizer;
use rayon::prelude::*;
use serde_json::Value;

/// Ids and where they stand.
pub type Encoded = (Vec<u32>, Vec<Range<usize>>);

/// All lines, by our tokenizer.
pub fn encode<T: AsRef<str> + Sync>(tokenizer: &Tokenizer, lines: &[T]) -> Vec<Encoded> {
    lines.par_iter().map(|line| tokenizer.encode_with_offsets(line.as_ref()).unwrap()).collect()
}

/// `id:start:end` of each token.
pub fn exact((ids, offsets): &Encoded) -> String {
    let tokens = ids.iter().zip(offsets).map(|(id, range)| format!("{id}:{}:{}", range.start, range.end));
    tokens.collect::<Vec<_>>().join(" ") + "\n"
}

/// The ids, or `-` for a line of which Google's are others.
pub fn ids_unless(left_out: bool, (ids, _): &Encoded) -> String {
    if left_out {
        return "-\n".into();
    }
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ") + "\n"
}

/// Eight digits of the SHA-256 of texts put together.
pub fn digest(texts: &[String]) -> String {
    sha256(texts.concat().as_bytes())[..8].to_owned()
}

/// `x*3 y` as x, x, x, y.
pub fn digests(of: &Value) -> Vec<&str> {
    let runs = text(of).split(' ').map(|run| run.split_once('*').unwrap_or((run, "1")));
    runs.flat_map(|(one, count)| std::iter::repeat_n(one, count.parse().unwrap())).collect()
}

/// Compares texts with the digests of their blocks, and shows the first block that is wrong.
pub fn assert_blocks(texts: &[String], size: usize, expected: &[&str], what: &str) {
    assert_eq!(texts.len().div_ceil(size), expected.len(), "{what}: blocks");
    let wrong: Vec<usize> =
        texts.chunks(size).zip(expected).enumerate().filter(|(_, (a, b))| digest(a) != **b).map(|(i, _)| i).collect();
    let mut shown = String::new();
    if let Some(first) = wrong.first() {
        for (i, text) in texts.chunks(size).nth(*first).unwrap().iter().enumerate().take(300) {
            write!(shown, "{}: {text}", first * size + i).unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "{what}: {} of {} blocks differ; the first, as we have it:\n{shown}",
        wrong.len(),
        expected.len()
    );
}

/// `A-C 2F` as the numbers from A to C and 2F.
pub fn codes(of: &Value) -> Vec<u32> {
    let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).unwrap();
    let ranges = text(of).split(' ').map(|range| range.split_once('-').unwrap_or((range, range)));
    ranges.flat_map(|(first, last)| hexadecimal(first)..=hexadecimal(last)).collect()
}

/// The lines on which the references differ, each with the bits of its classes.
pub fn differing(of: &Value) -> BTreeMap<usize, u8> {
    let mut line = 0;
    let steps = text(of).split(' ').filter(|step| !step.is_empty());
    steps
        .map(|step| {
            let (since_the_last, classes) = step.split_once('.').unwrap();
            line += since_the_last.parse::<usize>().unwrap();
            (line, u8::from_str_radix(classes, 16).unwrap())
        })
        .collect()
}

pub fn text(of: &Value) -> &str {
    of.as_str().unwrap()
}

pub fn number(of: &Value) -> usize {
    usize::try_from(of.as_u64().unwrap()).unwrap()
}
