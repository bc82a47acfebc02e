//! Lines on standard error.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::diagnostic::visible;

/// A line on standard error.
pub(crate) fn say(text: &impl std::fmt::Display) {
    eprintln!("{}", visible(&text.to_string()));
}

/// What of a model or its input is worth knowing, once.
pub(crate) fn note(text: &impl std::fmt::Display) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let text = text.to_string();
    if SAID.lock().is_ok_and(|mut said| said.insert(text.clone())) {
        say(&format_args!("note: {text}"));
    }
}

/// [`note`] of a text.
pub(crate) fn note_text(text: &str) {
    note(&text);
}
