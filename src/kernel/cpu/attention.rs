//! placeholder
use super::element::Element;
use super::mask::Site;
pub fn probs(
    qkv: &[f32],
    hidden: usize,
    d: usize,
    head: usize,
    rows: std::ops::Range<usize>,
    i: usize,
    mask: Option<Site>,
    tokens: usize,
    longest: usize,
) -> (Vec<f32>, Vec<f32>) {
    let at = |p: usize, t: usize, x: usize| qkv[t * 3 * hidden + p * hidden + head * d + x];
    let s: Vec<f32> =
        rows.clone().map(|j| (0..d).map(|x| at(0, i, x) * at(1, j, x)).sum::<f32>() / (d as f32).sqrt()).collect();
    let m = s.iter().copied().fold(f32::MIN, f32::max);
    let e: Vec<f32> = s.iter().map(|s| (s - m).exp()).collect();
    let t: f32 = e.iter().sum();
    let mut keep = vec![1.0; longest];
    if let Some(mask) = mask {
        mask.multiply(head * tokens + i, longest, &mut keep);
    }
    (e.iter().map(|e| e / t).collect(), keep)
}
pub fn forward<E: Element>(qkv: &[E], context: &mut [E], heads: usize, offsets: &[u32], mask: Option<Site>) {
    let tokens = *offsets.last().unwrap() as usize;
    let hidden = context.len() / tokens;
    let d = hidden / heads;
    let longest = offsets.windows(2).map(|p| p[1] - p[0]).max().unwrap() as usize;
    let q: Vec<f32> = qkv.iter().map(|x| x.to_f32()).collect();
    for b in offsets.windows(2) {
        let rows = b[0] as usize..b[1] as usize;
        for head in 0..heads {
            for i in rows.clone() {
                let (p, keep) = probs(&q, hidden, d, head, rows.clone(), i, mask, tokens, longest);
                for x in 0..d {
                    context[i * hidden + head * d + x] = E::from_f32(
                        rows.clone()
                            .enumerate()
                            .map(|(c, j)| p[c] * keep[c] * q[j * 3 * hidden + 2 * hidden + head * d + x])
                            .sum(),
                    );
                }
            }
        }
    }
}
pub fn backward<E: Element>(qkv: &[E], dc: &[E], dqkv: &mut [E], heads: usize, offsets: &[u32], mask: Option<Site>) {
    let tokens = *offsets.last().unwrap() as usize;
    let hidden = dc.len() / tokens;
    let d = hidden / heads;
    let longest = offsets.windows(2).map(|p| p[1] - p[0]).max().unwrap() as usize;
    let q: Vec<f32> = qkv.iter().map(|x| x.to_f32()).collect();
    let g: Vec<f32> = dc.iter().map(|x| x.to_f32()).collect();
    let mut out = vec![0f32; q.len()];
    for b in offsets.windows(2) {
        let rows = b[0] as usize..b[1] as usize;
        for head in 0..heads {
            for i in rows.clone() {
                let (p, keep) = probs(&q, hidden, d, head, rows.clone(), i, mask, tokens, longest);
                let dp: Vec<f32> = rows
                    .clone()
                    .enumerate()
                    .map(|(c, j)| {
                        keep[c]
                            * (0..d)
                                .map(|x| g[i * hidden + head * d + x] * q[j * 3 * hidden + 2 * hidden + head * d + x])
                                .sum::<f32>()
                    })
                    .collect();
                let total: f32 = dp.iter().zip(&p).map(|(a, b)| a * b).sum();
                for (c, j) in rows.clone().enumerate() {
                    let ds = p[c] * (dp[c] - total) / (d as f32).sqrt();
                    for x in 0..d {
                        out[j * 3 * hidden + 2 * hidden + head * d + x] +=
                            p[c] * keep[c] * g[i * hidden + head * d + x];
                        out[i * 3 * hidden + head * d + x] += ds * q[j * 3 * hidden + hidden + head * d + x];
                        out[j * 3 * hidden + hidden + head * d + x] += ds * q[i * 3 * hidden + head * d + x];
                    }
                }
            }
        }
    }
    for (o, x) in dqkv.iter_mut().zip(out) {
        *o = E::from_f32(x);
    }
}
