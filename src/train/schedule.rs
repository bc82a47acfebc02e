//! The learning rate over a run: linear warmup, then linear decay to 0 (Devlin et al. 2018, appendix A.2).

/// Factors on the peak learning rate, step by step, as Hugging Face's `get_linear_schedule_with_warmup`
/// gives them: 0 at the first step when there is a warmup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    warmup_steps: u64,
    total_steps: u64,
}

impl Schedule {
    /// `warmup_fraction` of `total_steps` (rounded up, as Hugging Face does) rise from 0.
    #[must_use]
    pub fn new(total_steps: u64, warmup_fraction: f64) -> Self {
        Self { warmup_steps: (total_steps as f64 * warmup_fraction).ceil() as u64, total_steps }
    }

    /// The factor at `step`, from 0.
    #[must_use]
    pub fn factor(self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps.max(1) as f64;
        }
        let left = self.total_steps.saturating_sub(step) as f64;
        left / (self.total_steps - self.warmup_steps.min(self.total_steps)).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `get_linear_schedule_with_warmup(optimizer, 2, 10)` of transformers at steps 0 to 10.
    #[test]
    fn agrees_with_hugging_face() {
        let schedule = Schedule::new(10, 0.15);
        let got: Vec<f64> = (0..=10).map(|step| schedule.factor(step)).collect();
        let expected = [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0];
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn no_warmup_starts_at_the_peak() {
        assert!((Schedule::new(4, 0.0).factor(0) - 1.0).abs() < 1e-12);
    }
}
