//! Tags of any scheme to those of IOB2, and which scheme a file has.

use std::collections::HashSet;
use std::sync::Arc;

use super::Scheme;
use crate::metric::{Entity, entities};

/// The schemes that a file can have; of those that fit equally well the first is taken.
const SCHEMES: [Scheme; 3] = [Scheme::Iob2, Scheme::Iob1, Scheme::Bioes];
const OUTSIDE: &str = "O";

/// Why a text is no tag of a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTag {
    /// No hyphen after a prefix, no type after the hyphen, or white space.
    Malformed,
    /// The prefix is none of the scheme's.
    UnknownPrefix,
}

impl Scheme {
    /// The name in experiment files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Iob1 => "iob1",
            Self::Iob2 => "iob2",
            Self::Bioes => "bioes",
        }
    }

    /// The prefixes of its tags, `O` aside.
    pub(super) const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Iob1 | Self::Iob2 => &["B", "I"],
            Self::Auto | Self::Bioes => &["B", "I", "M", "E", "S", "L", "U"],
        }
    }

    /// Whether `tag` is one of this scheme.
    pub(super) fn check(self, tag: &str) -> Result<(), NoTag> {
        match tag.split_once('-') {
            None if tag == OUTSIDE => Ok(()),
            Some((prefix, kind)) if !prefix.is_empty() && !kind.is_empty() && !tag.contains(char::is_whitespace) => {
                if self.prefixes().contains(&prefix) {
                    Ok(())
                } else {
                    Err(NoTag::UnknownPrefix)
                }
            }
            None | Some(_) => Err(NoTag::Malformed),
        }
    }

    /// The prefix of the word `at` of `entity`; `touches` says whether an entity of the same type ends right
    /// before it.
    fn prefix(self, entity: &Entity<'_>, at: usize, touches: bool) -> &'static str {
        let (first, last) = (at == entity.start, at + 1 == entity.end);
        match self {
            Self::Iob1 if first && touches => "B",
            Self::Iob1 => "I",
            Self::Auto | Self::Iob2 => {
                if first {
                    "B"
                } else {
                    "I"
                }
            }
            Self::Bioes => match (first, last) {
                (true, true) => "S",
                (true, false) => "B",
                (false, true) => "E",
                (false, false) => "I",
            },
        }
    }

    /// Whether two prefixes say the same.
    fn same(self, expected: &str, written: &str) -> bool {
        expected == written
            || (self == Self::Bioes && matches!((expected, written), ("I", "M") | ("E", "L") | ("S", "U")))
    }
}

/// Tags on their way to IOB2.
#[derive(Debug, Default)]
pub(super) struct Converter {
    /// Every tag once; a file has millions of tags and some dozen different ones.
    known: HashSet<Arc<str>>,
    /// For each of [`SCHEMES`], the tags in entities that it would have written otherwise.
    contradictions: [u64; 3],
}

impl Converter {
    /// Whether `tag` was here before.
    pub(super) fn knows(&self, tag: &str) -> bool {
        self.known.contains(tag)
    }

    /// `tag`, sharing its text with all equal ones.
    pub(super) fn shared(&mut self, tag: &str) -> Arc<str> {
        if let Some(tag) = self.known.get(tag) {
            return Arc::clone(tag);
        }
        let tag: Arc<str> = tag.into();
        self.known.insert(Arc::clone(&tag));
        tag
    }

    /// The tags of a sentence in IOB2: its entities as conlleval reads them, which does not depend on the
    /// scheme.
    pub(super) fn convert(&mut self, tags: &[Arc<str>]) -> Vec<Arc<str>> {
        let mut converted = vec![self.shared(OUTSIDE); tags.len()];
        let mut before: Option<Entity<'_>> = None;
        for entity in entities(tags) {
            let touches = before.is_some_and(|before| before.end == entity.start && before.kind == entity.kind);
            let [first, other] = ["B", "I"].map(|prefix| self.shared(&format!("{prefix}-{}", entity.kind)));
            for at in entity.start..entity.end {
                converted[at] = Arc::clone(if at == entity.start { &first } else { &other });
                let written = tags[at].split('-').next().unwrap_or_default();
                for (scheme, contradictions) in SCHEMES.iter().zip(&mut self.contradictions) {
                    let expected = scheme.prefix(&entity, at, touches);
                    *contradictions += u64::from(!scheme.same(expected, written));
                }
            }
            before = Some(entity);
        }
        converted
    }

    /// The scheme of all tags so far, when `asked` was for it, and how many of them contradict it.
    pub(super) fn scheme(&self, asked: Scheme) -> (Scheme, u64) {
        let mut all = SCHEMES.into_iter().zip(self.contradictions);
        let found = match asked {
            // Of equal minima `min_by_key` gives the first.
            Scheme::Auto => all.min_by_key(|(_, contradictions)| *contradictions),
            Scheme::Iob1 | Scheme::Iob2 | Scheme::Bioes => all.find(|(scheme, _)| *scheme == asked),
        };
        found.unwrap_or((asked, 0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared(tags: &str) -> Vec<Arc<str>> {
        tags.split_whitespace().map(Arc::from).collect()
    }

    fn converted(tags: &str) -> (String, Scheme, u64) {
        let mut converter = Converter::default();
        let text = converter.convert(&shared(tags)).join(" ");
        let (scheme, irregular) = converter.scheme(Scheme::Auto);
        (text, scheme, irregular)
    }

    #[test]
    fn the_scheme_is_the_one_that_the_fewest_tags_contradict() {
        for (tags, iob2, scheme, irregular) in [
            ("I-ORG O I-MISC I-MISC", "B-ORG O B-MISC I-MISC", Scheme::Iob1, 0),
            ("I-PER B-PER I-PER I-LOC", "B-PER B-PER I-PER B-LOC", Scheme::Iob1, 0),
            ("B-ORG O B-MISC I-MISC", "B-ORG O B-MISC I-MISC", Scheme::Iob2, 0),
            ("B-X M-X E-X S-X O", "B-X I-X I-X B-X O", Scheme::Bioes, 0),
            ("B-X I-X L-X U-Y O", "B-X I-X I-X B-Y O", Scheme::Bioes, 0),
            ("S-X O", "B-X O", Scheme::Bioes, 0),
            // Nothing tells IOB2 and IOB1 apart.
            ("O O", "O O", Scheme::Iob2, 0),
            ("", "", Scheme::Iob2, 0),
            // Three entities begin with B, one with I.
            ("B-X O B-Y O B-X O I-Y", "B-X O B-Y O B-X O B-Y", Scheme::Iob2, 1),
            ("I-X O I-Y O I-X O B-Y", "B-X O B-Y O B-X O B-Y", Scheme::Iob1, 1),
            // A stray end does not make it BIOES: two words of that would be wrong.
            ("B-X O B-Y I-Y O B-X E-X", "B-X O B-Y I-Y O B-X I-X", Scheme::Iob2, 1),
            ("B-X M-X O M-Y E-Y", "B-X I-X O B-Y I-Y", Scheme::Bioes, 2),
        ] {
            assert_eq!(converted(tags), (iob2.to_owned(), scheme, irregular), "{tags}");
        }
    }

    #[test]
    fn a_scheme_that_is_asked_for_is_taken() {
        let mut converter = Converter::default();
        converter.convert(&shared("I-X I-X O B-X"));
        assert_eq!(converter.scheme(Scheme::Iob2), (Scheme::Iob2, 1));
        assert_eq!(converter.scheme(Scheme::Iob1), (Scheme::Iob1, 1));
        assert_eq!(converter.scheme(Scheme::Bioes), (Scheme::Bioes, 3));
    }

    #[test]
    fn tags_are_checked_against_the_scheme() {
        for tag in ["O", "B-PER", "I-PER.NAM", "I-A-B", "B--"] {
            assert_eq!(Scheme::Iob1.check(tag), Ok(()), "{tag}");
        }
        for tag in ["", "PER", "B", "B-", "-PER", "o", "0", "B_PER", "B-\u{3000}", "B-A B"] {
            assert_eq!(Scheme::Auto.check(tag), Err(NoTag::Malformed), "{tag}");
        }
        assert_eq!((Scheme::Auto.check("M-X"), Scheme::Iob2.check("M-X")), (Ok(()), Err(NoTag::UnknownPrefix)));
        assert_eq!(Scheme::Auto.check("b-X"), Err(NoTag::UnknownPrefix));
    }

    proptest! {
        /// Entities written in each scheme come back as the same entities in IOB2.
        #[test]
        fn every_scheme_survives_the_conversion(
            parts in prop::collection::vec((prop::sample::select(vec!["X", "Y", "Z-1"]), 0_usize..3, 1_usize..4), 1..8),
        ) {
            let (mut entities, mut end) = (Vec::new(), 0);
            for (kind, gap, words) in parts {
                entities.push(Entity { kind, start: end + gap, end: end + gap + words });
                end += gap + words;
            }
            let written = |scheme: Scheme| {
                let mut tags = vec![Arc::<str>::from(OUTSIDE); end + 1];
                let mut before: Option<Entity<'_>> = None;
                for entity in &entities {
                    let touches = before.is_some_and(|one| one.end == entity.start && one.kind == entity.kind);
                    for (at, tag) in tags.iter_mut().enumerate().take(entity.end).skip(entity.start) {
                        *tag = format!("{}-{}", scheme.prefix(entity, at, touches), entity.kind).into();
                    }
                    before = Some(*entity);
                }
                tags
            };
            for scheme in SCHEMES {
                let mut converter = Converter::default();
                prop_assert_eq!(converter.convert(&written(scheme)), written(Scheme::Iob2));
                prop_assert_eq!(converter.scheme(scheme), (scheme, 0));
                prop_assert_eq!(converter.scheme(Scheme::Auto).1, 0);
            }
        }
    }
}
