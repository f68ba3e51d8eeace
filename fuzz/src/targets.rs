//! What must hold for any bytes whatever that somebody else wrote: read or refused, within bounds, and nothing panics.
//!
//! Each takes raw bytes, so that a fuzzer can make them up and the corpus can be replayed.

use std::{
    fmt::Debug,
    pin::pin,
    sync::{Arc, LazyLock, Mutex},
    task::{Context, Poll, Waker},
};

use orderkeep_core::{
    Cause, Event, EventRecord, Input, LockId, Observation, Order, Policy, ProviderOrderId, Source,
    Terms, Timestamp,
};
use orderkeep_driver::codec::{self, Record};
use orderkeep_p100::{Answer, Exchange, Fault, P100, P100Config, Request, Secret};
use orderkeep_provider::{BoxFuture, FailureClass, Heard, LockRequest, Provider};

const AT: Timestamp = Timestamp::from_millis(1_772_366_400_000);
/// The longest sentence that is made of somebody else's words.
const WHY_BYTES_MAX: usize = 512;

/// Answers every request with the answer that lies ready.
#[derive(Debug, Default)]
struct Canned(Mutex<Option<Answer>>);

impl Exchange for Canned {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Answer, Fault>> {
        let answer = self.0.lock().unwrap().take().expect("one request per call");
        Box::pin(std::future::ready(Ok(answer)))
    }
}

static CANNED: LazyLock<Arc<Canned>> = LazyLock::new(Arc::default);
static CLIENT: LazyLock<P100> = LazyLock::new(|| {
    let mut config = P100Config::new("http://127.0.0.1:1", Secret::new("0123456789").unwrap());
    // A repeated read would want a second answer.
    config.read_retries = 0;
    P100::over(config, Arc::clone(&CANNED) as Arc<dyn Exchange>).unwrap()
});

/// The body of a webhook.
pub fn webhook(body: &[u8]) {
    let heard = CLIENT.read_webhook(body, AT);
    assert_eq!(heard, CLIENT.read_webhook(body, AT), "the same body, read twice");
    match heard {
        Ok(Heard::Order(seen)) => {
            assert_eq!(seen.source, Source::Claimed { heard_at: AT });
            bounded(&seen);
            storable(*seen, Cause::Webhook);
        }
        Ok(Heard::Unreadable { why, .. }) => assert!(why.len() <= WHY_BYTES_MAX, "{why}"),
        Ok(Heard::OtherKind { kind }) => assert!(kind.len() <= WHY_BYTES_MAX, "{kind}"),
        Err(refused) => assert!(refused.to_string().len() <= WHY_BYTES_MAX, "{refused}"),
    }
}

/// An answer of the provider: which call (one byte), the HTTP status (two), and the body.
pub fn answers(bytes: &[u8]) {
    let [call, low, high, body @ ..] = bytes else { return };
    let status = 100 + u16::from_le_bytes([*low, *high]) % 500;
    *CANNED.0.lock().unwrap() = Some(Answer { status, retry_after: None, body: Ok(body.to_vec()) });
    let failure = match call % 4 {
        0 => match now(CLIENT.rates()) {
            Ok(rates) => {
                assert!(!rates.per_unit.is_empty());
                assert!(rates.per_unit.values().all(|rate| !rate.is_zero()));
                None
            }
            Err(failure) => Some(failure),
        },
        1 => {
            let asked = LockRequest {
                amount: "100".parse().unwrap(),
                currency: "usdc".parse().unwrap(),
                network: "polygon".parse().unwrap(),
            };
            match now(CLIENT.lock(asked.clone())) {
                Ok(terms) => {
                    assert_eq!(terms.validate(), Ok(()));
                    assert_eq!(
                        (&terms.pay_currency, &terms.network),
                        (&asked.currency, &asked.network)
                    );
                    survives(&terms);
                    None
                }
                Err(failure) => Some(failure),
            }
        }
        2 => match now(CLIENT.create(&LockId::new("lock-1").unwrap())) {
            Ok(_) => None,
            Err(failure) => {
                // Only these say that no order was made, and only as a no.
                let certain = failure.class != FailureClass::Ambiguous;
                assert!(!certain || (400..500).contains(&status), "{status}: {failure}");
                Some(failure)
            }
        },
        _ => {
            let asked = ProviderOrderId::new("p-1").unwrap();
            match now(CLIENT.details(&asked, AT)) {
                Ok(Some(seen)) => {
                    assert_eq!(seen.provider_order, asked);
                    assert_eq!(seen.source, Source::Confirmed { read_started_at: AT });
                    bounded(&seen);
                    storable(seen, Cause::Read);
                    None
                }
                Ok(None) => {
                    assert_eq!(status, 404, "an order that is not found is a 404");
                    return;
                }
                Err(failure) => Some(failure),
            }
        }
    };
    match failure {
        None => assert!((200..300).contains(&status), "{status} is no success"),
        Some(failure) => {
            assert_ne!(failure.class, FailureClass::NotSent, "it was sent");
            assert!(failure.to_string().len() <= WHY_BYTES_MAX, "{failure}");
        }
    }
}

/// A stored record: which kind (one byte), and its bytes, with the head of version 1 put before them unless the kind's
/// highest bit says that they have a head of their own.
pub fn records(bytes: &[u8]) {
    const HEAD: [u8; 3] = [1, 1, 0];
    let [kind, rest @ ..] = bytes else { return };
    let headed;
    let record = if kind & 0x80 == 0 {
        headed = [&HEAD, rest].concat();
        &headed
    } else {
        rest
    };
    match kind & 0x7f {
        0 => {
            if let Ok(order) = codec::decode::<Order>(record) {
                survives(&order);
                lives(&order);
            }
        }
        1 => {
            if let Ok(event) = codec::decode::<EventRecord>(record) {
                survives(&event);
                let _ = Order::fold([&event]);
            }
        }
        2 => {
            if let Ok(terms) = codec::decode::<Terms>(record) {
                survives(&terms);
                let _ = terms.validate();
            }
        }
        _ => orderkeep_store::testing::read_as_every_record(record),
    }
}

/// No order of ours may look like this; all the same nothing about it panics.
fn lives(order: &Order) {
    let policy = Policy::default();
    let _ = (order.due(AT, &policy), order.wake_up(AT, &policy), order.payable_address());
    let _ = order.step(&Input::Woken, AT, &policy);
}

/// Bounds, so that nobody can fill our disk by what they call a field.
fn bounded(seen: &Observation) {
    assert!(seen.status_text.len() <= 64);
    assert!(seen.unknown_fields.len() <= 32);
    assert!(seen.unknown_fields.iter().all(|(name, json)| name.len() <= 64 && json.len() <= 256));
}

/// What was heard or read can be put on record, and read again.
fn storable(seen: Observation, cause: Cause) {
    survives(&EventRecord { at: AT, cause, event: Event::Read { seen: Box::new(seen) } });
}

fn survives<T: Record + Debug + PartialEq>(record: &T) {
    let bytes = codec::encode(record).unwrap();
    assert_eq!(&codec::decode::<T>(&bytes).unwrap(), record);
}

/// The result of a call that has nothing to wait for.
fn now<T>(call: BoxFuture<'_, T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the call waits for something"),
    }
}
