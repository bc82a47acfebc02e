//! Dynamic loss scaling: gradients of float16 passes are computed of a multiple of the loss, so that small ones do not
//! become 0, and a step whose gradients overflow is not taken (Micikevicius et al. 2018, arXiv 1710.03740, §3.2).

use burn::tensor::{Device, Tensor, TensorData};

use super::deferred::Deferred;

/// The factor that a run begins with (`torch.amp.GradScaler`, as the three constants below).
const INITIAL: f32 = 65536.0;
/// What the factor is multiplied by after [`GROWTH_INTERVAL`] steps in a row without an overflow.
pub(super) const GROWTH: f32 = 2.0;
/// What the factor is multiplied by after an overflow.
pub(super) const BACKOFF: f32 = 0.5;
/// Steps without an overflow until the factor grows.
pub(super) const GROWTH_INTERVAL: u32 = 2000;

/// Numbers of the state.
pub(super) const STATE: usize = 6;

/// The factor on the loss and what decides the next one, on the device that trains, which changes them without being
/// waited for.
#[derive(Clone, Debug)]
pub struct LossScale {
    /// `[6]`, in the order of [`State`]'s fields.
    state: Tensor<1>,
}

/// The numbers of a [`LossScale`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct State {
    /// The factor.
    pub(super) scale: f32,
    /// Steps that were taken since it last changed.
    pub(super) since_change: f32,
    /// Steps that were not taken.
    pub(super) skipped: f32,
    /// Steps that were taken.
    pub(super) taken: f32,
    /// 1 − β1 to the power of the steps taken, and of β2.
    pub(super) corrections: [f32; 2],
}

/// What a step with loss scaling did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaledStep {
    /// The factor on its loss.
    pub loss_scale: f64,
    /// Whether its gradients overflowed, so that it changed no parameter.
    pub skipped: bool,
    /// Steps of the run that were skipped, this one included.
    pub skipped_steps: u64,
}

impl LossScale {
    /// That of a run which begins on `device`.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self::of([INITIAL, 0.0, 0.0, 0.0, 0.0, 0.0], device)
    }

    /// One with the numbers that [`Self::numbers`] gave; none when they are not as many.
    #[must_use]
    pub fn from_numbers(numbers: &[f32], device: &Device) -> Option<Self> {
        Some(Self::of(numbers.try_into().ok()?, device))
    }

    fn of(numbers: [f32; STATE], device: &Device) -> Self {
        Self { state: Tensor::from_data(TensorData::new(numbers.to_vec(), [STATE]), &device.clone().inner()) }
    }

    /// All that the next steps depend on. Waits for the device.
    #[must_use]
    pub fn numbers(&self) -> Deferred<Vec<f32>> {
        Deferred::read([self.state.clone()], |[numbers]| numbers)
    }

    /// The factor on the loss of the next step, `[1]`, without autodiff.
    #[must_use]
    pub fn factor(&self) -> Tensor<1> {
        self.state.clone().slice_dim(0, 0..1)
    }

    /// The numbers, to be changed by a kernel.
    #[cfg(feature = "cube")]
    pub(super) fn take_state(&mut self) -> Tensor<1> {
        let place = Tensor::empty([1], &self.state.device());
        std::mem::replace(&mut self.state, place)
    }

    /// Puts them back.
    #[cfg(feature = "cube")]
    pub(super) fn put_state(&mut self, state: Tensor<1>) {
        self.state = state;
    }

    /// The numbers, read at once.
    pub(super) fn read(&self) -> State {
        let numbers: Vec<f32> = self.state.clone().into_data().iter::<f32>().collect();
        let [scale, since_change, skipped, taken, first, second] = numbers.try_into().unwrap_or([f32::NAN; STATE]);
        State { scale, since_change, skipped, taken, corrections: [first, second] }
    }

    /// Writes them.
    pub(super) fn write(&mut self, state: State) {
        let State { scale, since_change, skipped, taken, corrections: [first, second] } = state;
        let device = self.state.device();
        *self = Self::of([scale, since_change, skipped, taken, first, second], &device);
    }
}

impl State {
    /// After a step that was taken or not, with these β1 and β2.
    pub(super) fn after(self, is_taken: bool, [beta1, beta2]: [f64; 2]) -> Self {
        if !is_taken {
            return Self { scale: self.scale * BACKOFF, since_change: 0.0, skipped: self.skipped + 1.0, ..self };
        }
        let grows = self.since_change + 1.0 >= GROWTH_INTERVAL as f32;
        let [first, second] = self.corrections;
        Self {
            scale: if grows { self.scale * GROWTH } else { self.scale },
            since_change: if grows { 0.0 } else { self.since_change + 1.0 },
            skipped: self.skipped,
            taken: self.taken + 1.0,
            corrections: [first * beta1 as f32 + (1.0 - beta1) as f32, second * beta2 as f32 + (1.0 - beta2) as f32],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_halves_at_an_overflow_and_doubles_after_two_thousand_good_steps() {
        let mut scale = LossScale::new(&Device::flex());
        let mut run = |taken: &[bool]| {
            for &is_taken in taken {
                scale.write(scale.read().after(is_taken, [0.9, 0.999]));
            }
            scale.read()
        };
        let after = run(&[false, false]);
        assert_eq!((after.scale, after.skipped, after.taken), (16384.0, 2.0, 0.0));
        let after = run(&[true; 1999]);
        assert_eq!((after.scale, after.since_change, after.taken), (16384.0, 1999.0, 1999.0));
        let after = run(&[true]);
        assert_eq!((after.scale, after.since_change), (32768.0, 0.0));
        // Good steps are counted in a row.
        let after = run(&[&[true; 1999][..], &[false], &[true; 1999]].concat());
        assert_eq!((after.scale, after.skipped), (16384.0, 3.0));
        for (found, beta) in after.corrections.into_iter().zip([0.9f64, 0.999]) {
            let exact = 1.0 - beta.powi(5998);
            assert!((f64::from(found) / exact - 1.0).abs() < 1e-4, "{found} {exact}");
        }
    }

    #[test]
    fn the_numbers_make_the_same_again() {
        let device = Device::flex();
        let mut scale = LossScale::new(&device);
        scale.write(scale.read().after(true, [0.9, 0.999]).after(false, [0.9, 0.999]));
        let again = LossScale::from_numbers(&scale.numbers().wait().unwrap(), &device).unwrap();
        assert_eq!(again.read(), scale.read());
        assert_eq!(again.factor().into_scalar::<f32>().to_bits(), 32768.0f32.to_bits());
        assert!(LossScale::from_numbers(&[1.0], &device).is_none());
    }
}
