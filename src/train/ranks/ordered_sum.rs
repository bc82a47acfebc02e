//! The sum of the gradients of the passes of a step, added in the order of the passes, over all ranks.
//!
//! Gradients are taken as one long vector, which is gone through in buckets. A bucket is cut into a slice for each rank,
//! and every rank sums its slice: it gets the slice of all others, adds them in the order of the passes, and in the end
//! all slices are gathered. Each rank sends and receives twice (ranks − 1) / ranks of the gradients, as of any all-reduce;
//! but the order of additions is that of one process, which `MPI_Allreduce` does not promise.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::Ranks;
use crate::train::optimizer::FlatGradients;

/// Numbers of a bucket: 4 MiB, far above what a message costs whatever its length.
const BUCKET: usize = 1 << 20;

/// The gradients of the passes so far.
#[derive(Debug)]
pub(in crate::train) struct OrderedSum<'a> {
    ranks: &'a dyn Ranks,
    /// Without autodiff.
    device: Device,
    /// Where each parameter's numbers are among all.
    places: Vec<Range<usize>>,
    /// Which parameters have a gradient.
    present: Vec<bool>,
    /// The slices of this rank, bucket after bucket.
    sums: Vec<f32>,
    /// The gradients of this rank's last pass, whose memory takes the sums in the end.
    own: Vec<Vec<f32>>,
    bucket: usize,
}

impl<'a> OrderedSum<'a> {
    /// Nothing yet, of `model`.
    pub(in crate::train) fn new<M: Module>(ranks: &'a dyn Ranks, model: &M) -> Self {
        Self::in_buckets(ranks, model, BUCKET)
    }

    pub(super) fn in_buckets<M: Module>(ranks: &'a dyn Ranks, model: &M, bucket: usize) -> Self {
        let mut found = Places { ranges: Vec::new(), end: 0, device: None };
        model.visit(&mut found);
        let (parameters, size) = (found.ranges.len(), ranks.size());
        let slices = buckets(found.end, bucket).map(|of| of.len().div_ceil(size)).sum();
        Self {
            ranks,
            device: found.device.unwrap_or_else(Device::flex),
            places: found.ranges,
            present: vec![false; parameters],
            sums: vec![0.0; slices],
            own: vec![Vec::new(); parameters],
            bucket,
        }
    }

    /// Adds a pass of each rank, in their order; a rank may have none, or a pass without gradients.
    pub(in crate::train) fn add(&mut self, pass: Option<FlatGradients>) {
        let mut has = vec![false; self.places.len()];
        for ((gradient, has), own) in pass.into_iter().flatten().zip(&mut has).zip(&mut self.own) {
            let numbers = gradient.map(|gradient| gradient.into_data().convert::<f32>().try_into_vec());
            if let Some(Ok(numbers)) = numbers {
                (*own, *has) = (numbers, true);
            }
        }
        let has = self.gather_flags(&has);
        if has.iter().flatten().all(|has| !has) {
            return;
        }
        let (size, rank) = (self.ranks.size(), self.ranks.rank());
        let (mut send, mut received, mut done) = (Vec::new(), Vec::new(), 0);
        for bucket in self.buckets() {
            let slice = bucket.len().div_ceil(size);
            send.resize(slice * size, 0.0);
            received.resize(slice * size, 0.0);
            for (number, place, part) in overlaps(&self.places, &bucket) {
                if let Some(own) = self.own[number].get(place) {
                    send[part].copy_from_slice(own);
                }
            }
            self.ranks.all_to_all(&send, &mut received);
            let mine =
                (bucket.start + rank * slice).min(bucket.end)..(bucket.start + (rank + 1) * slice).min(bucket.end);
            for (number, _, part) in overlaps(&self.places, &mine) {
                let sum = &mut self.sums[done + part.start..done + part.end];
                let mut begun = self.present[number];
                for (of, _) in has.iter().enumerate().filter(|(_, has)| has[number]) {
                    let more = &received[of * slice + part.start..of * slice + part.end];
                    if begun {
                        add(sum, more);
                    } else {
                        sum.copy_from_slice(more);
                    }
                    begun = true;
                }
            }
            done += slice;
        }
        for has in has {
            self.present.iter_mut().zip(has).for_each(|(present, has)| *present |= has);
        }
    }

    /// The sums, the same on every rank; nothing when no pass had gradients.
    pub(in crate::train) fn finish(mut self) -> Option<FlatGradients> {
        if self.present.iter().all(|present| !present) {
            return None;
        }
        for (own, place) in self.own.iter_mut().zip(&self.places) {
            own.resize(place.len(), 0.0);
        }
        let (size, mut all, mut done) = (self.ranks.size(), Vec::new(), 0);
        for bucket in self.buckets() {
            let slice = bucket.len().div_ceil(size);
            all.resize(slice * size, 0.0);
            self.ranks.all_gather(&self.sums[done..done + slice], &mut all);
            for (number, place, part) in overlaps(&self.places, &bucket) {
                self.own[number][place].copy_from_slice(&all[part]);
            }
            done += slice;
        }
        let device = &self.device;
        let tensor = |(numbers, present): (Vec<f32>, bool)| {
            let length = numbers.len();
            present.then(|| Tensor::from_data(TensorData::new(numbers, [length]), device))
        };
        Some(self.own.into_iter().zip(self.present).map(tensor).collect())
    }

    fn buckets(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        buckets(self.places.last().map_or(0, |place| place.end), self.bucket)
    }

    /// For each rank, which parameters have a gradient.
    fn gather_flags(&self, has: &[bool]) -> Vec<Vec<bool>> {
        let word = |flags: &[bool]| flags.iter().rev().fold(0, |word, flag| word << 1 | u64::from(*flag));
        let words: Vec<u64> = has.chunks(u64::BITS as usize).map(word).collect();
        let all = self.ranks.all_gather_words(&words);
        let flags = |words: &[u64]| (0..has.len()).map(|at| words[at / 64] >> (at % 64) & 1 == 1).collect();
        all.chunks(words.len().max(1)).map(flags).collect()
    }
}

fn add(sum: &mut [f32], more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

fn buckets(numbers: usize, bucket: usize) -> impl Iterator<Item = Range<usize>> {
    (0..numbers).step_by(bucket.max(1)).map(move |start| start..(start + bucket).min(numbers))
}

/// What `among` has of each parameter: its number, a range of its own numbers, and the same counted from the start of
/// `among`.
fn overlaps(
    places: &[Range<usize>],
    among: &Range<usize>,
) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let (start, end) = (among.start, among.end);
    let first = places.partition_point(|place| place.end <= start);
    let inside = places.iter().enumerate().skip(first).take_while(move |(_, place)| place.start < end);
    inside.filter(|(_, place)| !place.is_empty()).map(move |(number, place)| {
        let (from, to) = (place.start.max(start), place.end.min(end));
        (number, from - place.start..to - place.start, from - start..to - start)
    })
}

/// Where the numbers of the parameters that are trained are; others have an empty place.
struct Places {
    ranges: Vec<Range<usize>>,
    end: usize,
    device: Option<Device>,
}

impl ModuleVisitor for Places {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        let length = if value.is_require_grad() { value.dims().iter().product() } else { 0 };
        self.ranges.push(self.end..self.end + length);
        self.end += length;
        self.device.get_or_insert_with(|| value.inner().device());
    }
}
