//! Files with a word and its tags on every line: the two ways to write where an entity begins, and the
//! annotators' mistakes.

use super::bounds::Bound;
use crate::random::Draws;

/// That a word belongs to a chunk or entity: words of one have the same `group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Unlike that of every neighbour.
    pub(super) group: usize,
    /// Such as `PER` or `NP`.
    pub(super) kind: &'static str,
}

/// When a first word is marked as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `B-` only where two entities of one kind touch, as the shared task's files have it.
    Iob1,
    /// `B-` on every first word.
    Iob2,
}

/// The tags of a sentence's words: `O`, or `B-` or `I-` and the kind.
pub(super) fn tags(members: &[Option<Member>], scheme: Scheme) -> Vec<String> {
    let before = std::iter::once(&None).chain(members);
    let tag = |(member, before): (&Option<Member>, &Option<Member>)| {
        let Some(member) = member else { return "O".to_string() };
        let begins = match scheme {
            Scheme::Iob1 => before.is_some_and(|last| last.kind == member.kind && last.group != member.group),
            Scheme::Iob2 => before.is_none_or(|last| last.group != member.group),
        };
        format!("{}-{}", if begins { "B" } else { "I" }, member.kind)
    };
    members.iter().zip(before).map(tag).collect()
}

/// How many entities there are, and how many of them bear a wrong kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// All.
    pub(super) entities: usize,
    /// Those that the annotators took for another kind.
    pub(super) wrong: usize,
}

impl Tally {
    /// The range of the entities' F1: no answer at all scores 0. The rule finds the ends of every entity,
    /// so that precision and recall are both the share of right kinds.
    pub(super) fn bound(self, split: &str) -> Bound {
        let ceiling = (self.entities - self.wrong) as f64 / self.entities.max(1) as f64;
        Bound { metric: "f1".to_string(), split: split.to_string(), majority: 0.0, ceiling }
    }
}

/// Probability that the annotators take an entity for one of another kind.
pub(super) const NOISE: f64 = 0.03;

/// Lets the annotators judge the entities of a sentence, and counts them in `tally`.
pub(super) fn misjudge(
    members: &mut [Option<Member>],
    kinds: &'static [&'static str],
    tally: &mut Tally,
    draws: &mut Draws,
) {
    let mut last = None;
    let mut heard = "";
    for member in members.iter_mut().flatten() {
        if last != Some(member.group) {
            last = Some(member.group);
            tally.entities += 1;
            heard = member.kind;
            if draws.chance(NOISE) {
                tally.wrong += 1;
                let others: Vec<&'static str> = kinds.iter().copied().filter(|kind| *kind != member.kind).collect();
                heard = *draws.pick(&others);
            }
        }
        member.kind = heard;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of touching entities: two people in a row, then a place, then nothing.
    #[test]
    fn beginnings_are_marked_as_each_scheme_says() {
        let member = |group, kind| Some(Member { group, kind });
        let members = [None, member(1, "PER"), member(1, "PER"), member(2, "PER"), member(3, "LOC"), None];
        assert_eq!(tags(&members, Scheme::Iob1), ["O", "I-PER", "I-PER", "B-PER", "I-LOC", "O"]);
        assert_eq!(tags(&members, Scheme::Iob2), ["O", "B-PER", "I-PER", "B-PER", "B-LOC", "O"]);
    }

    #[test]
    fn a_mistake_changes_the_kind_of_a_whole_entity() {
        let mut draws = crate::random::Stream::new(1, "test").at(0);
        let (mut tally, mut changed) = (Tally::default(), 0);
        for group in 0..2000 {
            let mut members = [Some(Member { group, kind: "PER" }); 2];
            misjudge(&mut members, &["PER", "LOC"], &mut tally, &mut draws);
            assert_eq!(members[0], members[1]);
            changed += usize::from(members[0] == Some(Member { group, kind: "LOC" }));
        }
        assert_eq!((tally.entities, tally.wrong), (2000, changed));
        // Four standard deviations of a binomial count.
        assert!((changed as f64 - 2000.0 * NOISE).abs() < 4.0 * (2000.0 * NOISE).sqrt(), "{changed}");
        assert!((tally.bound("dev").ceiling - (1.0 - changed as f64 / 2000.0)).abs() < 1e-12);
    }
}
