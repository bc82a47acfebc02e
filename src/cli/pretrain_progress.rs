//! What `pretrain` shows: on a terminal a bar, elsewhere a line for every line of the log.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::error::note;
use crate::exec::StopFlag;
use crate::store::{Evaluation, LmLoss, StepEvent};
use crate::train::{Observer, StepReport};

/// Shows a run on standard error, and stops it when the user asks for it.
pub(super) struct PretrainDisplay {
    bar: Option<ProgressBar>,
    steps: u64,
    /// What is predicted of the tokens.
    tokens: &'static str,
    stop: StopFlag,
}

impl PretrainDisplay {
    pub(super) fn new(stop: StopFlag, objective: LmLoss) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = "[{bar:32}] step {pos}/{len}, {msg}, about {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(0);
            bar.set_style(style.progress_chars("━━ "));
            bar
        });
        let tokens = match objective {
            LmLoss::MaskedLmAndNextSentence | LmLoss::MaskedLm => "masked tokens",
            LmLoss::CausalLm => "next tokens",
        };
        Self { bar, steps: 0, tokens, stop }
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for PretrainDisplay {
    fn started(&mut self, step: u64, steps: u64) {
        self.steps = steps;
        if let Some(bar) = &self.bar {
            bar.set_length(steps);
            bar.set_position(step);
            bar.reset_eta();
        }
        if step > 0 {
            self.say(&format!("resuming after step {step} of {steps}"));
        }
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(&text)),
            None => note(&text),
        }
    }

    fn step(&mut self, report: &StepReport) {
        if let Some(bar) = &self.bar {
            bar.set_position(report.step);
        }
    }

    fn logged(&mut self, event: &StepEvent) {
        let StepEvent { step, loss, learning_rate, tokens_per_second, .. } = *event;
        let mlm_accuracy = event.mlm_accuracy.unwrap_or_default();
        let next = event.nsp_accuracy.map(|accuracy| format!(", next sentence {accuracy:.3}")).unwrap_or_default();
        let words = format!(
            "loss {loss:.4}, {} {mlm_accuracy:.3}{next}, rate {learning_rate:.2e}, {tokens_per_second:.0} tokens/s",
            self.tokens
        );
        match &self.bar {
            Some(bar) => bar.set_message(words),
            None => eprintln!("step {step}/{}: {words}", self.steps),
        }
    }

    fn evaluated(&mut self, scores: &Evaluation) {
        let step = scores.step;
        let of = |metric: &str| scores.value(metric).unwrap_or_default();
        let (mlm_loss, perplexity, mlm_accuracy) = (of("mlm_loss"), of("perplexity"), of("mlm_accuracy"));
        let next =
            scores.value("nsp_accuracy").map(|accuracy| format!(", next sentence {accuracy:.4}")).unwrap_or_default();
        self.say(&format!(
            "held out, step {step}: {} loss {mlm_loss:.4}, perplexity {perplexity:.2}, accuracy {mlm_accuracy:.4}{next}",
            self.tokens
        ));
    }

    fn saved(&mut self, step: u64) {
        if self.bar.is_none() {
            eprintln!("checkpoint after step {step}");
        }
    }

    fn stop(&mut self) -> bool {
        self.stop.is_set()
    }
}
