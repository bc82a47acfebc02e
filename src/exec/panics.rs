//! What a panic said, and where: kept for the failure, written to the run's log.

use std::any::Any;
use std::backtrace::Backtrace;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::RunFolder;

/// The run that trains in this process, and its first panic. A panic hook gets no argument of ours,
/// so this has to be a static.
static WATCHED: Mutex<Option<(RunFolder, Option<String>)>> = Mutex::new(None);

fn watched() -> MutexGuard<'static, Option<(RunFolder, Option<String>)>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has panics of any thread of this process written to the log of the run that [`watch`] names, and
/// to standard error as before.
pub(super) fn install() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Some((folder, first)) = &mut *watched() {
            let place = info.location().map(|at| format!(" at {at}")).unwrap_or_default();
            let message = format!("{}{place}", words(info.payload()));
            // A full disk must not turn one panic into another.
            let _ = folder.log(&format!("panic: {message}\n{}", Backtrace::capture()));
            first.get_or_insert(message);
        }
        before(info);
    }));
}

/// Panics from now on are this run's.
pub(super) fn watch(folder: &RunFolder) {
    *watched() = Some((folder.clone(), None));
}

/// What the first panic since [`watch`] said and where, else what `payload` says.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    watched().take().and_then(|(_, first)| first).unwrap_or_else(|| words(payload))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}
