//! How far a long piece of work is, on stderr where a person looks.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with `what` before it; nothing is drawn where stderr is no terminal.
pub(crate) fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Tells a bar, as the store reports it.
pub(crate) fn tell(bar: &ProgressBar) -> impl FnMut(u64, u64) + use<'_> {
    |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    }
}
