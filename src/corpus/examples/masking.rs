//! Which tokens of an example are to be predicted: `create_masked_lm_predictions` of google-research/bert.

use super::settings::{MaskingRules, Replacement};
use crate::random::Draws;
use crate::text::{SpecialTokens, Vocabulary};

/// What masking has to know of a vocabulary.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    special: SpecialTokens,
    /// By id: whether the token goes on with a word (`##ing`).
    continues: Vec<bool>,
}

/// What an example's predictions are chosen from, kept from example to example to use its memory again.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The positions of all tokens but `[CLS]` and `[SEP]`.
    places: Vec<u32>,
    /// With whole words, those that are chosen together, as ranges of `places`.
    words: Vec<(u32, u32)>,
    /// Positions that were chosen, in the high halves, and what stands there; as numbers they are sorted faster.
    chosen: Vec<u64>,
}

impl Candidates {
    /// As in the reference, a piece at the front of a truncated segment belongs to the word before it, if there is
    /// one.
    fn find(&mut self, pieces: &Pieces, ids: &[u32], whole_words: bool) {
        let Self { places, words, chosen } = self;
        places.clear();
        words.clear();
        chosen.clear();
        let SpecialTokens { cls, sep, .. } = pieces.special;
        // Each place is written and then kept or not, for a branch that few take costs more.
        places.resize(ids.len(), 0);
        let mut kept = 0;
        for (place, id) in (0..).zip(ids) {
            places[kept] = place;
            kept += usize::from(*id != cls && *id != sep);
        }
        places.truncate(kept);
        if !whole_words {
            return;
        }
        for (at, place) in (0..).zip(&*places) {
            let continues = pieces.continues.get(ids[*place as usize] as usize).copied().unwrap_or(false);
            match words.last_mut() {
                Some(word) if continues => word.1 += 1,
                _ => words.push((at, at + 1)),
            }
        }
    }
}

impl Pieces {
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let tokens = (0..vocabulary.len() as u32).map(|id| vocabulary.token(id).unwrap_or_default());
        Self { special: vocabulary.special(), continues: tokens.map(|token| token.starts_with("##")).collect() }
    }

    pub(super) fn special(&self) -> SpecialTokens {
        self.special
    }

    /// Masks tokens of `ids` in place. Gives the positions, sorted, and what stood there. `work` is room to work in.
    pub(super) fn mask(
        &self,
        ids: &mut [u32],
        rules: &MaskingRules,
        draws: &mut Draws,
        work: &mut Candidates,
    ) -> (Vec<u32>, Vec<u32>) {
        work.find(self, ids, rules.whole_words);
        let Candidates { places, words, chosen } = work;
        let wanted = predictions(ids.len(), rules);
        let count = if rules.whole_words { words.len() } else { places.len() };
        for at in 0..count {
            if chosen.len() >= wanted {
                break;
            }
            // A shuffle of which only as much is done as is looked at.
            let next = at + draws.below(count - at);
            let (first, end) = if rules.whole_words {
                words.swap(at, next);
                words[at]
            } else {
                places.swap(at, next);
                (at as u32, at as u32 + 1)
            };
            // A word that would be too much is passed over for a shorter one.
            if chosen.len() + (end - first) as usize > wanted {
                continue;
            }
            for place in &places[first as usize..end as usize] {
                let id = &mut ids[*place as usize];
                chosen.push(u64::from(*place) << 32 | u64::from(*id));
                *id = self.replaced(*id, rules.replacement, draws);
            }
        }
        chosen.sort_unstable();
        chosen.iter().map(|both| ((both >> 32) as u32, *both as u32)).unzip()
    }

    fn replaced(&self, id: u32, rates: Replacement, draws: &mut Draws) -> u32 {
        let number = draws.uniform();
        if number < rates.mask {
            self.special.mask
        } else if number < rates.mask + rates.same || rates.random == 0.0 {
            id
        } else {
            // Any row of the vocabulary, as the reference draws it: special tokens and [unused] ones as well.
            draws.below(self.continues.len()) as u32
        }
    }
}

/// `num_to_predict`. Python rounds a half to the even neighbour.
fn predictions(length: usize, rules: &MaskingRules) -> usize {
    let share = (length as f64 * rules.share).round_ties_even() as usize;
    share.max(1).min(rules.most as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    const CLS: u32 = 2;
    const SEP: u32 = 3;

    /// The special tokens 0–4, words 5–99, pieces 100–119.
    fn pieces() -> Pieces {
        let special = SpecialTokens { pad: 0, unk: 1, cls: CLS, sep: SEP, mask: 4, end: SEP };
        Pieces { special, continues: (0..120).map(|id| id >= 100).collect() }
    }

    fn rules(share: f64, most: u32, whole_words: bool) -> MaskingRules {
        MaskingRules { share, most, whole_words, replacement: Replacement { mask: 1.0, same: 0.0, random: 0.0 } }
    }

    #[test]
    fn numbers_of_predictions_are_pythons() {
        // [min(20, max(1, int(round(n * 0.15)))) for n in (5, 10, 30, 50, 70, 90, 128, 512)]
        let lengths = [5, 10, 30, 50, 70, 90, 128, 512];
        assert_eq!(lengths.map(|n| predictions(n, &MaskingRules::default())), [1, 2, 4, 8, 10, 14, 19, 20]);
        assert_eq!(predictions(128, &rules(0.0, 20, false)), 1);
    }

    #[test]
    fn whole_words_are_chosen_or_left_whole() {
        // Words of 3, 1 and 2 tokens; then one whose front was cut off, which counts to the word before.
        let ids = [CLS, 10, 100, 101, 11, 12, 102, SEP, 103, 13, SEP];
        let words = [vec![1, 2, 3], vec![4], vec![5, 6, 8], vec![9]];
        let pieces = pieces();
        let (mut seen, mut work) = ([0; 4], Candidates::default());
        for step in 0..2000 {
            let mut masked = ids;
            let (positions, labels) =
                pieces.mask(&mut masked, &rules(0.4, 20, true), &mut Stream::new(1, "test").at(step), &mut work);
            assert!(positions.is_sorted() && positions.len() <= 4);
            assert!(labels.iter().zip(&positions).all(|(label, at)| ids[*at as usize] == *label));
            for (word, seen) in words.iter().zip(&mut seen) {
                let chosen = word.iter().filter(|at| positions.contains(at)).count();
                assert!(chosen == 0 || chosen == word.len(), "{positions:?}");
                *seen += usize::from(chosen > 0);
            }
        }
        // Short words are chosen more often, for long ones may be too much for what is left to choose.
        assert!(seen[1] > seen[0] && seen[3] > seen[2] && seen.iter().all(|n| *n > 200), "{seen:?}");
    }

    #[test]
    fn nothing_to_choose_from_is_no_error() {
        let mut ids = [CLS, SEP, SEP];
        let (positions, labels) = pieces().mask(
            &mut ids,
            &rules(0.15, 20, false),
            &mut Stream::new(1, "test").at(0),
            &mut Candidates::default(),
        );
        assert!(positions.is_empty() && labels.is_empty());
    }
}
