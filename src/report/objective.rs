//! What a model was pretrained to do, in words.

use super::published_ablations::{FULL, LEFT_TO_RIGHT, NO_NSP};
use crate::settings::{LmLoss, Masking};
use crate::store::PretrainingObjective;

/// No rows of the paper's: these are other encoders'.
const BOTH_WAYS: &str = "forward & backward LM";
const WINDOW: &str = "skip-gram";

/// The names of an objective.
pub(crate) struct Names {
    /// In a sentence.
    pub(crate) words: &'static str,
    /// Its row of the paper's table 5.
    pub(crate) row: &'static str,
    /// Whether tokens are masked, so that the masks matter.
    pub(crate) masks: bool,
}

/// One row for each objective, in the order of the paper's table 5.
pub(crate) fn names(loss: LmLoss) -> Names {
    let (words, row, masks) = match loss {
        LmLoss::MaskedLmAndNextSentence => ("masked LM and next sentence", FULL, true),
        LmLoss::MaskedLm => ("masked LM", NO_NSP, true),
        LmLoss::CausalLm => ("causal LM", LEFT_TO_RIGHT, false),
        LmLoss::BidirectionalLm => ("forward and backward LM", BOTH_WAYS, false),
        LmLoss::SkipGram => ("skip-gram, negative sampling", WINDOW, false),
    };
    Names { words, row, masks }
}

/// `80/10/10` of the masks, in per cent.
pub(crate) fn masks(masking: &Masking) -> [u32; 3] {
    [masking.mask_prob, masking.keep_prob, masking.random_prob].map(|share| (share * 100.0).round() as u32)
}

/// How tokens are masked, when that is not the paper's 80/10/10 of 15 %.
pub(crate) fn unusual_masking(of: &PretrainingObjective) -> Option<String> {
    let masking = of.masking?;
    let share = masking.masked_lm_prob * 100.0;
    let [mask, same, random] = masks(&masking);
    if ([mask, same, random], (share - 15.0).abs() < 0.05, masking.whole_word) == ([80, 10, 10], true, false) {
        return None;
    }
    let words = if masking.whole_word { ", whole words" } else { "" };
    Some(format!("{mask}/{same}/{random} of {} %{words}", (share * 10.0).round() / 10.0))
}

/// `4000 × 48, 400 × 64`: steps and length of each phase.
pub(crate) fn phases(of: &PretrainingObjective) -> String {
    let phases = of.phases.iter();
    phases.map(|phase| format!("{} × {}", phase.steps, phase.max_length)).collect::<Vec<_>>().join(", ")
}
