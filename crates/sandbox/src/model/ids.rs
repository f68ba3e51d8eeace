//! Identifiers, addresses and hashes, drawn from the model's seeded generator. They have the right shape and nothing
//! behind them.

use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Letters of a bech32 address; the checksum is not computed, nobody pays to these.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

#[derive(Debug)]
pub(crate) struct Ids(StdRng);

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid()
    }

    pub(crate) fn transaction_hash(&mut self) -> String {
        format!("0x{}", self.hex::<32>())
    }

    /// An address as its network writes it. Lower case where the network reads any case.
    pub(crate) fn address(&mut self, network: &str) -> String {
        match network {
            "btc" => format!("bc1q{}", self.bech32(38)),
            "ltc" => format!("ltc1q{}", self.bech32(38)),
            _ => format!("0x{}", self.hex::<20>()),
        }
    }

    /// A number from 0 to `below - 1`; 0 when `below` is 0.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { self.0.random_range(0..below) }
    }

    fn hex<const N: usize>(&mut self) -> String {
        let bytes: [u8; N] = std::array::from_fn(|_| self.0.random());
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bech32(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(BECH32[usize::from(self.0.random::<u8>() % 32)])).collect()
    }
}
