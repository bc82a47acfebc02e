//! Tags of any scheme to those of IOB2.

use std::collections::HashSet;
use std::sync::Arc;

use super::Scheme;
use crate::metric::entities;

pub(super) const OUTSIDE: &str = "O";

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
}

/// Tags on their way to IOB2.
#[derive(Debug, Default)]
pub(super) struct Converter {
    /// Every tag once; a file has millions of tags and some dozen different ones.
    known: HashSet<Arc<str>>,
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
        for entity in entities(tags) {
            let [first, other] = ["B", "I"].map(|prefix| self.shared(&format!("{prefix}-{}", entity.kind)));
            converted[entity.start..entity.end].fill(other);
            converted[entity.start] = first;
        }
        converted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metric::Entity;

    #[test]
    fn entities_of_any_scheme_become_those_of_iob2() {
        for (tags, iob2) in [
            ("I-ORG O I-MISC I-MISC", "B-ORG O B-MISC I-MISC"),
            ("I-PER B-PER I-PER I-LOC", "B-PER B-PER I-PER B-LOC"),
            ("B-ORG O B-MISC I-MISC", "B-ORG O B-MISC I-MISC"),
            ("B-X M-X E-X S-X O", "B-X I-X I-X B-X O"),
            ("B-X I-X L-X U-Y O", "B-X I-X I-X B-Y O"),
            ("S-X O", "B-X O"),
            ("O O", "O O"),
            ("", ""),
            ("B-X O B-Y O B-X O I-Y", "B-X O B-Y O B-X O B-Y"),
            ("I-X O I-Y O I-X O B-Y", "B-X O B-Y O B-X O B-Y"),
            ("B-X O B-Y I-Y O B-X E-X", "B-X O B-Y I-Y O B-X I-X"),
            ("B-X M-X O M-Y E-Y", "B-X I-X O B-Y I-Y"),
        ] {
            let written: Vec<Arc<str>> = tags.split_whitespace().map(Arc::from).collect();
            assert_eq!(Converter::default().convert(&written).join(" "), iob2, "{tags}");
        }
    }

    /// The prefix of the word `at` of `entity`; `touches` says whether an entity of the same type ends right before it.
    fn prefix(scheme: Scheme, entity: &Entity<'_>, at: usize, touches: bool) -> &'static str {
        match (scheme, at == entity.start, at + 1 == entity.end) {
            (Scheme::Iob1, first, _) => {
                if first && touches {
                    "B"
                } else {
                    "I"
                }
            }
            (Scheme::Bioes, true, true) => "S",
            (Scheme::Bioes, false, true) => "E",
            (_, true, _) => "B",
            (_, false, _) => "I",
        }
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
                        *tag = format!("{}-{}", prefix(scheme, entity, at, touches), entity.kind).into();
                    }
                    before = Some(*entity);
                }
                tags
            };
            for scheme in [Scheme::Iob1, Scheme::Iob2, Scheme::Bioes] {
                prop_assert_eq!(Converter::default().convert(&written(scheme)), written(Scheme::Iob2));
            }
        }
    }
}
