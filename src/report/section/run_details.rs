//! Everything about one run, folded away.

use crate::report::analysis::Analysis;
use crate::report::block::Block;
use crate::report::objective::{names, phases};
use crate::report::phrase::{grouped, readable_moment};
use crate::report::primary_metric::Unit;
use crate::report::run::{Run, State, point_label};
use crate::settings::Optimizer;
use crate::store::{
    Architecture, Evaluation, HeldOut, InitialWeights, Objective, Outcome, PretrainingObjective, Record, RunSettings,
    Score, TaskObjective, Warmup,
};

type Pair = (&'static str, String);

/// The settings of a run and what became of it.
pub(super) fn details(analysis: &Analysis<'_>, run: &Run<'_>) -> Block {
    let mut pairs = vec![("experiment", analysis.input.experiments[run.experiment].name.clone())];
    pairs.extend(settings_pairs(run.settings));
    match run.state {
        State::Done(record) => pairs.extend(record_pairs(record)),
        State::Failed(failure) => {
            pairs.push(("failure", format!("{}: {}", failure.kind, failure.cause)));
            pairs.push(("failed at", readable_moment(failure.at_unix)));
        }
        State::Missing => {
            let reached = run.last_step().map(|step| format!("; the log ends at step {}", grouped(step)));
            pairs.push(("state", run.state_name().to_owned() + &reached.unwrap_or_default()));
        }
    }
    let (task, point) = (analysis.task_label(run), point_label(run.settings));
    let summary = format!("{} · {task} · {} · {point} · seed {}", run.id, run.label, run.settings.seed);
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Block::Details { anchor: run.anchor.clone(), summary, pairs }
}

fn settings_pairs(settings: &RunSettings) -> Vec<Pair> {
    let of = &settings.optimization;
    let mut pairs = match &settings.objective {
        Objective::Task(task) => task_pairs(task),
        Objective::Pretraining(pretraining) => pretraining_pairs(pretraining),
    };
    pairs.extend([
        ("batch size", of.batch_size.to_string()),
        ("learning rate", format!("{:e}", of.learning_rate)),
        ("seed", settings.seed.to_string()),
        ("weights", weights(&settings.initial_weights)),
        ("architecture", architecture(&settings.architecture)),
        ("warmup", warmup(of.warmup)),
        ("weight decay", of.weight_decay.to_string()),
        ("dropout", of.dropout.to_string()),
        ("max gradient norm", of.max_grad_norm.to_string()),
        ("gradient accumulation", of.gradient_accumulation_steps.to_string()),
        (optimizer_name(of.optimizer), format!("β1 {}, β2 {}, ε {:e}", of.adam_beta1, of.adam_beta2, of.adam_epsilon)),
        ("precision", format!("{}{}", of.precision, if of.autotune { ", products autotuned" } else { "" })),
        ("device", settings.device.clone()),
        ("lower case", if settings.vocabulary.do_lower_case { "yes" } else { "no" }.to_owned()),
        ("vocabulary SHA-256", settings.vocabulary.sha256.clone()),
        ("numerics version", settings.numerics_version.to_string()),
    ]);
    pairs
}

fn task_pairs(task: &TaskObjective) -> Vec<Pair> {
    let mut pairs = vec![
        ("epochs", task.epochs.to_string()),
        ("approach", task.approach.to_string()),
        ("max length", format!("{} tokens", task.max_length)),
    ];
    if task.lm_coef > 0.0 {
        pairs.push(("loss of the next token", format!("× {}", task.lm_coef)));
    }
    if task.both_orders {
        pairs.push(("texts of a pair", "in both orders".to_owned()));
    }
    if let Some(options) = &task.options {
        pairs.push(("task settings", joined(options.named(), ", ", |(name, value)| format!("{name} {value}"))));
    }
    let data = joined(&task.data_sha256, "; ", |(file, sum)| format!("{file} {sum}"));
    pairs.push(("data SHA-256", if data.is_empty() { "none recorded".into() } else { data }));
    pairs
}

fn pretraining_pairs(objective: &PretrainingObjective) -> Vec<Pair> {
    let held_out = objective.evaluation.as_ref();
    let held_out = held_out.map(|held_out| format!("{}, every {} steps", held_out.data, grouped(held_out.every)));
    let mut pairs = vec![
        ("objective", names(objective.loss).words.to_owned()),
        ("steps × length", phases(objective)),
        ("corpora", joined(&objective.phases, "; ", |phase| phase.data.clone())),
        ("held-out corpus", held_out.unwrap_or_else(|| "none".into())),
    ];
    if let Some(masking) = objective.masking {
        let words = if masking.whole_word { ", whole words" } else { "" };
        let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
        let [share, mask, same, random] =
            [masking.masked_lm_prob, masking.mask_prob, masking.keep_prob, masking.random_prob].map(percent);
        let shares = format!("{share} of tokens: {mask} [MASK], {same} unchanged, {random} random{words}");
        pairs.push(("masking", shares));
    }
    if !objective.snapshots.is_empty() {
        pairs.push(("snapshots after steps", joined(&objective.snapshots, ", ", |step| grouped(*step))));
    }
    pairs
}

fn joined<T>(items: impl IntoIterator<Item = T>, between: &str, shown: impl FnMut(T) -> String) -> String {
    items.into_iter().map(shown).collect::<Vec<_>>().join(between)
}

fn weights(initial: &InitialWeights) -> String {
    match initial {
        InitialWeights::Random => "random, from the seed".to_owned(),
        InitialWeights::Checkpoint { folder, sha256, hub, .. } => {
            format!("{} (SHA-256 {sha256})", hub.as_ref().unwrap_or(folder))
        }
        InitialWeights::Pretraining { experiment, model, run, step } => {
            let step = step.map_or_else(String::new, |step| format!(", step {step}"));
            format!("pretraining {experiment}, {model}{step} (run {run})")
        }
    }
}

fn architecture(shape: &Architecture) -> String {
    format!(
        "{} layers, width {}, {} heads, feed-forward {}, vocabulary {}, {} positions, {} segments{}",
        shape.layers,
        shape.hidden,
        shape.heads,
        shape.intermediate,
        shape.vocab_size,
        shape.max_positions,
        shape.type_vocab_size,
        if shape.causal { ", left to right" } else { "" }
    )
}

fn warmup(warmup: Warmup) -> String {
    match warmup {
        Warmup::Fraction(fraction) => format!("{fraction} of the steps"),
        Warmup::Steps(steps) => format!("{} steps", grouped(steps)),
    }
}

fn optimizer_name(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::AdamW {} => "AdamW",
        Optimizer::BertAdam {} => "BERT's Adam",
    }
}

fn record_pairs(record: &Record) -> Vec<Pair> {
    let (host, made) = (&record.host, &record.provenance);
    let last_held_out = record.evaluations.last().and_then(|last| Some((last, last.held_out?)));
    let mut pairs = vec![
        ("scores", last_held_out.map_or_else(|| joined(&record.scores, "; ", score), held_out)),
        ("steps", grouped(record.steps)),
        ("tokens", grouped(record.tokens.0)),
        ("tokens per second", grouped(record.timings.tokens_per_second.max(0.0).round() as u64)),
        ("peak memory", record.peak_memory.to_string()),
        ("host", format!("{}, {} ({} threads of {})", host.name, host.cpu, host.threads, host.cores)),
        ("time", format!("{} to {}", readable_moment(made.started_unix), readable_moment(made.finished_unix))),
    ];
    match &record.outcome {
        Outcome::Task(task) => {
            pairs.push(("examples", joined(&task.examples, "; ", |(split, n)| format!("{split} {}", grouped(*n)))));
            if !task.skipped_rows.is_empty() {
                let rows = joined(&task.skipped_rows, "; ", |(file, rows)| format!("{file} {rows}"));
                pairs.push(("rows skipped", rows));
            }
        }
        Outcome::Pretraining { weights_sha256 } => {
            let weights = joined(weights_sha256, "; ", |(step, sum)| format!("step {step} {sum}"));
            pairs.push(("weights SHA-256", weights));
        }
    }
    if let Some(origin) = &record.pretraining {
        let steps = grouped(origin.settings.pretraining().map_or(0, PretrainingObjective::steps));
        let of = format!("{} of {steps} steps", grouped(origin.step));
        pairs.push(("pretraining", format!("{of}; weights SHA-256 {}", origin.weights_sha256)));
    }
    pairs
}

fn score(score: &Score) -> String {
    let value = score.value.map_or_else(|| "NaN".to_owned(), |value| Unit::named(&score.unit).shown(value));
    format!("{} on {} {value}", score.metric, score.split)
}

fn held_out((last, of): (&Evaluation, HeldOut)) -> String {
    let counts = format!("{} tokens of {} examples", grouped(of.predictions), grouped(of.examples));
    format!("{} (step {}, {counts})", joined(&last.scores, "; ", score), grouped(last.step))
}
