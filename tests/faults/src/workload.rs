//! What a child writes, as literal text: whoever looks later computes it from the names alone.

use bytes::Bytes;
use orderkeep_store::{Change, Claim, EntityId, Kind, Label};
use uuid::Uuid;

/// Steps of an entity before the next one.
pub(crate) const STEPS: u64 = 6;

const LABELS: [&str; 3] = ["Locked", "Created", "Executed"];

/// The entity of a child (`generation`), one of its tasks, and a number.
pub(crate) fn entity(generation: u32, task: u32, number: u32) -> EntityId {
    let (generation, task, number) = (u128::from(generation), u128::from(task), u128::from(number));
    EntityId(Uuid::from_u128(generation << 80 | number << 40 | task))
}

pub(crate) fn event(id: EntityId, version: u64) -> String {
    format!("event {version} of {}", id.0)
}

/// Views of many sizes, so that pages split and values spread.
pub(crate) fn view(id: EntityId, version: u64) -> String {
    let size = mix(u32::try_from(id.0.as_u128() >> 40 & 0xffff).unwrap_or(0)) % 9;
    format!("view {version} of {} {}", id.0, ".".repeat(40 << size.min(6)))
}

/// What an entity carries after its last step, without a wake-up: it is over then.
pub(crate) const OVER: &str = "Executed";

pub(crate) fn label(version: u64) -> Label {
    if version == STEPS {
        return Label::from(OVER);
    }
    let at = usize::try_from(version % LABELS.len() as u64).unwrap_or(0);
    Label::from(LABELS[at])
}

pub(crate) fn claim(id: EntityId) -> Claim {
    Claim::new("key", &[&id.0.to_string()])
}

pub(crate) fn change(id: EntityId, expected: u64) -> Change {
    let version = expected + 1;
    Change {
        id,
        kind: Kind(1),
        expected,
        events: vec![Bytes::from(event(id, version))],
        view: Some(Bytes::from(view(id, version))),
        labels: vec![label(version)],
        wake_up: (version < STEPS).then(|| i64::try_from(version).unwrap_or(0)),
        claims: vec![claim(id)],
    }
}

/// Pseudo-random, so that a campaign can be repeated.
pub(crate) fn mix(seed: u32) -> u32 {
    let mixed = (seed ^ (seed >> 15)).wrapping_mul(0x2c1b_3c6d);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
    mixed ^ (mixed >> 15)
}
