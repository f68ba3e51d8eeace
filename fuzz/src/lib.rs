//! The fuzz targets. What they check is in `targets`, which the ordinary tests replay the corpus with.

mod targets;

pub use targets::{answers, records, webhook};
