//! GELU in both of its forms ([`Gelu`](form::Gelu)), on the tiles of the products around it.

use super::element::Element;
use super::gemm::{Cells, Output, Place, tile_row};
use super::isa::Isa;
use super::math::{gelu, gelu_and_derivative, gelu_tanh, gelu_tanh_and_derivative};
use crate::kernel::layer_form as form;

/// u = product + bias; stores GELU(u), and u too when the backward pass will read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gelu<'a, E> {
    /// `[rows, width]`
    pub(super) activation: Cells<'a, E>,
    /// `[rows, width]`
    pub(super) input: Option<Cells<'a, E>>,
    pub(super) width: usize,
    /// `[width]`
    pub(super) bias: &'a [f32],
    pub(super) form: form::Gelu,
}

impl<E: Element> Output for Gelu<'_, E> {
    unsafe fn take(&self, place: Place, tile: &[f32]) {
        match self.form {
            form::Gelu::Exact => self.rows(place, tile, gelu),
            form::Gelu::Tanh => self.rows(place, tile, gelu_tanh),
        }
    }
}

impl<E: Element> Gelu<'_, E> {
    #[inline(always)]
    fn rows(&self, place: Place, tile: &[f32], function: impl Fn(f32) -> f32) {
        Isa::detect().run(
            #[inline(always)]
            || {
                let bias = &self.bias[place.column..][..place.columns];
                for row in 0..place.rows {
                    let (at, product) =
                        ((place.row + row) * self.width + place.column, tile_row(tile, row, place.columns));
                    // SAFETY: tiles do not overlap, so neither do their rows.
                    let to = unsafe { self.activation.part(at, place.columns) };
                    // Of u as it is stored, kept or not: the backward pass computes the same value again.
                    for ((to, &p), &b) in to.iter_mut().zip(product).zip(bias) {
                        *to = E::from_f32(function(E::from_f32(p + b).to_f32()));
                    }
                    if let Some(input) = self.input {
                        // SAFETY: as above.
                        let input = unsafe { input.part(at, place.columns) };
                        input.iter_mut().zip(product).zip(bias).for_each(|((to, &p), &b)| *to = E::from_f32(p + b));
                    }
                }
            },
        );
    }
}

/// The product is ∂L/∂GELU(u): stores ∂L/∂u = product × GELU′(u), and GELU(u) again.
#[derive(Clone, Copy, Debug)]
pub(super) struct GeluBackward<'a, E> {
    /// u, `[rows, width]`
    pub(super) input: &'a [E],
    /// `[rows, width]`
    pub(super) gradient: Cells<'a, E>,
    /// `[rows, width]`
    pub(super) activation: Cells<'a, E>,
    pub(super) width: usize,
    pub(super) form: form::Gelu,
}

impl<E: Element> Output for GeluBackward<'_, E> {
    unsafe fn take(&self, place: Place, tile: &[f32]) {
        match self.form {
            form::Gelu::Exact => self.rows(place, tile, gelu_and_derivative),
            form::Gelu::Tanh => self.rows(place, tile, gelu_tanh_and_derivative),
        }
    }
}

impl<E: Element> GeluBackward<'_, E> {
    #[inline(always)]
    fn rows(&self, place: Place, tile: &[f32], function: impl Fn(f32) -> (f32, f32)) {
        Isa::detect().run(
            #[inline(always)]
            || {
                for row in 0..place.rows {
                    let (at, product) =
                        ((place.row + row) * self.width + place.column, tile_row(tile, row, place.columns));
                    let input = &self.input[at..][..place.columns];
                    // SAFETY: tiles do not overlap, so neither do their rows.
                    let (gradient, activation) =
                        unsafe { (self.gradient.part(at, place.columns), self.activation.part(at, place.columns)) };
                    for (((gradient, activation), &input), &product) in
                        gradient.iter_mut().zip(activation).zip(input).zip(product)
                    {
                        let (value, derivative) = function(input.to_f32());
                        *gradient = E::from_f32(product * derivative);
                        *activation = E::from_f32(value);
                    }
                }
            },
        );
    }
}
