//! A checkpoint as the start of a task: what becomes of the head that it may have.

use std::path::Path;

use burn::tensor::Device;

use super::classifier::Classifier;
use super::config_error::ConfigError;
use super::config_file::ConfigFile;
use super::encoders::AnyEncoder;
use super::error::CheckpointError;
use super::head::{Head, TASK_HEADS};
use super::initialize::random_head;
use super::labels::{OutputOrder, is_class, named_outputs};
use super::linear::Linear;
use super::loading::{Loaded, load};
use super::reader::Reader;
use super::token_head::TokenHead;
use super::weights::{Weights, transpose_into};
use crate::store::CheckpointHead;

/// The head that a task asks for.
#[derive(Clone, Copy, Debug)]
pub struct WantedHead<'a> {
    /// What it puts out.
    pub kind: Head,
    /// What its classes or tags are called, in the order of the logits.
    pub names: &'a [&'a str],
    /// Its outputs for a sequence or a token.
    pub outputs: usize,
    /// Whether what predicts the next token is wanted as well.
    pub next_token: bool,
}

/// What becomes of a checkpoint's head when a task trains it further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadUse {
    /// It goes on, its outputs in the order of these places.
    Kept(OutputOrder),
    /// A new one takes its place, for this reason.
    Anew(String),
}

impl HeadUse {
    /// Whether `head` is the one that is wanted: by its class, and by the names of its outputs where these have some.
    fn of(head: &CheckpointHead, wanted: WantedHead<'_>) -> Self {
        let class = wanted.kind.class();
        if let Some(other) = head.class.as_deref().filter(|other| !is_class(other, class)) {
            return Self::Anew(format!("the checkpoint is a {other}, not a {class}"));
        }
        match wanted.kind {
            Head::Classes | Head::Tags => {}
            Head::Regression | Head::Choices | Head::Spans => {
                return Self::Kept(OutputOrder::as_it_is(wanted.outputs));
            }
        }
        let Some(names) = &head.labels else {
            return Self::Anew("the outputs of the checkpoint's head have no names".to_owned());
        };
        match OutputOrder::by_name(names, wanted.names) {
            Some(order) => Self::Kept(order),
            None => Self::Anew(format!("the outputs of the checkpoint's head are {}", listed(names))),
        }
    }
}

/// So many names of outputs are written out.
const LISTED: usize = 6;

fn listed(names: &[String]) -> String {
    let first = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(LISTED) {
        Some(more) if more > 0 => format!("{first} and {more} more"),
        _ => first,
    }
}

/// The head among `weights` that a task could go on with, as `folder/config.json` describes it.
///
/// # Errors
/// As [`output_names`](super::output_names).
pub fn checkpoint_head(folder: &Path, weights: &Weights) -> Result<Option<CheckpointHead>, ConfigError> {
    if !TASK_HEADS.iter().any(|name| weights.has(&format!("{name}.weight"))) {
        return Ok(None);
    }
    let config = ConfigFile::read(folder)?;
    Ok(Some(CheckpointHead { class: config.class().map(str::to_owned), labels: named_outputs(&config)? }))
}

/// Reads a classifier to train it on a task. The checkpoint's own head, as `head` describes it, is kept when it is the one
/// that is wanted, its outputs in the order of the task; else a new one is initialised from the seed. What became of it is
/// noted.
///
/// # Errors
/// As [`load_encoder`](super::load_encoder).
pub fn load_to_train(
    folder: &Path,
    wanted: WantedHead<'_>,
    head: Option<&CheckpointHead>,
    seed: u64,
    device: &Device,
) -> Result<Loaded<Classifier>, CheckpointError> {
    let WantedHead { kind, outputs, .. } = wanted;
    load(folder, seed, device, |reader, hidden| {
        let encoder = AnyEncoder::read(reader)?;
        let fits = reader.weights.shape(&format!("{}.weight", kind.tensors())) == Some(vec![outputs, hidden]);
        let used = match head.filter(|_| fits) {
            Some(head) => HeadUse::of(head, wanted),
            None => HeadUse::Kept(OutputOrder::as_it_is(outputs)),
        };
        match (&used, kind) {
            (HeadUse::Kept(order), Head::Classes | Head::Tags) if fits && !order.is_as_it_is() => {
                reader
                    .notes
                    .push("the outputs of the checkpoint's head were put into the task's order by name".to_owned());
            }
            // Their outputs have no names to tell them by.
            (HeadUse::Kept(_), Head::Regression | Head::Choices | Head::Spans) if fits => {
                reader.notes.push("training goes on with the checkpoint's head".to_owned());
            }
            (HeadUse::Kept(_) | HeadUse::Anew(_), _) => {}
        }
        let head = reader.head(kind, &used, outputs)?;
        let next_token = wanted.next_token.then(|| reader.next_token_head()).transpose()?;
        Ok(Classifier { next_token, ..Classifier::of(encoder, head, kind) })
    })
}

impl Reader<'_> {
    /// What predicts the next token, as far as the file has it.
    fn next_token_head(&mut self) -> Result<TokenHead, CheckpointError> {
        let of = self.of;
        let mut head = TokenHead::random(&mut TokenHead::initializer(&of, self.seed, self.device), &of);
        self.token_head(&mut head)?;
        Ok(head)
    }

    /// The head of `kind` with `outputs` outputs: the checkpoint's, or a new one, which is noted.
    pub(super) fn head(&mut self, kind: Head, used: &HeadUse, outputs: usize) -> Result<Linear, CheckpointError> {
        let (name, hidden) = (kind.tensors(), self.of.hidden as usize);
        let why = match (self.weights.shape(&format!("{name}.weight")), used) {
            (Some(found), HeadUse::Kept(order)) if found == [outputs, hidden] => {
                return self.linear_in_order(name, hidden, order.places());
            }
            (Some(found), HeadUse::Anew(why)) if found == [outputs, hidden] => {
                format!("{why}: the head was initialised at random")
            }
            (Some(found), _) => {
                let [of, width] = [0, 1].map(|at| found.get(at).copied().unwrap_or_default());
                let found = if of == outputs {
                    format!("reads {width} numbers, not {hidden}")
                } else {
                    format!("has {of} outputs, the task {outputs}")
                };
                format!("the file's head {found}: the head was initialised at random")
            }
            (None, _) => "the file has no classification head: it was initialised at random".to_owned(),
        };
        self.skip(&format!("{name}."));
        self.notes.push(why);
        Ok(random_head(hidden, outputs, self.of.initializer_range, self.seed, self.device))
    }

    /// A linear layer with outputs in the order of these places.
    fn linear_in_order(&mut self, name: &str, inputs: usize, places: &[usize]) -> Result<Linear, CheckpointError> {
        let outputs = places.len();
        let numbers = self.numbers(&format!("{name}.weight"), &[outputs, inputs])?;
        let rows: Vec<f32> = places.iter().flat_map(|at| &numbers[at * inputs..(at + 1) * inputs]).copied().collect();
        let mut weight = vec![0f32; inputs * outputs];
        transpose_into(&rows, inputs, &mut weight, outputs, 0);
        let numbers = self.numbers(&format!("{name}.bias"), &[outputs])?;
        let bias: Vec<f32> = places.iter().map(|at| numbers[*at]).collect();
        Ok(Linear::of(weight, bias, self.device))
    }
}
