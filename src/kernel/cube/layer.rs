//! One transformer layer of GPU kernels and matrix products: forward, and backward by hand.

use burn::backend::Cube;
use burn::backend::ops::FloatTensorOps;
use burn_cubecl::tensor::CubeTensor;

use super::attention::Attention;
use super::gelu::{gelu, gelu_backward};
use super::norm::{NormGradients, Normed, norm_backward, residual_norm};
use super::product::{product, product_of_transposed, product_with_transposed};
use super::row::Drops;
use super::rows::{add_rows, spread_rows, take_rows};
use super::sums::{Partials, sum_blocks};
use super::tensor::{operand, upload};
use crate::kernel::cpu::{LayerDropout, LayerShape, Site};
use crate::kernel::fused::{LAYER_INPUTS, LayerCall, Operation};

/// What the backward pass reads besides the inputs.
#[derive(Debug)]
pub(in crate::kernel) struct Saved {
    qkv: CubeTensor,
    context: CubeTensor,
    log_sums: CubeTensor,
    attended: Normed,
    wide: CubeTensor,
    output: Normed,
    operands: Operands,
    /// Numbers of the rows that are read, where not all are: what follows the attention has no others.
    read: Option<CubeTensor>,
}

/// Operands of the forward pass's products that the backward pass multiplies again; in f32 the tensors that they are of.
#[derive(Debug)]
struct Operands {
    x: CubeTensor,
    context: CubeTensor,
    hidden: CubeTensor,
    /// Of queries, keys and values, of the attention's output, of the wide layer, of the narrow one.
    weights: [CubeTensor; 4],
}

/// The masks of a layer.
struct Sites {
    attention: Option<Site>,
    attention_residual: Option<Site>,
    output_residual: Option<Site>,
}

impl Sites {
    fn of(call: &LayerCall) -> Self {
        let hidden = call.shape.hidden;
        let site = |number: fn(&LayerDropout) -> u32, width| {
            call.dropout.as_ref().map(|dropout| dropout.mask.site(number(dropout), width))
        };
        Self {
            attention: site(|dropout| dropout.attention_site, call.packing.longest()),
            attention_residual: site(|dropout| dropout.attention_residual_site, hidden),
            output_residual: site(|dropout| dropout.output_residual_site, hidden),
        }
    }
}

/// As the layer's attention, over `qkv`.
fn attention<'a>(
    qkv: &'a CubeTensor,
    bias: &'a CubeTensor,
    offsets: &'a CubeTensor,
    call: &LayerCall,
    site: Option<Site>,
) -> Attention<'a> {
    let LayerShape { tokens, hidden, form, .. } = call.shape;
    Attention { qkv, bias, offsets, longest: call.packing.longest(), tokens, hidden, heads: form.heads, site }
}

impl Operation<Cube, LAYER_INPUTS> for LayerCall {
    type Kept = Saved;

    fn forward(&self, inputs: &[CubeTensor; LAYER_INPUTS], _keep: bool) -> (CubeTensor, Option<Saved>) {
        let [x, wqkv, bqkv, wa, ba, attended_gamma, attended_beta, wi, bi, wo, bo, output_gamma, output_beta] = inputs;
        let (sites, offsets) = (Sites::of(self), self.packing.offsets_on::<Cube>());
        let of = |tensor: &CubeTensor| operand(tensor, self.precision);
        let (x_operand, weights) = (of(x), [wqkv, wa, wi, wo].map(of));
        let qkv = product(&x_operand, &weights[0]);
        let [context, log_sums] = attention(&qkv, bqkv, &offsets, self, sites.attention).forward();
        let read = self.read.as_deref().map(|rows| upload(x, rows));
        let taken =
            |of: &CubeTensor| read.as_ref().map_or_else(|| of.clone(), |rows| take_rows(of, rows, self.shape.hidden));
        let context_operand = operand(&taken(&context), self.precision);
        let projected = product(&context_operand, &weights[1]);
        let (site, vectors) = (sites.attention_residual.as_ref(), [attended_gamma, attended_beta]);
        let (hidden, attended) = residual_norm(&projected, ba, &taken(x), vectors, site, read.as_ref());
        let hidden_operand = of(&hidden);
        let wide = product(&hidden_operand, &weights[2]);
        let narrow = product(&gelu(&wide, bi, self.precision), &weights[3]);
        let (site, vectors) = (sites.output_residual.as_ref(), [output_gamma, output_beta]);
        let (y, output) = residual_norm(&narrow, bo, &hidden, vectors, site, read.as_ref());
        let operands = Operands { x: x_operand, context: context_operand, hidden: hidden_operand, weights };
        (y, Some(Saved { qkv, context, log_sums, attended, wide, output, operands, read }))
    }

    fn backward(
        &self,
        inputs: &[CubeTensor; LAYER_INPUTS],
        saved: &Saved,
        arriving: &CubeTensor,
    ) -> [CubeTensor; LAYER_INPUTS] {
        let [x, _, bqkv, _, _, attended_gamma, _, _, bi, _, _, output_gamma, _] = inputs;
        let Operands { x: x_operand, context, hidden: hidden_operand, weights: [wqkv, wa, wi, wo] } = &saved.operands;
        let of = |tensor: &CubeTensor| operand(tensor, self.precision);
        let LayerShape { tokens, hidden, intermediate, .. } = self.shape;
        let (sites, offsets) = (Sites::of(self), self.packing.offsets_on::<Cube>());
        let spread = |of: CubeTensor| match &saved.read {
            Some(rows) => spread_rows(&of, rows, [tokens, hidden]),
            None => of,
        };
        // Every gradient of a vector: γ, β and bias of both norms, the bias before GELU, that of queries, keys and values.
        let mut widths = vec![hidden, hidden, hidden, intermediate, hidden, hidden, hidden, 3 * hidden];
        // The last is a sum over other rows than these, where not all are read.
        let apart = self.read.as_ref().and_then(|_| widths.pop()).map(|width| Partials::new(x, tokens, vec![width]));
        let partials = Partials::new(x, self.read.as_ref().map_or(tokens, |read| read.len()), widths);
        let masked = (sites.output_residual.as_ref(), Drops::Input);
        let NormGradients { sum: to_hidden, input: of_narrow } =
            norm_backward((arriving, None), &saved.output, output_gamma, masked, &partials, 0);
        let of_narrow = of(&of_narrow);
        let of_gelu = product_with_transposed(&of_narrow, wo);
        let [of_wide, activated] = gelu_backward(&of_gelu, &saved.wide, bi, &partials, 3, self.precision);
        let of_wo = product_of_transposed(&activated, &of_narrow);
        let of_hidden = product_with_transposed(&of_wide, wi);
        let of_wi = product_of_transposed(hidden_operand, &of_wide);
        let masked = (sites.attention_residual.as_ref(), Drops::Input);
        let NormGradients { sum: to_x, input: of_projected } =
            norm_backward((&of_hidden, Some(&to_hidden)), &saved.attended, attended_gamma, masked, &partials, 4);
        let of_projected = of(&of_projected);
        let of_context = spread(product_with_transposed(&of_projected, wa));
        let of_wa = product_of_transposed(context, &of_projected);
        let of_qkv = attention(&saved.qkv, bqkv, &offsets, self, sites.attention).backward(
            &of_context,
            &saved.context,
            &saved.log_sums,
        );
        match &apart {
            Some(apart) => sum_blocks(&of_qkv, 3 * hidden, apart, 0),
            None => sum_blocks(&of_qkv, 3 * hidden, &partials, 7),
        }
        let of_qkv = of(&of_qkv);
        let of_wqkv = product_of_transposed(x_operand, &of_qkv);
        let through = product_with_transposed(&of_qkv, wqkv);
        let of_x = match &saved.read {
            Some(rows) => add_rows(&to_x, rows, through, hidden),
            None => Cube::float_add(through, to_x),
        };
        let mut vectors = partials.totals().into_iter().chain(apart.into_iter().flat_map(Partials::totals));
        let mut vector = || vectors.next().unwrap_or_else(|| of_x.clone());
        let [output_gamma, output_beta, bo, bi] = [(); 4].map(|()| vector());
        let [attended_gamma, attended_beta, ba, bqkv] = [(); 4].map(|()| vector());
        [of_x, of_wqkv, bqkv, of_wa, ba, attended_gamma, attended_beta, of_wi, bi, of_wo, bo, output_gamma, output_beta]
    }
}
