//! Which words a sequence is there for, and which it shows.

use std::ops::Range;

use super::pieces::Pieces;

/// Divides the words of a sentence into as few stretches as fit into `room` tokens each, and these as equal as
/// whole words allow, so that no word is left at an edge without context on one side.
pub(super) fn parts(pieces: &Pieces, sentence: Range<usize>, room: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = sentence.start;
    while start < sentence.end {
        let left = pieces.tokens(start, sentence.end);
        // The share of the next part, were the rest divided evenly. No word is longer than the room, but one
        // may be longer than the share.
        let share = left.div_ceil(left.div_ceil(room));
        let mut end = start + 1;
        while end < sentence.end && pieces.tokens(start, end + 1) <= share {
            end += 1;
        }
        parts.push(start..end);
        start = end;
    }
    parts
}

/// The words that the sequence for `part` shows: those of `scope` around it that fit into `room` tokens with it,
/// as many on one side as on the other where both have enough.
pub(super) fn window(pieces: &Pieces, part: Range<usize>, scope: Range<usize>, room: usize) -> Range<usize> {
    let Range { mut start, mut end } = part;
    let mut left = room.saturating_sub(pieces.tokens(start, end));
    let before = |start: &mut usize, mut budget: usize| {
        let from = *start;
        while *start > scope.start && pieces.of(*start - 1).len() <= budget {
            *start -= 1;
            budget -= pieces.of(*start).len();
        }
        pieces.tokens(*start, from)
    };
    left -= before(&mut start, left / 2);
    while end < scope.end && pieces.of(end).len() <= left {
        left -= pieces.of(end).len();
        end += 1;
    }
    // What the words after the part have left over, at the end of a document for one.
    before(&mut start, left);
    start..end
}
