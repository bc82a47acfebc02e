//! What the commands show of experiments that pretrain.

mod checked;
mod shown;

pub(super) use checked::check;
pub(super) use shown::{is_done, needed, needed_lines, needed_states, plan as show_plan, status as show_status};
