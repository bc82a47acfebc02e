//! Calls of a decoder that may panic.

use std::cell::Cell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is one that [`guarded`] turns into an error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `decode` gives. The decoder indexes into pages before it has checked all that they say of themselves, so it
/// may panic on damaged ones; nothing is written to standard error then.
pub(super) fn guarded<T, E: Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let found = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(outer);
    match found {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(_) => Err("a page cannot be decoded".to_owned()),
    }
}
