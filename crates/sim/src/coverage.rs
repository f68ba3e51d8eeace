//! Which cells of the state table the runs of a thread visit, as the engine names them in its trace.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{DefaultGuard, Interest},
};

/// A cell: where the order stood, and what came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Cell {
    /// Where the order stood.
    pub situation: String,
    /// What came.
    pub input: String,
}

/// How often a cell was visited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Visits {
    /// It changed the order.
    pub moved: u64,
    /// It changed nothing, and that is in order.
    pub nothing: u64,
    /// It must not change anything.
    pub refused: u64,
}

/// What was visited.
pub type Cells = BTreeMap<Cell, Visits>;

/// Counts until it is dropped, on this thread.
#[derive(Debug)]
pub struct Counting {
    cells: Arc<Mutex<Cells>>,
    _guard: DefaultGuard,
}

/// Begins to count on this thread.
#[must_use]
pub fn count() -> Counting {
    let cells = Arc::new(Mutex::new(Cells::new()));
    let counter = Counter { cells: Arc::clone(&cells) };
    Counting { cells, _guard: tracing::subscriber::set_default(counter) }
}

impl Counting {
    /// What was visited so far.
    #[must_use]
    pub fn cells(&self) -> Cells {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds what another thread visited.
pub fn add(all: &mut Cells, more: Cells) {
    for (cell, visits) in more {
        let sum = all.entry(cell).or_default();
        sum.moved += visits.moved;
        sum.nothing += visits.nothing;
        sum.refused += visits.refused;
    }
}

const TARGET: &str = "orderkeep::cell";

struct Counter {
    cells: Arc<Mutex<Cells>>,
}

#[derive(Default)]
struct Fields {
    situation: String,
    input: String,
    moved: bool,
    refused: bool,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "situation" => value.clone_into(&mut self.situation),
            "input" => value.clone_into(&mut self.input),
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "moved" => self.moved = value,
            "refused" => self.refused = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Subscriber for Counter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == TARGET { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let cell = Cell { situation: fields.situation, input: fields.input };
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let visits = cells.entry(cell).or_default();
        match (fields.moved, fields.refused) {
            (true, _) => visits.moved += 1,
            (false, true) => visits.refused += 1,
            (false, false) => visits.nothing += 1,
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
