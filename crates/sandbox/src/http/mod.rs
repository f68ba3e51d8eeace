//! The model behind real HTTP: one function for tests and for the binary.
//!
//! Three kinds of tasks share the model: the listener with its connections, the sender of webhooks, and (optionally)
//! a second listener for the controls. None of them is global; dropping the handle stops them all. No subscriber and
//! no runtime is installed here.

mod api;
mod clock;
mod connection;
mod control;
mod listen;
mod post;
mod routes;
mod shared;
mod webhooks;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::{sync::DropGuard, task::TaskTracker};

pub use control::Control;

use crate::{
    config::{ConfigError, SandboxConfig},
    faults::FaultError,
    model::Model,
};
use clock::Clock;
use listen::Door;
use shared::Shared;
use webhooks::Sender;

/// Starts sandboxes; see [`Sandbox::start`].
#[derive(Debug)]
pub struct Sandbox;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The script of faults makes no sense.
    #[error(transparent)]
    Faults(#[from] FaultError),
    /// An address could not be had.
    #[error("the sandbox cannot listen on {addr}; is the port taken?")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Sandbox {
    /// Starts a sandbox on the current tokio runtime. It listens when this returns.
    ///
    /// # Errors
    /// A configuration or script that makes no sense, or an address that could not be had.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: SandboxConfig) -> Result<SandboxHandle, StartError> {
        config.check()?;
        let target = control::webhook_target(config.webhook_url.as_deref())?;
        let form = config.model.authorization;
        let clock = Clock::new(
            Instant::now(),
            jiff::Timestamp::now().as_millisecond(),
            config.time_factor,
            config.timestamps,
        );
        let mut model = Model::new(config.model, config.seed)?;
        model.set_faults(clock.at(Instant::now()), config.faults)?;
        let (listener, addr) = listen_on(config.bind)?;
        let controls = config.control_bind.map(listen_on).transpose()?;
        let shared = Arc::new(Shared::new(
            model,
            clock,
            target,
            config.api_key,
            config.control_token,
            config.timestamps,
        ));
        let tasks = TaskTracker::new();
        let control_routes = routes::routes(Arc::clone(&shared));
        let door =
            |addr, router| Door { addr, router, shared: Arc::clone(&shared), tasks: tasks.clone() };
        let api = api::routes(Arc::clone(&shared), &config.rates_path);
        tasks.spawn(door(addr, api.merge(control_routes.clone())).run(listener));
        let mut control_addr = addr;
        if let Some((listener, addr)) = controls {
            control_addr = addr;
            tasks.spawn(listen::run_plain(door(addr, control_routes), listener));
        }
        let sender = Sender {
            shared: Arc::clone(&shared),
            token: config.webhook_token,
            form,
            within: Duration::from_millis(config.webhook_timeout_ms),
            in_flight: config.webhooks_in_flight,
        };
        tasks.spawn(sender.run(tasks.clone()));
        let stop = shared.stop.clone().drop_guard();
        Ok(SandboxHandle { addr, control_addr, control: Control::new(shared), tasks, stop })
    }
}

fn listen_on(addr: SocketAddr) -> Result<(tokio::net::TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { addr, source };
    let listener = listen::open(addr).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// A running sandbox. Dropping it stops the sandbox without waiting.
#[derive(Debug)]
pub struct SandboxHandle {
    addr: SocketAddr,
    control_addr: SocketAddr,
    control: Control,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl SandboxHandle {
    /// Where the provider's API listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the control API listens; the same as [`Self::addr`] unless it has a listener of its own.
    pub fn control_addr(&self) -> SocketAddr {
        self.control_addr
    }

    /// The API's base, such as `http://127.0.0.1:4711`; every path starts with `/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The controls, in-process.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops listening and sending, cuts what is open, and waits for it.
    pub async fn shutdown(self) {
        let Self { tasks, stop, .. } = self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
    }
}
