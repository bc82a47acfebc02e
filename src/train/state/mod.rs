//! A module's parameters and the optimizer's moments as files of a checkpoint, bit for bit.
//!
//! Both files follow the module's visiting order; numbers are little-endian. What stands in them is checked
//! against the module that they are read into, so that a checkpoint of another model is refused.

use std::io::{self, Read, Write};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::optimizer::Optimizer;
use crate::kernel::{LossScale, Moments};
use crate::store::{Checkpoint, CheckpointWriter};

/// For every parameter its number of elements (64 bits), and the elements.
const PARAMETERS: &str = "parameters.f32";
/// The number of steps and of entries; then for every parameter a [`Kind`], and what belongs to it; where losses are scaled
/// the numbers of that.
const MOMENTS: &str = "moments.bin";

/// How the moments of a parameter are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It has had no gradient yet.
    Absent = 0,
    /// Number of elements, first moment, second moment.
    Dense = 1,
    /// Number of rows and of elements, a byte for every row (1 when its moments may be something else than 0), and
    /// both moments of these rows.
    Rows = 2,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Absent, Self::Dense, Self::Rows];
}

/// Numbers that are converted at a time.
const PIECE: usize = 1 << 16;

/// Adds the files of `module` and `optimizer` to a checkpoint.
///
/// # Errors
/// When the disk says no.
pub(super) fn write_state<M: Module>(
    into: &mut CheckpointWriter<'_>,
    module: &M,
    optimizer: &Optimizer,
) -> io::Result<()> {
    into.file(PARAMETERS, |file| {
        let mut writer = WriteParameters { file, result: Ok(()) };
        module.visit(&mut writer);
        writer.result
    })?;
    into.file(MOMENTS, |file| {
        write_number(file, optimizer.step)?;
        write_number(file, optimizer.moments.len() as u64)?;
        optimizer.moments.iter().try_for_each(|moments| write_moments(file, moments.as_ref()))?;
        optimizer.loss_scale.as_ref().map_or(Ok(()), |scale| write_loss_scale(file, scale))
    })
}

/// `module` with the parameters of a checkpoint, and its optimizer.
///
/// # Errors
/// When a file cannot be read, or is of a module of another shape.
pub(super) fn read_state<M: Module>(from: &Checkpoint, module: M) -> io::Result<(M, Optimizer)> {
    let mut parameters = from.file(PARAMETERS)?;
    let mut reader = ReadParameters { file: &mut parameters, result: Ok(()), places: Vec::new() };
    let module = module.map(&mut reader);
    let ReadParameters { result, places, .. } = reader;
    result?;
    at_end(&mut parameters)?;
    let mut file = from.file(MOMENTS)?;
    let (step, entries) = (read_number(&mut file)?, read_number(&mut file)?);
    // Before the first step there are none.
    if entries != 0 && entries != places.len() as u64 {
        return Err(other_model());
    }
    let of_moments = places.iter().take(entries as usize);
    let moments =
        of_moments.map(|(length, device)| read_moments(&mut file, *length, device)).collect::<io::Result<Vec<_>>>()?;
    let loss_scale = match places.first() {
        Some((_, device)) => read_loss_scale(&mut file, device)?,
        None => None,
    };
    at_end(&mut file)?;
    Ok((module, Optimizer { moments, step, loss_scale }))
}

fn other_model() -> io::Error {
    io::Error::other("the checkpoint is of a model of another shape")
}

struct WriteParameters<'a> {
    file: &'a mut dyn Write,
    result: io::Result<()>,
}

impl ModuleVisitor for WriteParameters<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.result.is_ok() {
            self.result = write_tensor(self.file, parameter.val());
        }
    }
}

/// The number of elements, and the elements.
fn write_tensor<const D: usize>(file: &mut dyn Write, tensor: Tensor<D>) -> io::Result<()> {
    let numbers = numbers(tensor)?;
    write_number(file, numbers.len() as u64)?;
    write_numbers(file, &numbers)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> io::Result<Vec<f32>> {
    tensor.into_data().try_into_vec::<f32>().map_err(|error| io::Error::other(format!("{error:?}")))
}

fn write_number(file: &mut dyn Write, number: u64) -> io::Result<()> {
    file.write_all(&number.to_le_bytes())
}

fn write_numbers(file: &mut dyn Write, numbers: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(PIECE * size_of::<f32>());
    for piece in numbers.chunks(PIECE) {
        bytes.clear();
        for number in piece {
            bytes.extend(number.to_le_bytes());
        }
        file.write_all(&bytes)?;
    }
    Ok(())
}

fn write_moments(file: &mut dyn Write, moments: Option<&Moments<1>>) -> io::Result<()> {
    let Some(Moments { first, second, live_rows }) = moments else {
        return file.write_all(&[Kind::Absent as u8]);
    };
    let both = [numbers(first.clone())?, numbers(second.clone())?];
    let Some(live) = live_rows else {
        file.write_all(&[Kind::Dense as u8])?;
        write_number(file, both[0].len() as u64)?;
        return both.iter().try_for_each(|moment| write_numbers(file, moment));
    };
    file.write_all(&[Kind::Rows as u8])?;
    write_number(file, live.len() as u64)?;
    write_number(file, both[0].len() as u64)?;
    file.write_all(&live.iter().map(|&live| u8::from(live)).collect::<Vec<_>>())?;
    let width = both[0].len() / live.len().max(1);
    for moment in &both {
        for (row, _) in live.iter().enumerate().filter(|(_, live)| **live) {
            write_numbers(file, &moment[row * width..(row + 1) * width])?;
        }
    }
    Ok(())
}

fn write_loss_scale(file: &mut dyn Write, scale: &LossScale) -> io::Result<()> {
    write_numbers(file, &scale.numbers().wait().map_err(|fault| io::Error::other(fault.to_string()))?)
}

/// What is left of the file; nothing where losses were not scaled.
fn read_loss_scale(file: &mut impl Read, device: &Device) -> io::Result<Option<LossScale>> {
    let mut left = Vec::new();
    file.read_to_end(&mut left)?;
    let (words, rest) = left.as_chunks();
    let numbers: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    match LossScale::from_numbers(&numbers, device) {
        Some(scale) if rest.is_empty() => Ok(Some(scale)),
        _ if left.is_empty() => Ok(None),
        _ => Err(other_model()),
    }
}

struct ReadParameters<'a, R> {
    file: &'a mut R,
    result: io::Result<()>,
    /// Length and device of every parameter.
    places: Vec<(usize, Device)>,
}

impl<R: Read> ReadParameters<'_, R> {
    fn next<const D: usize>(&mut self, old: &Tensor<D>) -> io::Result<Tensor<D>> {
        let (shape, length) = (old.dims(), old.dims().iter().product::<usize>());
        self.places.push((length, old.clone().inner().device()));
        if read_number(self.file)? != length as u64 {
            return Err(other_model());
        }
        let numbers = read_numbers(self.file, length)?;
        let tensor = Tensor::<D>::from_data(TensorData::new(numbers, shape), &old.device());
        Ok(tensor.set_require_grad(old.is_require_grad()))
    }
}

impl<R: Read> ModuleMapper for ReadParameters<'_, R> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.result.is_err() {
            return parameter;
        }
        let (id, old, mapper) = parameter.consume();
        let value = match self.next(&old) {
            Ok(read) => read,
            Err(error) => {
                self.result = Err(error);
                old
            }
        };
        Param::from_mapped_value(id, value, mapper)
    }
}

fn read_number(file: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_numbers(file: &mut impl Read, length: usize) -> io::Result<Vec<f32>> {
    let mut numbers = Vec::with_capacity(length);
    let mut bytes = vec![0; PIECE.min(length) * size_of::<f32>()];
    while numbers.len() < length {
        let here = (length - numbers.len()).min(PIECE) * size_of::<f32>();
        file.read_exact(&mut bytes[..here])?;
        let (words, _) = bytes[..here].as_chunks();
        numbers.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
    }
    Ok(numbers)
}

fn at_end(file: &mut impl Read) -> io::Result<()> {
    match file.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(other_model()),
    }
}

/// The moments of a parameter of `length` elements.
fn read_moments(file: &mut impl Read, length: usize, device: &Device) -> io::Result<Option<Moments<1>>> {
    let mut kind = [0];
    file.read_exact(&mut kind)?;
    let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind[0]).ok_or_else(other_model)?;
    let live = match kind {
        Kind::Absent => return Ok(None),
        Kind::Dense => None,
        Kind::Rows => Some(read_number(file)?),
    };
    if read_number(file)? != length as u64 {
        return Err(other_model());
    }
    let tensor = |numbers| Tensor::<1>::from_data(TensorData::new(numbers, [length]), device);
    let Some(rows) = live else {
        let [first, second] = [read_numbers(file, length)?, read_numbers(file, length)?].map(tensor);
        return Ok(Some(Moments { first, second, live_rows: None }));
    };
    if rows == 0 || rows > length as u64 || !(length as u64).is_multiple_of(rows) {
        return Err(other_model());
    }
    let mut flags = vec![0; rows as usize];
    file.read_exact(&mut flags)?;
    let live: Vec<bool> = flags.into_iter().map(|flag| flag == 1).collect();
    let width = length / live.len();
    let mut moment = || -> io::Result<Vec<f32>> {
        // Rows that never had a gradient take no memory.
        let mut numbers = vec![0f32; length];
        for (row, _) in live.iter().enumerate().filter(|(_, live)| **live) {
            numbers[row * width..(row + 1) * width].copy_from_slice(&read_numbers(file, width)?);
        }
        Ok(numbers)
    };
    let [first, second] = [moment()?, moment()?].map(tensor);
    Ok(Some(Moments { first, second, live_rows: Some(live) }))
}

#[cfg(test)]
mod tests;
