//! What an attention is besides its sizes.

/// The heads of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionHeads {
    /// How many; a divisor of the hidden size.
    pub number: usize,
    /// Whether a token attends to itself and the tokens before it (the masked attention of Vaswani et al. 2017, §3.2.3);
    /// else to every token of its sequence.
    pub causal: bool,
}
