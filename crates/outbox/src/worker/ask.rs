//! What people ask of an endpoint: it is durable when they are answered.

use std::time::Duration;

use orderkeep_core::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Worker;
use crate::{Endpoint, Held, Off, OutboxError, Secret, Update};

/// One request.
#[derive(Debug)]
pub(crate) enum Ask {
    Update(Update),
    Enable,
    Disable,
    Rotate {
        secret: Secret,
        overlap: Duration,
    },
    Delete,
    /// From this moment on, everything again.
    ReplaySince(Timestamp),
    /// This event again, and with it nothing of its order overtakes it.
    ReplayEvent {
        subject: Uuid,
        version: u64,
    },
}

/// One request, and who waits for it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) reply: oneshot::Sender<Result<Endpoint, OutboxError>>,
}

impl Worker {
    pub(super) async fn asked(&mut self, Asked { ask, reply }: Asked) {
        let before = self.endpoint.clone();
        let now = self.now();
        // What is on its way was sent by the old rules; it is delivered again by the new ones.
        self.abandon();
        match ask {
            Ask::Update(update) => {
                let endpoint = &mut self.endpoint;
                let Update { url, description, types } = update;
                endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
                endpoint.description = description.unwrap_or_else(|| endpoint.description.clone());
                endpoint.types = types.unwrap_or_else(|| endpoint.types.clone());
            }
            Ask::Enable => {
                self.endpoint.off = None;
                self.quiet_until = None;
                for held in &mut self.endpoint.held {
                    (held.attempts, held.since, held.due) = (0, now, now);
                }
            }
            Ask::Disable => {
                self.endpoint.off = self.endpoint.off.or(Some((Off::Asked, now)));
            }
            Ask::Rotate { secret, overlap } => self.endpoint.rotate(secret, overlap, now),
            Ask::Delete => {
                self.endpoint.deleted = true;
                self.endpoint.secrets.clear();
                self.endpoint.held.clear();
            }
            Ask::ReplaySince(since) => self.rewind(Some(since)),
            Ask::ReplayEvent { subject, version } => self.replay(subject, version, now),
        }
        let store = self.parts.store.as_ref();
        let saved = super::records::save(store, &self.endpoint, self.version, &self.log).await;
        drop(reply.send(match saved {
            Ok(version) => {
                self.version = version;
                self.shown.send_replace(self.endpoint.clone());
                super::metrics::standing(&self.endpoint);
                Ok(self.endpoint.clone())
            }
            Err(error) => {
                // Nothing was changed.
                self.endpoint = before;
                self.abandon();
                Err(error)
            }
        }));
    }

    fn replay(&mut self, subject: Uuid, version: u64, now: Timestamp) {
        let held = &mut self.endpoint.held;
        match held.iter_mut().find(|held| held.subject == subject) {
            Some(held) => {
                held.next = held.next.min(version);
                (held.attempts, held.since, held.due) = (0, now, now);
            }
            None => held.push(Held {
                subject,
                next: version,
                through: version,
                attempts: 0,
                since: now,
                due: now,
                why: "replayed".to_owned(),
            }),
        }
    }
}
