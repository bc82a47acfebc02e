//! The sum of the gradients of the passes of a step, added in the order of the passes, over all ranks.
//!
//! A vector of gradients is cut into a slice for each rank, and every rank sums its slice: it gets the slice of all
//! others, adds them in the order of the passes, and in the end all slices are gathered. Each rank sends and receives
//! twice (ranks − 1) / ranks of the gradients, as of any all-reduce; but the order of additions is that of one process,
//! which `MPI_Allreduce` does not promise. Large parameters are sent from where they are, small ones together, each when the
//! backward pass has found it and goes on.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::{Ranks, slice_of};
use crate::train::gradient_hook::FoundGradients;
use crate::train::optimizer::FlatGradients;

/// From so many numbers on a parameter is sent alone: 256 KiB, far above what a message costs whatever its length.
const LARGE: usize = 1 << 16;

/// The gradients of the passes so far.
#[derive(Debug)]
pub(in crate::train) struct OrderedSum<'a> {
    ranks: &'a dyn Ranks,
    /// Without autodiff.
    device: Device,
    messages: Vec<Message>,
    /// Which parameters have a gradient.
    present: Vec<bool>,
    /// The gradients of this rank's last pass, whose memory takes the sums in the end.
    own: Vec<Option<TensorData>>,
}

/// Parameters that are sent together.
#[derive(Debug, Default)]
struct Message {
    /// The number of each parameter, and where its numbers are.
    parameters: Vec<(usize, Range<usize>)>,
    length: usize,
    /// This rank's slice of the sums.
    sums: Vec<f32>,
}

impl<'a> OrderedSum<'a> {
    /// Nothing yet, of `model`.
    pub(in crate::train) fn new<M: Module>(ranks: &'a dyn Ranks, model: &M) -> Self {
        Self::with_large(ranks, model, LARGE)
    }

    pub(super) fn with_large<M: Module>(ranks: &'a dyn Ranks, model: &M, large: usize) -> Self {
        let mut found = Lengths { lengths: Vec::new(), device: None };
        model.visit(&mut found);
        let (mut messages, mut together) = (Vec::new(), Message::default());
        for (number, length) in found.lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            if *length >= large {
                messages.push(Message { parameters: vec![(number, 0..*length)], length: *length, sums: Vec::new() });
            } else {
                together.parameters.push((number, together.length..together.length + length));
                together.length += length;
            }
        }
        messages.extend((together.length > 0).then_some(together));
        for message in &mut messages {
            message.sums = vec![0.0; slice_of(message.length, ranks.size(), ranks.rank()).len()];
        }
        let parameters = found.lengths.len();
        Self {
            ranks,
            device: found.device.unwrap_or_else(Device::flex),
            messages,
            present: vec![false; parameters],
            own: (0..parameters).map(|_| None).collect(),
        }
    }

    /// Adds a pass of each rank, in their order. `compute` is this rank's, if it has one: it sends gradients as it finds
    /// them, and they are exchanged meanwhile; what it has not sent when it ends it has not. The sums are complete after
    /// the last pass, so they are gathered then. Returns what `compute` does.
    ///
    /// Another thread of the pool computes, where exchanges overlap with it.
    pub(in crate::train) fn add_while<R: Send>(
        &mut self,
        is_last: bool,
        compute: impl FnOnce(Sender<FoundGradients>) -> R + Send,
    ) -> Option<R> {
        let (sender, found) = mpsc::channel();
        let alone = rayon::current_thread_index().is_some() && rayon::current_num_threads() == 1;
        if alone || !self.ranks.overlaps() {
            let made = compute(sender);
            self.exchange(&found, is_last);
            return Some(made);
        }
        let mut made = None;
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| made = Some(compute(sender)));
            self.exchange(&found, is_last);
        });
        made
    }

    /// The sums, the same on every rank; nothing when no pass had gradients.
    pub(in crate::train) fn finish(self) -> Option<FlatGradients> {
        if self.present.iter().all(|present| !present) {
            return None;
        }
        let device = &self.device;
        let tensor = |(numbers, present): (Option<TensorData>, bool)| {
            numbers.filter(|_| present).map(|numbers| Tensor::from_data(numbers, device))
        };
        Some(self.own.into_iter().zip(self.present).map(tensor).collect())
    }

    /// Each message once, in the order in which the leader finds them complete.
    fn exchange(&mut self, found: &Receiver<FoundGradients>, is_last: bool) {
        let mut has = vec![false; self.own.len()];
        let mut waiting: Vec<usize> = (0..self.messages.len()).collect();
        let mut received = Vec::new();
        self.ranks.sleep_in_waits(true);
        while !waiting.is_empty() {
            let at = if self.ranks.leads() { self.wait_for(&waiting, found, &mut has) } else { 0 };
            let at = (self.ranks.word_of_leader(at as u64) as usize).min(waiting.len() - 1);
            let number = waiting.remove(at);
            self.wait_for(&[number], found, &mut has);
            self.exchange_message(number, &has, &mut received);
            if is_last {
                self.gather(number, &mut received);
            }
        }
        self.ranks.sleep_in_waits(false);
    }

    /// Waits until all gradients of one of `messages` are found, or the pass has ended. Returns which of them it is.
    fn wait_for(&mut self, messages: &[usize], found: &Receiver<FoundGradients>, has: &mut [bool]) -> usize {
        loop {
            let complete =
                |number: &usize| self.messages[*number].parameters.iter().all(|(parameter, _)| has[*parameter]);
            if let Some(at) = messages.iter().position(complete) {
                return at;
            }
            let Ok(found) = found.recv() else {
                self.ranks.sleep_in_waits(false);
                return 0;
            };
            for (parameter, gradient) in found {
                (self.own[parameter], has[parameter]) = (Some(gradient.into_data().convert::<f32>()), true);
            }
        }
    }

    fn exchange_message(&mut self, number: usize, has: &[bool], received: &mut Vec<f32>) {
        let message = &mut self.messages[number];
        let all_have = message.gather_flags(self.ranks, has);
        if all_have.iter().flatten().all(|has| !has) {
            return;
        }
        let mine = slice_of(message.length, self.ranks.size(), self.ranks.rank());
        received.resize(mine.len() * self.ranks.size(), 0.0);
        self.ranks.all_to_all(&message.packed(&self.own, has), received);
        message.add(&mine, received, &all_have, &self.present);
        for has in all_have {
            message.parameters.iter().zip(has).for_each(|((parameter, _), has)| self.present[*parameter] |= has);
        }
    }

    /// Puts the sums of all ranks where the gradients were.
    fn gather(&mut self, number: usize, all: &mut Vec<f32>) {
        let message = &self.messages[number];
        if message.parameters.iter().all(|(parameter, _)| !self.present[*parameter]) {
            return;
        }
        for (parameter, place) in &message.parameters {
            self.own[*parameter].get_or_insert_with(|| zeros(place.len()));
        }
        if let [(parameter, _)] = message.parameters[..] {
            self.ranks.all_gather(&message.sums, numbers_mut(&mut self.own[parameter]));
            return;
        }
        all.resize(message.length, 0.0);
        self.ranks.all_gather(&message.sums, all);
        for (parameter, place) in &message.parameters {
            numbers_mut(&mut self.own[*parameter]).copy_from_slice(&all[place.clone()]);
        }
    }
}

impl Message {
    /// For each rank, which of the parameters have a gradient.
    fn gather_flags(&self, ranks: &dyn Ranks, has: &[bool]) -> Vec<Vec<bool>> {
        let flags: Vec<bool> = self.parameters.iter().map(|(parameter, _)| has[*parameter]).collect();
        let word = |flags: &[bool]| flags.iter().rev().fold(0, |word, flag| word << 1 | u64::from(*flag));
        let words: Vec<u64> = flags.chunks(u64::BITS as usize).map(word).collect();
        let all = ranks.all_gather_words(&words);
        let of = |words: &[u64]| (0..flags.len()).map(|at| words[at / 64] >> (at % 64) & 1 == 1).collect();
        all.chunks(words.len().max(1)).map(of).collect()
    }

    /// What this rank has: zeros where it has no gradient.
    fn packed<'g>(&self, own: &'g [Option<TensorData>], has: &[bool]) -> Cow<'g, [f32]> {
        let of = |number: usize| own[number].as_ref().filter(|_| has[number]).map(numbers);
        if let [(number, _)] = self.parameters[..]
            && let Some(numbers) = of(number)
        {
            return Cow::Borrowed(numbers);
        }
        let mut packed = vec![0.0; self.length];
        for (number, place) in &self.parameters {
            if let Some(numbers) = of(*number) {
                packed[place.clone()].copy_from_slice(numbers);
            }
        }
        Cow::Owned(packed)
    }

    /// Adds what all ranks have for this one's slice, which is at `mine`.
    fn add(&mut self, mine: &Range<usize>, received: &[f32], all_have: &[Vec<bool>], present: &[bool]) {
        for (at, (parameter, place)) in self.parameters.iter().enumerate() {
            let (from, to) = (place.start.max(mine.start), place.end.min(mine.end));
            if from >= to {
                continue;
            }
            let part = from - mine.start..to - mine.start;
            let sum = &mut self.sums[part.clone()];
            let mut begun = present[*parameter];
            for (rank, _) in all_have.iter().enumerate().filter(|(_, has)| has[at]) {
                let more = &received[rank * mine.len()..][part.clone()];
                if begun {
                    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                } else {
                    sum.copy_from_slice(more);
                }
                begun = true;
            }
        }
    }
}

fn zeros(length: usize) -> TensorData {
    TensorData::new(vec![0.0_f32; length], [length])
}

/// The numbers of data in float32.
fn numbers(data: &TensorData) -> &[f32] {
    data.as_slice().unwrap_or_default()
}

/// The same, to be written.
fn numbers_mut(data: &mut Option<TensorData>) -> &mut [f32] {
    data.as_mut().and_then(|data| data.as_mut_slice().ok()).unwrap_or_default()
}

/// How many numbers each parameter that is trained has; others count as none.
struct Lengths {
    lengths: Vec<usize>,
    device: Option<Device>,
}

impl ModuleVisitor for Lengths {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        self.lengths.push(if value.is_require_grad() { value.dims().iter().product() } else { 0 });
        self.device.get_or_insert_with(|| value.inner().device());
    }
}
