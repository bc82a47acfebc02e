//! An axis with round ticks, linear or logarithmic.

/// Data values on one side, CSS pixels on the other.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// Data at the first end.
    low: f64,
    /// Data at the second end.
    high: f64,
    /// Pixels at the two ends.
    pixels: (f64, f64),
    /// Distance between ticks, in data; of no use on a logarithmic axis.
    step: f64,
    /// Whether equal distances are equal ratios.
    logarithmic: bool,
}

/// Ticks of a logarithmic axis: these times powers of ten.
const DECADE: [f64; 3] = [1.0, 2.0, 5.0];

impl Axis {
    /// An axis over `values`, widened to whole ticks, about `ticks` of them. Without a finite value it
    /// runs from 0 to 1.
    pub(crate) fn over(values: impl Iterator<Item = f64>, ticks: u32, pixels: (f64, f64)) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = match (low <= high, high - low > 1e-9 * high.abs().max(1e-9)) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - 0.5 * low.abs().max(1e-3), high + 0.5 * high.abs().max(1e-3)),
        };
        let rough = (high - low) / f64::from(ticks.max(1));
        let power = 10_f64.powf(rough.log10().floor());
        // Steps of 1, 2 and 5 times a power of ten.
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(rough);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, pixels, step, logarithmic: false }
    }

    /// A logarithmic axis over `values`, widened to ticks at 1, 2 and 5 times powers of ten. Linear where that would
    /// tell nothing more: without positive values, or with all of them within a factor of three.
    pub(crate) fn logarithmic(values: impl Iterator<Item = f64>, ticks: u32, pixels: (f64, f64)) -> Self {
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), value| (l.min(*value), h.max(*value)));
        if !(low > 0.0 && high > 3.0 * low) {
            return Self::over(values.into_iter(), ticks, pixels);
        }
        let decade = |value: f64| 10_f64.powf(value.log10().floor());
        let below = DECADE.iter().rev().map(|m| m * decade(low)).find(|tick| *tick <= low * 1.000_001).unwrap_or(low);
        let above = DECADE.iter().chain(&[10.0]).map(|m| m * decade(high)).find(|tick| *tick >= high * 0.999_999);
        Self { low: below, high: above.unwrap_or(high), pixels, step: 1.0, logarithmic: true }
    }

    pub(crate) fn pixel(&self, value: f64) -> f64 {
        if self.logarithmic {
            let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
            return self.pixels.0 + share * (self.pixels.1 - self.pixels.0);
        }
        self.pixels.0 + (value - self.low) / (self.high - self.low) * (self.pixels.1 - self.pixels.0)
    }

    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        if self.logarithmic {
            return self.decades();
        }
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count)
            .map(|at| {
                let value = self.low + at as f64 * self.step;
                // Adding steps up leaves −0.0000001 where 0 belongs.
                let value = if value.abs() < self.step * 1e-6 { 0.0 } else { value };
                (value, shortened(value, decimals).replace('-', "−"))
            })
            .collect()
    }

    /// Ticks at 1, 2 and 5 times powers of ten; at powers of ten alone where those would stand too close.
    fn decades(&self) -> Vec<(f64, String)> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let multiples: &[f64] = if last - first > 3 { &DECADE[..1] } else { &DECADE };
        (first..=last)
            .flat_map(|power| multiples.iter().map(move |multiple| (multiple * 10_f64.powi(power), power)))
            .filter(|(tick, _)| *tick >= self.low * 0.999_999 && *tick <= self.high * 1.000_001)
            .map(|(tick, power)| (tick, shortened(tick, (-power).max(0) as usize)))
            .collect()
    }
}

/// `12000` as `12k`: steps of long runs would not fit under their ticks.
fn shortened(value: f64, decimals: usize) -> String {
    let thousands = value / 1000.0;
    if value.abs() >= 10_000.0 && (thousands - thousands.round()).abs() < 1e-9 {
        format!("{thousands:.0}k")
    } else {
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], ticks: u32) -> Vec<String> {
        Axis::over(values.iter().copied(), ticks, (0.0, 100.0)).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(labels(&[52.1, 88.4], 4), ["50", "60", "70", "80", "90"]);
        assert_eq!(labels(&[0.31, 0.69], 4), ["0.3", "0.4", "0.5", "0.6", "0.7"]);
        assert_eq!(labels(&[-12.0, 31.0], 3), ["−20", "0", "20", "40"]);
        assert_eq!(labels(&[0.0, 40_000.0], 2), ["0", "20k", "40k"]);
    }

    #[test]
    fn one_value_and_none_still_make_an_axis() {
        for values in [&[3.0][..], &[0.0], &[], &[f64::NAN], &[-1e-12], &[1e300]] {
            let axis = Axis::over(values.iter().copied(), 4, (0.0, 100.0));
            assert!(axis.ticks().len() >= 2 && axis.ticks().len() < 20, "{values:?} {:?}", axis.ticks());
            for value in values.iter().filter(|value| value.is_finite()) {
                assert!((0.0..=100.0).contains(&axis.pixel(*value)), "{value}");
            }
        }
    }

    #[test]
    fn ratios_are_ticked_by_one_two_and_five() {
        let labels = |values: &[f64]| -> Vec<String> {
            let axis = Axis::logarithmic(values.iter().copied(), 4, (0.0, 100.0));
            axis.ticks().into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(&[4.0, 900.0]), ["2", "5", "10", "20", "50", "100", "200", "500", "1000"]);
        assert_eq!(labels(&[0.4, 3.0, f64::NAN]), ["0.2", "0.5", "1", "2", "5"]);
        assert_eq!(labels(&[2.0, 30_000.0]), ["10", "100", "1000", "10k"]);
        // Too close together for ratios, and nothing that has any.
        assert_eq!(labels(&[20.0, 30.0]), ["20", "25", "30"]);
        assert!(labels(&[0.0, 9.0]).len() > 1 && labels(&[]).len() > 1);
        let axis = Axis::logarithmic([1.0, 100.0].into_iter(), 4, (0.0, 100.0));
        assert!((axis.pixel(10.0) - 50.0).abs() < 1e-9 && axis.pixel(0.0).abs() < 1e-9);
    }
}
