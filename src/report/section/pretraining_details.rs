//! Everything about each pretraining run, folded away.

use super::pretraining::shown_perplexity;
use super::runs::{architecture, optimizer_name, warmup};
use crate::report::analysis::Analysis;
use crate::report::block::Block;
use crate::report::objective::{names, phases};
use crate::report::phrase::{grouped, readable_moment};
use crate::report::pretraining::{PretrainRun, PretrainState};
use crate::report::primary_metric::Unit;
use crate::report::weights;
use crate::store::{Evaluation, HeldOut, Outcome, PretrainingObjective, Record, RunSettings};

/// The details of every pretraining run, under a heading.
pub(super) fn blocks(analysis: &Analysis<'_>) -> Vec<Block> {
    if analysis.pretraining.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::heading("Settings of each pretraining run")];
    blocks.extend(analysis.pretraining.iter().map(|run| details(analysis, run)));
    blocks
}

fn details(analysis: &Analysis<'_>, run: &PretrainRun<'_>) -> Block {
    let experiment = &analysis.input.pretraining[run.experiment].name;
    let mut pairs = vec![("experiment", experiment.clone())];
    pairs.extend(settings_pairs(run.settings, run.objective));
    match run.state {
        PretrainState::Done(record) => pairs.extend(record_pairs(record)),
        PretrainState::Failed(failure) => {
            pairs.push(("failure", format!("{}: {}", failure.kind, failure.cause)));
            pairs.push(("failed at", readable_moment(failure.at_unix)));
        }
        PretrainState::Missing => {
            let reached = run.last_step().map(|step| format!("not finished; the log ends at step {}", grouped(step)));
            pairs.push(("state", reached.unwrap_or_else(|| "not run".into())));
        }
    }
    let summary = format!("{} · pretraining · {} · seed {}", run.id, run.label, run.settings.seed);
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Block::Details { anchor: run.anchor.clone(), summary, pairs }
}

fn settings_pairs(settings: &RunSettings, objective: &PretrainingObjective) -> Vec<(&'static str, String)> {
    let corpora: Vec<String> = objective.phases.iter().map(|phase| phase.data.clone()).collect();
    let held_out = objective.evaluation.as_ref();
    let held_out = held_out.map(|held_out| format!("{}, every {} steps", held_out.data, grouped(held_out.every)));
    let masking = objective.masking.map(|masking| {
        let words = if masking.whole_word { ", whole words" } else { "" };
        let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
        let [share, mask, same, random] =
            [masking.masked_lm_prob, masking.mask_prob, masking.keep_prob, masking.random_prob].map(percent);
        format!("{share} of tokens: {mask} [MASK], {same} the same, {random} any token{words}")
    });
    let snapshots: Vec<String> = objective.snapshots.iter().map(|step| grouped(*step)).collect();
    let mut pairs = vec![
        ("objective", names(objective.loss).words.to_owned()),
        ("weights", weights::described(&settings.initial_weights)),
        ("architecture", architecture(&settings.architecture)),
        ("steps × length", phases(objective)),
        ("batch size", settings.optimization.batch_size.to_string()),
        ("gradient accumulation", settings.optimization.gradient_accumulation_steps.to_string()),
        ("peak learning rate", format!("{:e}", settings.optimization.learning_rate)),
        ("warmup", warmup(settings.optimization.warmup)),
        ("weight decay", settings.optimization.weight_decay.to_string()),
        ("dropout", settings.optimization.dropout.to_string()),
        ("maximum gradient norm", settings.optimization.max_grad_norm.to_string()),
        (
            optimizer_name(settings.optimization.optimizer),
            format!(
                "β1 {}, β2 {}, ε {:e}",
                settings.optimization.adam_beta1, settings.optimization.adam_beta2, settings.optimization.adam_epsilon
            ),
        ),
        ("precision", settings.optimization.precision.to_string()),
        ("device", settings.device.clone()),
        ("seed", settings.seed.to_string()),
        ("vocabulary SHA-256", settings.vocabulary.sha256.clone()),
        ("corpora", corpora.join("; ")),
        ("held-out corpus", held_out.unwrap_or_else(|| "none".into())),
        ("numerics version", settings.numerics_version.to_string()),
    ];
    if let Some(masking) = masking {
        pairs.push(("masking", masking));
    }
    if !snapshots.is_empty() {
        pairs.push(("models kept after steps", snapshots.join(", ")));
    }
    pairs
}

fn record_pairs(record: &Record) -> Vec<(&'static str, String)> {
    let (host, made) = (&record.host, &record.provenance);
    let commit = match (&made.git_commit, made.git_dirty) {
        (Some(commit), true) => format!(", commit {commit} with changes"),
        (Some(commit), false) => format!(", commit {commit}"),
        (None, _) => String::new(),
    };
    let mut pairs = vec![
        ("steps", grouped(record.steps)),
        ("tokens", grouped(record.tokens.0)),
        ("time", record.timings.wall.to_string()),
        ("tokens a second", grouped(record.timings.tokens_per_second.max(0.0).round() as u64)),
        ("peak memory", record.peak_memory.to_string()),
        ("host", format!("{}, {} ({} threads of {})", host.name, host.cpu, host.threads, host.cores)),
        ("versions", format!("bertbench {}, burn {}, rustc {}{commit}", made.bertbench, made.burn, made.rustc)),
        ("when", format!("{} to {}", readable_moment(made.started_unix), readable_moment(made.finished_unix))),
    ];
    if let Some(last) = record.evaluations.last() {
        pairs.push(("held-out scores", held_out(last)));
    }
    if let Outcome::Pretraining { weights_sha256 } = &record.outcome {
        let weights = weights_sha256.iter().map(|(step, sum)| format!("step {step} {sum}"));
        pairs.push(("weights SHA-256", weights.collect::<Vec<_>>().join("; ")));
    }
    if !record.notes.is_empty() {
        pairs.push(("notes", record.notes.join("; ")));
    }
    pairs
}

fn held_out(scores: &Evaluation) -> String {
    let of = |metric: &str| scores.value(metric).unwrap_or(f64::NAN);
    let nsp = match (scores.value("nsp_loss"), scores.value("nsp_accuracy")) {
        (Some(loss), Some(accuracy)) => {
            format!("; next sentence: loss {loss:.3}, {} right", Unit::Hundredths.shown(accuracy))
        }
        _ => String::new(),
    };
    let HeldOut { examples, predictions } = scores.held_out.unwrap_or_default();
    format!(
        "step {}: perplexity {}, loss {:.3}, {} of {} tokens right{nsp}; {} examples",
        grouped(scores.step),
        shown_perplexity(of("perplexity")),
        of("mlm_loss"),
        Unit::Hundredths.shown(of("mlm_accuracy")),
        grouped(predictions),
        grouped(examples)
    )
}
