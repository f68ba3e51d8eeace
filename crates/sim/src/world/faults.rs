//! The faults of a plan, when their time comes.

use orderkeep_core::{
    Author, Command, LockId, ProviderOrderId, Resolution, SecondOrderAcknowledged,
};
use orderkeep_sandbox::{OrderEntry, OrderRef};
use uuid::Uuid;

use super::{Act, Job, Life, Partition, Slow, World, forgery};
use crate::plan::{Ask, Fault};

impl World {
    /// A fault strikes. What it needs and does not find leaves it without effect, and uncounted.
    pub(super) fn strike(&mut self, index: usize, fault: &Fault) -> Option<Job> {
        if self.quiet {
            return None;
        }
        let now = self.now();
        let mut job = None;
        let struck = match fault {
            Fault::Crash { down } => self.ends(Life::Dead, *down),
            Fault::Restart { down } => self.ends(Life::Stopping, *down),
            Fault::Restore { down, lift_after, .. } => self.lose_machine(index, *down, *lift_after),
            Fault::PowerCut { operation, after, keep, down } => {
                self.disk.cut_power_at(*operation, *after, *keep);
                self.down = *down;
                self.life == Life::Up
            }
            Fault::CrashInCreate { sent, down } => {
                self.dies_in_create = Some((*sent, *down));
                self.life == Life::Up
            }
            Fault::DiskFull { lasts } => {
                self.disk.set_full(true);
                self.plan_in(*lasts, Act::Room);
                true
            }
            Fault::DiskSlow { lasts, delay } => {
                self.slow = Some(Slow { until: now + lasts, delay: *delay });
                true
            }
            Fault::Outage { lasts, mode } => {
                self.model.start_outage(self.provider_now(), *lasts, *mode).is_ok()
            }
            Fault::Partition { lasts, silent } => {
                self.partition = Some(Partition { until: now + lasts, silent: *silent });
                true
            }
            Fault::ClockJump { by } => {
                self.time.set_skew(self.time.skew_millis() + by);
                true
            }
            Fault::ForgedWebhook { sale, says } => self.forge(*sale, *says),
            Fault::Reversal { sale } => {
                let order = self.made(*sale);
                order.is_some_and(|order| self.model.reverse(self.provider_now(), &order).is_ok())
            }
            Fault::ProviderFailure { sale } => {
                let order = self.made(*sale);
                let why = "the provider gave it up".to_owned();
                order.is_some_and(|order| self.model.fail(self.provider_now(), &order, why).is_ok())
            }
            Fault::Reorganisation { sale } => {
                let order = self.made(*sale);
                order.is_some_and(|order| {
                    let taken = self.model.reorganise(self.provider_now(), &order, None);
                    taken.is_ok_and(|taken| !taken.is_zero())
                })
            }
            Fault::Command { sale, ask } => {
                job = self.command(*sale, *ask).map(|command| Job::Command(*sale, command));
                job.is_some()
            }
            Fault::SubmitAgain { sale } => {
                job = self.sales[*sale].is_locked().then_some(Job::Submit(*sale));
                job.is_some()
            }
            Fault::KeyReused { sale } => {
                job = self.sales[*sale].id().map(|_| Job::ReuseKey(*sale));
                job.is_some()
            }
        };
        if struck {
            self.count(fault.kind().name());
            self.say("FAULT", || format!("{fault:?}"));
        }
        job
    }

    pub(super) fn ends(&mut self, life: Life, down: i64) -> bool {
        let up = self.life == Life::Up;
        if up {
            self.life = life;
            self.down = down;
        }
        up
    }

    /// What the provider made of a sale's lock.
    pub(crate) fn made_of(&self, sale: usize) -> Option<OrderEntry> {
        self.all_made_of(sale).into_iter().next_back()
    }

    fn made(&self, sale: usize) -> Option<OrderRef> {
        let order = self.made_of(sale)?;
        Uuid::try_parse(&order.order_id).ok().map(OrderRef::Id)
    }

    fn forge(&mut self, sale: usize, says: crate::plan::Forged) -> bool {
        let Some(lock_id) = self.sales[sale].lock_id().map(str::to_owned) else { return false };
        let made = self.made_of(sale);
        let now = self.provider_now();
        let true_body = made.and_then(|order| {
            let id = Uuid::try_parse(&order.order_id).ok()?;
            self.model.details(now, id).ok()
        });
        let invented = Uuid::from_u128(rand::Rng::random(&mut self.rng));
        let Some(body) = forgery::body(says, &lock_id, true_body.as_deref(), invented) else {
            return false;
        };
        self.model.send_webhook(now, body, None).is_ok()
    }

    /// What a person says.
    fn command(&mut self, sale: usize, ask: Ask) -> Option<Command> {
        let author = Author::new("night-shift").ok()?;
        let lock_id = self.sales[sale].lock_id()?.to_owned();
        let made = self.made_of(sale);
        self.sales[sale].id()?;
        Some(match ask {
            Ask::Cancel => {
                self.sales[sale].cancelled = true;
                Command::Cancel { author, reason: None }
            }
            Ask::Retry => Command::Retry { author, reason: None },
            Ask::Note => Command::Note { author, text: "called them".to_owned() },
            Ask::AdoptOurs => Command::Adopt {
                author,
                reason: None,
                provider_order: ProviderOrderId::new(made?.order_id).ok()?,
            },
            Ask::AdoptAnother => {
                let others = self.model.ledger().orders;
                let another = others.into_iter().find(|order| order.lock_id != lock_id);
                let invented = || Uuid::from_u128(rand::Rng::random(&mut self.rng)).to_string();
                let id = another.map_or_else(invented, |order| order.order_id);
                Command::Adopt {
                    author,
                    reason: None,
                    provider_order: ProviderOrderId::new(id).ok()?,
                }
            }
            Ask::Acknowledge => Command::Resolve {
                author,
                resolution: Resolution::Acknowledge(None),
                note: "seen".to_owned(),
            },
            Ask::NoProviderOrder => {
                if made.is_some() || self.is_on_its_way(&lock_id) || self.sales[sale].post_again {
                    return None;
                }
                Command::Resolve {
                    author,
                    resolution: Resolution::NoProviderOrder,
                    note: "the provider was asked, and has none".to_owned(),
                }
            }
            Ask::PostAgain => {
                self.sales[sale].post_again = true;
                let lock_id = LockId::new(lock_id).ok()?;
                Command::PostAgain {
                    author,
                    reason: None,
                    acknowledged: SecondOrderAcknowledged { lock_id },
                }
            }
        })
    }
}
