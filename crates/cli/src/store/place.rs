//! Which store a command is about, and opening it.

use std::{path::PathBuf, time::Duration};

use orderkeep::store::{Backend, EmbeddedConfig, EmbeddedStore, OpenError, backend_of};

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
    pub(crate) open_timeout: Option<Duration>,
    /// What it must be made with, if that was said.
    pub(crate) backend: Option<Backend>,
}

impl Place {
    /// As the flags say, then the file, then the daemon's defaults.
    pub(crate) fn of(args: PlaceArgs) -> Result<Self, Failure> {
        let settings = match &args.config {
            Some(path) => settings::read(path)?,
            None => Settings::default(),
        };
        Ok(Self {
            open_timeout: settings.open_timeout(),
            data: args.data.unwrap_or(settings.data),
            mark_path: args.mark_path.or(settings.mark_path),
            backend: args.store.or(settings.store),
        })
    }

    /// How the store that is there is opened, with what it was made with unless something else was said.
    pub(crate) fn config(&self) -> Result<EmbeddedConfig, OpenFailure> {
        let Some(found) = backend_of(&self.data).map_err(|error| self.refused(error))? else {
            return Err(OpenFailure::NoStore(Failure::new(
                exit::DATA,
                format!("there is no store in {}; give --data or --config", self.data.display()),
            )));
        };
        let mut config = EmbeddedConfig::new(&self.data).backend(self.backend.unwrap_or(found));
        config.mark_path.clone_from(&self.mark_path);
        if let Some(timeout) = self.open_timeout {
            config.open_timeout = timeout;
        }
        Ok(config)
    }

    /// How a store is made where there is none.
    pub(crate) fn new_config(&self) -> EmbeddedConfig {
        let mut config = EmbeddedConfig::new(&self.data).backend(self.backend.unwrap_or_default());
        config.mark_path.clone_from(&self.mark_path);
        config
    }

    fn refused(&self, error: OpenError) -> OpenFailure {
        OpenFailure::Refused(error, self.data.clone())
    }

    /// Opens the store that is there; never makes one.
    pub(crate) async fn open(&self) -> Result<EmbeddedStore, OpenFailure> {
        let config = self.config()?;
        tokio::task::spawn_blocking(move || EmbeddedStore::open(config))
            .await
            .map_err(|failed| OpenFailure::NoStore(Failure::failed(failed)))?
            .map_err(|error| self.refused(error))
    }
}

/// Why there is nothing to work on.
#[derive(Debug)]
pub(crate) enum OpenFailure {
    /// Nothing to open.
    NoStore(Failure),
    /// The store does not open.
    Refused(OpenError, PathBuf),
}

impl From<OpenFailure> for Failure {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::NoStore(failure) => failure,
            OpenFailure::Refused(error, data) => Self::not_opened(&error, &data),
        }
    }
}
