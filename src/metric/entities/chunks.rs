//! Entities in a sequence of tags, whatever the tagging scheme and however odd the sequence.

/// One entity of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity<'a> {
    /// What it is, such as `PER`: the tag without its prefix.
    pub kind: &'a str,
    /// Its first word, from 0.
    pub start: usize,
    /// The word after its last.
    pub end: usize,
}

/// Where a tag says that its word stands in an entity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// `O`, `.`, or no tag of any scheme.
    Outside,
    /// `B`.
    Begin,
    /// `I`, or `M` as Chinese corpora write it. Any other prefix too: it begins an entity where the type
    /// changes, and nowhere else.
    Inside,
    /// `E`, or `L` of BILOU.
    End,
    /// `S`, or `U` of BILOU.
    Single,
    /// `[` and `]`, which conlleval reads as an entity of one word that no `I` of its type goes on with.
    Bracket,
}

use Position::{Begin, Bracket, End, Inside, Outside, Single};

/// A tag in its two parts. A type may hold hyphens, a prefix does not.
fn parse(tag: &str) -> (Position, &str) {
    let (prefix, kind) = tag.split_once('-').unwrap_or((tag, ""));
    let position = match prefix {
        "O" | "." => Outside,
        "B" => Begin,
        "I" | "M" => Inside,
        "E" | "L" => End,
        "S" | "U" => Single,
        "[" | "]" => Bracket,
        _ if kind.is_empty() => Outside,
        _ => Inside,
    };
    // Outside of entities there are no types, so that every tag after it changes the type.
    (position, if position == Outside { "" } else { kind })
}

/// The entities of one sentence, in order; they never overlap.
///
/// An entity begins and ends where conlleval says (Tjong Kim Sang, `conlleval`: `startOfChunk` and
/// `endOfChunk`, in its later form that knows `E` and `S`), which is seqeval's default mode. So `I-X` after `O`
/// or after another type begins an entity, as in IOB1, and `B-X`, `I-X` after `B-X` continue as in IOB2.
/// Where these functions let an entity begin while another one is open, the open one ends there; with the
/// prefixes `B`, `I`, `O`, `E` and `S` that never happens.
#[must_use]
pub fn entities<T: AsRef<str>>(tags: &[T]) -> Vec<Entity<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Entity<'_>> = None;
    let (mut last, mut last_kind) = (Outside, "");
    let tags = tags.iter().map(|tag| parse(tag.as_ref())).chain([(Outside, "")]);
    for (at, (position, kind)) in tags.enumerate() {
        let changed = last_kind != kind;
        let starts = starts(last, position, changed);
        if starts || ends(last, position, changed) {
            found.extend(open.take().map(|entity| Entity { end: at, ..entity }));
        }
        if starts {
            open = Some(Entity { kind, start: at, end: at });
        }
        (last, last_kind) = (position, kind);
    }
    found
}

/// Whether an entity begins at a word, by its position and that of the word before; `changed` says whether their
/// types differ.
fn starts(before: Position, here: Position, changed: bool) -> bool {
    match here {
        Outside => false,
        Begin | Single | Bracket => true,
        Inside | End => changed || matches!(before, Outside | End | Single),
    }
}

/// Whether the entity of the word before ends with it.
fn ends(before: Position, here: Position, changed: bool) -> bool {
    match before {
        Outside => false,
        End | Single | Bracket => true,
        Begin | Inside => changed || matches!(here, Outside | Begin | Single),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(tags: &str) -> Vec<(String, usize, usize)> {
        let tags: Vec<&str> = tags.split_whitespace().collect();
        entities(&tags).into_iter().map(|entity| (entity.kind.to_owned(), entity.start, entity.end)).collect()
    }

    fn expected(list: &[(&str, usize, usize)]) -> Vec<(String, usize, usize)> {
        list.iter().map(|(kind, start, end)| ((*kind).to_owned(), *start, *end)).collect()
    }

    #[test]
    fn every_scheme_gives_the_same_entities() {
        // Two persons side by side, one place of a word, one organisation of three.
        let same = expected(&[("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 5), ("ORG", 5, 8)]);
        for tags in [
            "I-PER I-PER B-PER O I-LOC I-ORG I-ORG I-ORG O",
            "B-PER I-PER B-PER O B-LOC B-ORG I-ORG I-ORG O",
            "B-PER E-PER S-PER O S-LOC B-ORG I-ORG E-ORG O",
            "B-PER E-PER S-PER O S-LOC B-ORG M-ORG E-ORG O",
            "B-PER L-PER U-PER O U-LOC B-ORG I-ORG L-ORG O",
        ] {
            assert_eq!(found(tags), same, "{tags}");
        }
    }

    #[test]
    fn types_may_hold_hyphens_and_a_tag_without_type_is_read() {
        assert_eq!(found("B-PER-NAM I-PER-NAM I-PER"), expected(&[("PER-NAM", 0, 2), ("PER", 2, 3)]));
        assert_eq!(found("B I O I"), expected(&[("", 0, 2), ("", 3, 4)]));
        // Words that are no tags at all stand outside; a prefix of no scheme is inside.
        assert_eq!(found("PER . B-X X-X Y-Z PER"), expected(&[("X", 2, 4), ("Z", 4, 5)]));
        assert_eq!(found(""), []);
    }

    #[test]
    fn brackets_hold_one_word() {
        assert_eq!(found("O [-X O ]-X ]-X"), expected(&[("X", 1, 2), ("X", 3, 4), ("X", 4, 5)]));
        assert_eq!(found("[-X I-X I-Y"), expected(&[("X", 0, 1), ("Y", 2, 3)]));
    }

    proptest! {
        #[test]
        fn entities_of_any_tags_are_in_order_and_within_the_sentence(
            tags in prop::collection::vec("([BIOEMSLU.\\[\\]]-?[XY]?)|\\PC*", 0..12),
        ) {
            let entities = entities(&tags);
            prop_assert!(entities.iter().all(|entity| entity.start < entity.end && entity.end <= tags.len()));
            prop_assert!(entities.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
