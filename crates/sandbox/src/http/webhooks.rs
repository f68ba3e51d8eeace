//! Sends what the model says is due, a bounded number at a time, and reports back. It decides nothing: when to try
//! again is the model's schedule.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::{post::post, shared::Shared};
use crate::{
    config::{AuthorizationForm, Secret},
    model::WebhookDue,
};

pub(crate) struct Sender {
    pub(crate) shared: Arc<Shared>,
    pub(crate) token: Secret,
    pub(crate) form: AuthorizationForm,
    pub(crate) within: Duration,
    pub(crate) in_flight: usize,
}

impl Sender {
    /// Runs until the sandbox stops. Deliveries under way end by their own timeout.
    pub(crate) async fn run(self, tasks: TaskTracker) {
        let sender = Arc::new(self);
        let shared = Arc::clone(&sender.shared);
        let permits = Arc::new(Semaphore::new(sender.in_flight));
        let mut bell = shared.due_bell();
        loop {
            bell.mark_unchanged();
            let free = permits.available_permits();
            let (due, next) =
                shared.with(|model, now| (model.advance_some(now, free), model.next_due()));
            for webhook in due {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let sender = Arc::clone(&sender);
                tasks.spawn(async move {
                    let delivered = tokio::select! {
                        delivered = sender.deliver(&webhook) => delivered,
                        () = sender.shared.stop.cancelled() => return,
                    };
                    drop(permit);
                    sender.shared.change(|model, now| {
                        model.webhook_answered(now, webhook.delivery, delivered);
                    });
                });
            }
            // With every permit in use, the next answer rings the bell.
            let wait = next.filter(|_| permits.available_permits() > 0).map(|at| shared.until(at));
            tokio::select! {
                () = shared.stop.cancelled() => return,
                changed = bell.changed() => if changed.is_err() { return },
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    async fn deliver(&self, webhook: &WebhookDue) -> bool {
        // Without a receiver every try fails; a receiver named in the meantime gets the rest of them.
        let Some(target) = self.shared.target() else { return false };
        let token = webhook.token.as_deref().unwrap_or_else(|| self.token.expose());
        let authorization = match self.form {
            AuthorizationForm::Bare => token.to_owned(),
            AuthorizationForm::Bearer => format!("Bearer {token}"),
        };
        match post(&target, &authorization, &webhook.body, self.within).await {
            Ok(status) => {
                debug!(delivery = webhook.delivery, attempt = webhook.attempt, status, "webhook");
                (200..300).contains(&status)
            }
            Err(error) => {
                debug!(delivery = webhook.delivery, attempt = webhook.attempt, %error, "webhook");
                false
            }
        }
    }
}
