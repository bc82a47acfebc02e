//! Placeholder.
#![allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic)]
use super::mask::Mask;
use crate::kernel::Precision;

#[derive(Clone, Copy, Debug)]
pub struct LayerShape {
    pub tokens: usize,
    pub hidden: usize,
    pub heads: usize,
    pub intermediate: usize,
}
#[derive(Clone, Copy, Debug)]
pub struct LayerParameters<'a> {
    pub qkv_weight: &'a [f32],
    pub qkv_bias: &'a [f32],
    pub attention_weight: &'a [f32],
    pub attention_bias: &'a [f32],
    pub attention_gamma: &'a [f32],
    pub attention_beta: &'a [f32],
    pub intermediate_weight: &'a [f32],
    pub intermediate_bias: &'a [f32],
    pub output_weight: &'a [f32],
    pub output_bias: &'a [f32],
    pub output_gamma: &'a [f32],
    pub output_beta: &'a [f32],
}
pub struct LayerGradients<'a> {
    pub x: &'a mut [f32],
    pub qkv_weight: &'a mut [f32],
    pub qkv_bias: &'a mut [f32],
    pub attention_weight: &'a mut [f32],
    pub attention_bias: &'a mut [f32],
    pub attention_gamma: &'a mut [f32],
    pub attention_beta: &'a mut [f32],
    pub intermediate_weight: &'a mut [f32],
    pub intermediate_bias: &'a mut [f32],
    pub output_weight: &'a mut [f32],
    pub output_bias: &'a mut [f32],
    pub output_gamma: &'a mut [f32],
    pub output_beta: &'a mut [f32],
}
#[derive(Clone, Copy, Debug)]
pub struct LayerDropout {
    pub mask: Mask,
    pub attention_site: u32,
    pub attention_residual_site: u32,
    pub output_residual_site: u32,
}

type V = Vec<f32>;

#[derive(Debug)]
pub struct Saved {
    qkv: V,
    p: V,
    context: V,
    a_hat: V,
    a_scale: V,
    h: V,
    u: V,
    g: V,
    o_hat: V,
    o_scale: V,
}

fn linear(x: &[f32], w: &[f32], b: &[f32], k: usize) -> V {
    let n = b.len();
    let mut y = Vec::new();
    for row in x.chunks_exact(k) {
        let at = y.len();
        y.extend_from_slice(b);
        for (x, w) in row.iter().zip(w.chunks_exact(n)) {
            for (y, w) in y[at..].iter_mut().zip(w) {
                *y += x * w;
            }
        }
    }
    y
}
fn linear_back(x: &[f32], w: &[f32], dy: &[f32], k: usize, n: usize, dw: &mut [f32], db: &mut [f32]) -> V {
    dw.fill(0.0);
    db.fill(0.0);
    let mut dx = vec![0.0; x.len()];
    for ((x, dy), dx) in x.chunks_exact(k).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(k)) {
        for (db, dy) in db.iter_mut().zip(dy) {
            *db += dy;
        }
        for i in 0..k {
            for j in 0..n {
                dw[i * n + j] += x[i] * dy[j];
                dx[i] += w[i * n + j] * dy[j];
            }
        }
    }
    dx
}
fn norm(x: &[f32], gamma: &[f32], beta: &[f32]) -> (V, V, V) {
    let n = gamma.len();
    let (mut y, mut hat, mut scales) = (V::new(), V::new(), V::new());
    for row in x.chunks_exact(n) {
        let mean = row.iter().sum::<f32>() / n as f32;
        let var = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n as f32;
        let scale = 1.0 / (var + 1e-12).sqrt();
        for i in 0..n {
            hat.push((row[i] - mean) * scale);
            y.push((row[i] - mean) * scale * gamma[i] + beta[i]);
        }
        scales.push(scale);
    }
    (y, hat, scales)
}
fn norm_back(hat: &[f32], scales: &[f32], gamma: &[f32], dy: &[f32], dg: &mut [f32], db: &mut [f32]) -> V {
    let n = gamma.len();
    dg.fill(0.0);
    db.fill(0.0);
    let mut dx = V::new();
    for ((hat, dy), s) in hat.chunks_exact(n).zip(dy.chunks_exact(n)).zip(scales) {
        let g: V = (0..n).map(|i| dy[i] * gamma[i]).collect();
        let m = g.iter().sum::<f32>() / n as f32;
        let c = (0..n).map(|i| g[i] * hat[i]).sum::<f32>() / n as f32;
        for i in 0..n {
            dg[i] += dy[i] * hat[i];
            db[i] += dy[i];
            dx.push((g[i] - m - hat[i] * c) * s);
        }
    }
    dx
}
fn erf(x: f32) -> f32 {
    let (x, mut sum, mut term) = (f64::from(x), f64::from(x), f64::from(x));
    if x.abs() > 5.0 {
        return x.signum() as f32;
    }
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    (sum * std::f64::consts::FRAC_2_SQRT_PI) as f32
}
fn phi(x: f32) -> f32 {
    0.5 * (1.0 + erf(x / 2f32.sqrt()))
}
fn keep_row(dropout: Option<&LayerDropout>, offsets: &[u32], tokens: usize, head: usize, i: usize, n: usize) -> V {
    let mut row = vec![1.0; n];
    let longest = offsets.windows(2).map(|p| p[1] - p[0]).max().unwrap_or(0) as usize;
    if let Some(l) = dropout {
        let mut whole = vec![1.0; longest];
        l.mask.site(l.attention_site, longest).multiply(head * tokens + i, longest, &mut whole);
        row.copy_from_slice(&whole[..n]);
    }
    row
}
fn dropped(x: &mut [f32], dropout: Option<&LayerDropout>, site: u32, width: usize) {
    let Some(dropout) = dropout else { return };
    dropout.mask.site(site, width).multiply(0, width, x);
}

pub fn forward(
    shape: LayerShape,
    w: &LayerParameters<'_>,
    x: &[f32],
    offsets: &[u32],
    dropout: Option<&LayerDropout>,
    _: Precision,
    y: &mut [f32],
    keep: bool,
) -> Option<Saved> {
    let (h, heads) = (shape.hidden, shape.heads);
    let d = h / heads;
    let qkv = linear(x, w.qkv_weight, w.qkv_bias, h);
    let mut context = vec![0.0; shape.tokens * h];
    let mut ps = V::new();
    for pair in offsets.windows(2) {
        let (a, b) = (pair[0] as usize, pair[1] as usize);
        for head in 0..heads {
            for i in a..b {
                let q = &qkv[i * 3 * h + head * d..][..d];
                let s: V = (a..b)
                    .map(|j| {
                        let k = &qkv[j * 3 * h + h + head * d..][..d];
                        q.iter().zip(k).map(|(q, k)| q * k).sum::<f32>() / (d as f32).sqrt()
                    })
                    .collect();
                let most = s.iter().fold(f32::MIN, |m, &s| m.max(s));
                let e: V = s.iter().map(|s| (s - most).exp()).collect();
                let total: f32 = e.iter().sum();
                let f = keep_row(dropout, offsets, shape.tokens, head, i, b - a);
                for ((j, e), f) in (a..b).zip(e).zip(f) {
                    ps.push(e / total);
                    for c in 0..d {
                        context[i * h + head * d + c] += f * e / total * qkv[j * 3 * h + 2 * h + head * d + c];
                    }
                }
            }
        }
    }
    let mut attended = linear(&context, w.attention_weight, w.attention_bias, h);
    if let Some(l) = dropout {
        dropped(&mut attended, dropout, l.attention_residual_site, h);
    }
    attended.iter_mut().zip(x).for_each(|(a, x)| *a += x);
    let (hs, a_hat, a_scale) = norm(&attended, w.attention_gamma, w.attention_beta);
    let u = linear(&hs, w.intermediate_weight, w.intermediate_bias, h);
    let g: V = u.iter().map(|&u| u * phi(u)).collect();
    let mut out = linear(&g, w.output_weight, w.output_bias, shape.intermediate);
    if let Some(l) = dropout {
        dropped(&mut out, dropout, l.output_residual_site, h);
    }
    out.iter_mut().zip(&hs).for_each(|(a, x)| *a += x);
    let (result, o_hat, o_scale) = norm(&out, w.output_gamma, w.output_beta);
    y.copy_from_slice(&result);
    keep.then_some(Saved { qkv, p: ps, context, a_hat, a_scale, h: hs, u, g, o_hat, o_scale })
}

pub fn backward(
    shape: LayerShape,
    w: &LayerParameters<'_>,
    x: &[f32],
    s: &Saved,
    offsets: &[u32],
    dropout: Option<&LayerDropout>,
    _: Precision,
    dy: &[f32],
    into: LayerGradients<'_>,
) {
    let (h, heads, wide) = (shape.hidden, shape.heads, shape.intermediate);
    let d = h / heads;
    let d_out = norm_back(&s.o_hat, &s.o_scale, w.output_gamma, dy, into.output_gamma, into.output_beta);
    let mut d_drop = d_out.clone();
    if let Some(l) = dropout {
        dropped(&mut d_drop, dropout, l.output_residual_site, h);
    }
    let mut dg = linear_back(&s.g, w.output_weight, &d_drop, wide, h, into.output_weight, into.output_bias);
    for (dg, &u) in dg.iter_mut().zip(&s.u) {
        *dg *= phi(u) + u * (-u * u / 2.0).exp() / (2.0 * std::f32::consts::PI).sqrt();
    }
    let mut dh =
        linear_back(&s.h, w.intermediate_weight, &dg, h, wide, into.intermediate_weight, into.intermediate_bias);
    dh.iter_mut().zip(&d_out).for_each(|(a, b)| *a += b);
    let d_sum = norm_back(&s.a_hat, &s.a_scale, w.attention_gamma, &dh, into.attention_gamma, into.attention_beta);
    let mut d_drop = d_sum.clone();
    if let Some(l) = dropout {
        dropped(&mut d_drop, dropout, l.attention_residual_site, h);
    }
    let dc = linear_back(&s.context, w.attention_weight, &d_drop, h, h, into.attention_weight, into.attention_bias);
    let mut dqkv = vec![0.0; s.qkv.len()];
    let mut at = 0;
    for pair in offsets.windows(2) {
        let (a, b) = (pair[0] as usize, pair[1] as usize);
        for head in 0..heads {
            for i in a..b {
                let p = &s.p[at..at + b - a];
                at += b - a;
                let dc = &dc[i * h + head * d..][..d];
                let f = keep_row(dropout, offsets, shape.tokens, head, i, b - a);
                let dp: V = (a..b)
                    .map(|j| {
                        f[j - a]
                            * dc.iter().zip(&s.qkv[j * 3 * h + 2 * h + head * d..]).map(|(a, b)| a * b).sum::<f32>()
                    })
                    .collect();
                let m: f32 = dp.iter().zip(p).map(|(a, b)| a * b).sum();
                for (j, (dp, p)) in (a..b).zip(dp.iter().zip(p)) {
                    let ds = p * (dp - m) / (d as f32).sqrt();
                    for c in 0..d {
                        dqkv[j * 3 * h + 2 * h + head * d + c] += f[j - a] * p * dc[c];
                        dqkv[i * 3 * h + head * d + c] += ds * s.qkv[j * 3 * h + h + head * d + c];
                        dqkv[j * 3 * h + h + head * d + c] += ds * s.qkv[i * 3 * h + head * d + c];
                    }
                }
            }
        }
    }
    let dx = linear_back(x, w.qkv_weight, &dqkv, h, 3 * h, into.qkv_weight, into.qkv_bias);
    for ((to, a), b) in into.x.iter_mut().zip(dx).zip(d_sum) {
        *to = a + b;
    }
}
