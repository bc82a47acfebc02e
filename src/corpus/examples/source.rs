//! Where text comes from.

use std::collections::BTreeMap;

use super::passages::Passages;
use crate::diagnostic::Diagnostic;

/// A corpus that is read once from its beginning to its end, in blocks small enough to be held by the dozen.
pub trait PassageSource {
    /// The next block; `None` at the end. The last document is ended, whether the source ends it or not.
    ///
    /// # Errors
    /// What is wrong with the input, with file and line; nothing is asked for after that.
    fn next_block(&mut self) -> Result<Option<Passages>, Diagnostic>;

    /// What there is to say about the input that was read so far: counts by name, such as lines with bytes that
    /// are no text.
    fn remarks(&self) -> BTreeMap<String, u64>;
}
