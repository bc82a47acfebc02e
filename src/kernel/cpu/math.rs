//! Elementary functions without branches, so that loops over them vectorise.
//!
//! The coefficients were fitted for this file: minimax by Lawson's iteration on a dense grid, in f64. Sums of
//! products are fused: every processor gives the same bits, and only those of x86-64 without FMA are slow.

/// 1.5 × 2²³ + 127: added to a small number, it leaves round(x) + 127 in the lowest bits.
const ROUND: f32 = 12_583_039.0;

/// 2ⁿ for the `n` that adding [`ROUND`] left in `rounded`: 0 for −127 and ∞ for 128.
#[inline(always)]
fn power_of_two(rounded: f32) -> f32 {
    f32::from_bits(rounded.to_bits() << 23)
}

/// The larger one; a NaN in `x` stays. One instruction, which `f32::max` is not.
#[inline(always)]
fn at_least(x: f32, bound: f32) -> f32 {
    if bound > x { bound } else { x }
}

/// The smaller one; a NaN in `x` stays.
#[inline(always)]
fn at_most(x: f32, bound: f32) -> f32 {
    if bound < x { bound } else { x }
}

/// eˣ within 2 units in the last place; 0 below −87.68 (2 to the −126.5), ∞ above 88.37 (2 to the 127.5).
#[must_use]
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // ln 2 in two parts, the first of which times n is exact.
    const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
    let x = at_most(at_least(x, -88.0), 89.0);
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    // eʳ = 1 + r + r² p(r) for |r| ≤ 0.3475, to 3.1e-9.
    let p = 0.001_381_422_2_f32.mul_add(r, 0.008_368_899);
    let p = p.mul_add(r, 0.041_668_406);
    let p = p.mul_add(r, 0.166_665_2);
    let p = p.mul_add(r, 0.499_999_93);
    ((p * r).mul_add(r, r) + 1.0) * power_of_two(rounded)
}

/// 1/(1 + e⁻ˣ), within 2e-7 of it.
#[must_use]
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh(x), within 3e-7.
#[must_use]
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The standard normal distribution function Φ and density φ at `u` within ±13.
///
/// Φ(−|u|) is φ(u) times a polynomial in 1/(1 + 0.35 |u|), as in Abramowitz & Stegun 26.2.17 with more terms.
/// Errors: 1e-7 absolute in Φ and φ, and a few 1e-6 relative in the tails.
#[inline(always)]
fn normal(u: f32) -> (f32, f32) {
    let exponent = u * u * (-0.5 * std::f32::consts::LOG2_E);
    let rounded = exponent + ROUND;
    let r = exponent - (rounded - ROUND);
    // 2ʳ/√(2π) for |r| ≤ 1/2, to 7.5e-8 of it.
    let p = 5.296_546e-4 * r + 0.003_859_982_7;
    let p = p.mul_add(r, 0.022_144_142);
    let p = p.mul_add(r, 0.095_834_39);
    let p = p.mul_add(r, 0.276_525_63);
    let p = p.mul_add(r, 0.398_942_3);
    let density = p * power_of_two(rounded);
    // (1 − Φ)/φ: 4.2e-8 after multiplication by φ, and 2.1e-6 of it in the tails.
    let inverse = 1.0 / u.abs().mul_add(0.35, 1.0);
    let q = 0.113_299_81_f32.mul_add(inverse, -0.468_223_25);
    let q = q.mul_add(inverse, 0.538_724);
    let q = q.mul_add(inverse, 0.014_436_591);
    let q = q.mul_add(inverse, 0.362_313_33);
    let q = q.mul_add(inverse, 0.342_334_3);
    let q = q.mul_add(inverse, 0.350_429_48);
    let tail = q * inverse * density;
    (if u > 0.0 { 1.0 - tail } else { tail }, density)
}

/// u Φ(u), the exact form of GELU (Hendrycks & Gimpel 2016). Both infinities give the limit.
#[must_use]
#[inline(always)]
pub fn gelu(u: f32) -> f32 {
    gelu_and_derivative(u).0
}

/// [`gelu`] and its derivative Φ(u) + u φ(u).
#[must_use]
#[inline(always)]
pub fn gelu_and_derivative(u: f32) -> (f32, f32) {
    // Φ(−13) is 6e-39: beyond, only infinities times 0 and densities below the normal numbers would follow.
    let u = at_least(u, -13.0);
    let bounded = at_most(u, 13.0);
    let (below, density) = normal(bounded);
    (u * below, bounded.mul_add(density, below))
}

/// GELU with a tanh in the place of Φ: u/2 (1 + tanh(√(2/π) (u + 0.044715 u³))) (Hendrycks & Gimpel 2016, §2).
#[must_use]
#[inline(always)]
pub fn gelu_tanh(u: f32) -> f32 {
    gelu_tanh_and_derivative(u).0
}

/// [`gelu_tanh`] and its derivative. (1 + tanh v)/2 is the sigmoid of 2 v.
#[must_use]
#[inline(always)]
pub fn gelu_tanh_and_derivative(u: f32) -> (f32, f32) {
    /// 2 √(2/π)
    const SLOPE: f32 = 1.595_769;
    const CUBE: f32 = 0.044_715;
    // Beyond, only infinities times 0 would follow: the sigmoid of the bound is below 1e-35.
    let u = at_least(u, -10.0);
    let bounded = at_most(u, 10.0);
    let square = bounded * bounded;
    let s = sigmoid(SLOPE * bounded * square.mul_add(CUBE, 1.0));
    let slope = SLOPE * square.mul_add(3.0 * CUBE, 1.0);
    (u * s, (bounded * slope).mul_add(s * (1.0 - s), s))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// e^y Σ by its series: Φ in f64 to 1e-15 relative, without a library.
    fn normal_in_f64(u: f64) -> (f64, f64) {
        let density = (-0.5 * u * u).exp() / std::f64::consts::TAU.sqrt();
        let a = u.abs();
        // φ(a) (a + a³/3 + a⁵/15 + …) up to 3, then the continued fraction of Mills' ratio.
        let tail = if a < 3.0 {
            let (mut term, mut sum) = (a, 0.0);
            for k in 1..200 {
                sum += term;
                term *= a * a / f64::from(2 * k + 1);
            }
            0.5 - density * sum
        } else {
            density / (1..300).rev().fold(a, |fraction, k| a + f64::from(k) / fraction)
        };
        (if u > 0.0 { 1.0 - tail } else { tail }, density)
    }

    fn grid(from: f32, to: f32, steps: i32) -> impl Iterator<Item = f32> {
        (0..=steps).map(move |i| from + (to - from) * (i as f32 / steps as f32))
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let worst = grid(-87.0, 88.3, 1_000_000)
            .map(|x| {
                let exact = f64::from(x).exp();
                (f64::from(exp(x)) - exact).abs() / exact
            })
            .fold(0.0, f64::max);
        assert!(worst < 2.0 * f64::from(f32::EPSILON), "{worst}");
        assert!(exp(f32::NAN).is_nan());
        let exact = [(0.0, 1.0), (-0.0, 1.0), (-87.7, 0.0), (f32::MIN, 0.0), (f32::NEG_INFINITY, 0.0)];
        assert!(exact.iter().all(|&(x, y): &(f32, f32)| exp(x).to_bits() == y.to_bits()));
        assert!([88.4, f32::MAX, f32::INFINITY].iter().all(|&x| exp(x).is_infinite() && exp(x) > 0.0));
    }

    #[test]
    fn sigmoid_and_tanh_are_those_in_f64() {
        for x in grid(-100.0, 100.0, 100_000).chain(grid(-8.0, 8.0, 1_000_000)) {
            let exact = f64::from(x);
            let errors =
                [f64::from(sigmoid(x)) - 1.0 / (1.0 + (-exact).exp()), f64::from(tanh(x)) - exact.tanh()].map(f64::abs);
            assert!(errors[0] < 2e-7 && errors[1] < 3e-7, "{x}: {errors:?}");
        }
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        let ends = [f32::NEG_INFINITY, f32::INFINITY].map(|x| [sigmoid(x), tanh(x)].map(f32::to_bits));
        assert_eq!(ends, [[0.0, -1.0], [1.0, 1.0]].map(|end: [f32; 2]| end.map(f32::to_bits)));
    }

    #[test]
    fn gelu_and_its_derivative_are_those_in_f64() {
        let (mut worst, mut worst_derivative, mut worst_tail) = (0.0f64, 0.0f64, 0.0f64);
        for u in grid(-20.0, 20.0, 1_000_000).chain(grid(-1e-3, 1e-3, 1000)) {
            let (below, density) = normal_in_f64(f64::from(u));
            let (expected, derivative) = (f64::from(u) * below, below + f64::from(u) * density);
            let got = gelu_and_derivative(u);
            assert_eq!(got.0.to_bits(), gelu(u).to_bits());
            let error = (f64::from(got.0) - expected).abs();
            worst = worst.max(error / expected.abs().max(1.0));
            worst_derivative = worst_derivative.max((f64::from(got.1) - derivative).abs());
            if u > -12.0 {
                worst_tail = worst_tail.max(error / expected.abs().max(1e-30));
            }
        }
        assert!(worst < 2e-7, "{worst}");
        assert!(worst_derivative < 3e-7, "{worst_derivative}");
        assert!(worst_tail < 1e-5, "{worst_tail}");
    }

    #[test]
    fn gelu_with_tanh_and_its_derivative_are_those_in_f64() {
        let value =
            |u: f64| 0.5 * u * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (u + 0.044_715 * u.powi(3))).tanh());
        for u in grid(-20.0, 20.0, 1_000_000).chain(grid(-1e-3, 1e-3, 1000)) {
            let (exact, step) = (f64::from(u), 1e-5);
            let derivative = (value(exact + step) - value(exact - step)) / (2.0 * step);
            let got = gelu_tanh_and_derivative(u);
            assert_eq!(got.0.to_bits(), gelu_tanh(u).to_bits());
            assert!((f64::from(got.0) - value(exact)).abs() < 3e-7 * exact.abs().max(1.0), "{u}: {got:?}");
            assert!((f64::from(got.1) - derivative).abs() < 2e-6, "{u}: {got:?}, {derivative}");
        }
        assert!(gelu_tanh(f32::NAN).is_nan() && gelu_tanh(f32::INFINITY).is_infinite());
        assert!([-10.0, -1e30, f32::NEG_INFINITY].iter().all(|&u| gelu_tanh(u).abs() < 1e-30));
    }

    #[test]
    fn gelu_of_what_is_not_an_ordinary_number() {
        let (nan, derivative) = gelu_and_derivative(f32::NAN);
        assert!(nan.is_nan() && derivative.is_nan());
        assert!(gelu(f32::INFINITY).is_infinite());
        for (u, expected) in [(0.0, (0.0, 0.5)), (-0.0, (-0.0, 0.5)), (1e30, (1e30, 1.0))] {
            let got: (f32, f32) = gelu_and_derivative(u);
            assert_eq!(got.0.to_bits(), f32::to_bits(expected.0));
            assert!((got.1 - expected.1).abs() < 1e-7, "{u}: {got:?}");
        }
        for u in [-13.0, -14.0, -1e30, f32::MIN, f32::NEG_INFINITY] {
            let got = gelu_and_derivative(u);
            assert!(got.0.abs() < 1e-35 && got.1.abs() < 1e-35, "{u}: {got:?}");
        }
    }
}
