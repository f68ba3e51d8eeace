//! Which store a command is about, and opening it.

use std::path::PathBuf;

use orderkeep::store::{OpenError, SledConfig, SledStore, is_store};

use crate::{
    exit::{self, Failure},
    settings::{self, Settings},
};

use super::args::PlaceArgs;

/// A data folder and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) mark_path: Option<PathBuf>,
}

impl Place {
    /// As the flags say, then the file, then the daemon's defaults.
    pub(crate) fn of(args: PlaceArgs) -> Result<Self, Failure> {
        let settings = match &args.config {
            Some(path) => settings::read(path)?,
            None => Settings::default(),
        };
        Ok(Self {
            data: args.data.or(settings.data).unwrap_or_else(|| PathBuf::from("data")),
            mark_path: args.mark_path.or(settings.mark_path),
        })
    }

    /// Opens the store that is there; never makes one.
    pub(crate) async fn open(&self) -> Result<SledStore, OpenFailure> {
        if !is_store(&self.data) {
            return Err(OpenFailure::NoStore(Failure::new(
                exit::DATA,
                format!("there is no store in {}; give --data or --config", self.data.display()),
            )));
        }
        let mut config = SledConfig::new(&self.data);
        config.mark_path.clone_from(&self.mark_path);
        tokio::task::spawn_blocking(move || SledStore::open(config))
            .await
            .map_err(|failed| OpenFailure::NoStore(Failure::failed(failed)))?
            .map_err(OpenFailure::Refused)
    }
}

/// Why there is nothing to work on.
#[derive(Debug)]
pub(crate) enum OpenFailure {
    /// Nothing to open.
    NoStore(Failure),
    /// The store does not open.
    Refused(OpenError),
}

impl From<OpenFailure> for Failure {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::NoStore(failure) => failure,
            OpenFailure::Refused(error) => Self::new(exit::DATA, error.to_string()),
        }
    }
}
