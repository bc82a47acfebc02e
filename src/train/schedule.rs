//! The learning rate over a run: linear warmup, then linear decay to 0 (Devlin et al. 2018, appendix A.2).

use crate::settings::Optimizer;
use crate::store::Warmup;

/// Factors on the peak learning rate, step by step. Both are 0 at the first step when there is a warmup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    warmup_steps: u64,
    total_steps: u64,
    decay: Decay,
}

/// Where the line to 0 begins at the peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decay {
    /// At the end of the warmup.
    FromWarmup,
    /// At the first step: after the warmup the rate is already below the peak.
    FromStart,
}

impl Schedule {
    /// The schedule that belongs to `optimizer`, which rises over the first steps of `total_steps` as `warmup` says:
    ///
    /// - `AdamW`: Hugging Face's `get_linear_schedule_with_warmup`, a fraction rounded up as its Trainer does;
    /// - `BertAdam`: google-research/bert's `optimization.py`, which decays over all steps and puts the
    ///   warmup in front of that line, a fraction rounded down as in `run_classifier.py`.
    pub(super) fn new(optimizer: Optimizer, total_steps: u64, warmup: Warmup) -> Self {
        let decay = match optimizer {
            Optimizer::AdamW {} => Decay::FromWarmup,
            Optimizer::BertAdam {} => Decay::FromStart,
        };
        let warmup_steps = match (warmup, optimizer) {
            (Warmup::Steps(steps), _) => steps,
            (Warmup::Fraction(fraction), Optimizer::AdamW {}) => (total_steps as f64 * fraction).ceil() as u64,
            (Warmup::Fraction(fraction), Optimizer::BertAdam {}) => (total_steps as f64 * fraction) as u64,
        };
        Self { warmup_steps, total_steps, decay }
    }

    /// The factor at `step`, from 0.
    pub(super) fn factor(self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps.max(1) as f64;
        }
        let peak = match self.decay {
            Decay::FromWarmup => self.warmup_steps.min(self.total_steps),
            Decay::FromStart => 0,
        };
        self.total_steps.saturating_sub(step) as f64 / (self.total_steps - peak).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(schedule: Schedule, expected: &[f64]) {
        for (step, expected) in expected.iter().enumerate() {
            let got = schedule.factor(step as u64);
            assert!((got - expected).abs() < 1e-12, "step {step}: {got} and {expected}");
        }
    }

    /// `get_linear_schedule_with_warmup(optimizer, 2, 10)` of transformers at steps 0 to 10.
    #[test]
    fn agrees_with_hugging_face() {
        let expected = [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0];
        agree(Schedule::new(Optimizer::AdamW {}, 10, Warmup::Fraction(0.15)), &expected);
    }

    /// `create_optimizer(1.0, 10, 2)` of google-research/bert at steps 0 to 10.
    #[test]
    fn agrees_with_google() {
        let expected = [0.0, 0.5, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0];
        agree(Schedule::new(Optimizer::BertAdam {}, 10, Warmup::Fraction(0.25)), &expected);
    }

    /// The same, with the warmup in steps.
    #[test]
    fn a_warmup_of_so_many_steps() {
        agree(Schedule::new(Optimizer::AdamW {}, 6, Warmup::Steps(2)), &[0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
        agree(Schedule::new(Optimizer::BertAdam {}, 4, Warmup::Steps(2)), &[0.0, 0.5, 0.5, 0.25, 0.0]);
    }

    #[test]
    fn no_warmup_starts_at_the_peak() {
        for optimizer in [Optimizer::AdamW {}, Optimizer::BertAdam {}] {
            agree(Schedule::new(optimizer, 4, Warmup::Fraction(0.0)), &[1.0, 0.75, 0.5, 0.25, 0.0]);
        }
    }
}
