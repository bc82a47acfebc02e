//! Where parameters come in the order in which a module is visited, which is that of gradients.

use burn::module::{Module, ParamId, list_param_ids};

/// How many parameters there are.
pub(super) fn parameters(model: &impl Module) -> usize {
    list_param_ids(model).len()
}

/// Where a parameter comes in the module's visiting order.
pub(super) fn place(model: &impl Module, of: ParamId) -> usize {
    list_param_ids(model).iter().position(|id| *id == of).unwrap_or(usize::MAX)
}
