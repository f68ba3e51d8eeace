//! How far a long piece of work is, on stderr where a person looks. Elsewhere its beginning and end are said, and that is
//! enough.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// Bytes of something whose end is not known.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Counts bytes of something whose end is not known.
    pub(crate) fn bytes(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{elapsed:>4} {bytes} {msg}, {bytes_per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }

    pub(crate) fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
