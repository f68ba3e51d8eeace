//! Forged tokens in numbers, and checks that are nearly right, to see that these forgeries find what is wrong with them.
//! `FORGED=1000000` for the long run.

use orderkeep_p100::{P100, Secret};
use orderkeep_provider::Provider as _;

use crate::config;

const TOKEN: &str = "whk-5d1c9e7b3a2f48860c1d7e9f";
const ROTATED_OUT: &str = "whk-0b7a66c2f1d84e35a9e0d2c4";

fn how_many() -> usize {
    std::env::var("FORGED").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000)
}

/// Every bit of the token, bare and behind its scheme; every prefix and extension; its case, its blanks, the token
/// before it; then as many as are wanted that differ from it at random places.
fn forgeries(wanted: usize) -> impl Iterator<Item = Vec<u8>> {
    let token = TOKEN.as_bytes();
    let mut near: Vec<Vec<u8>> = Vec::new();
    for head in ["", "Bearer "] {
        let with = |rest: &[u8]| [head.as_bytes(), rest].concat();
        for bit in 0..token.len() * 8 {
            let mut flipped = token.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            near.push(with(&flipped));
        }
        near.extend((0..token.len()).map(|length| with(&token[..length])));
        near.extend((0..=u8::MAX).map(|byte| with(&[token, &[byte]].concat())));
        near.extend(
            [TOKEN.to_uppercase(), TOKEN.to_lowercase().replace("whk", "Whk")]
                .map(|text| with(text.as_bytes())),
        );
        near.push(with(ROTATED_OUT.as_bytes()));
        near.push(with(&[token, b",", token].concat()));
        near.push(with(&[b" ", token].concat()));
    }
    // The same ones in every run: xorshift is random enough for places and bytes.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below).expect("small")
    };
    let more = std::iter::repeat_with(move || {
        let mut forged = TOKEN.as_bytes().to_vec();
        for _ in 0..=random(4) {
            let at = random(forged.len() as u64);
            // Never the same again.
            forged[at] ^= u8::try_from(random(255) + 1).expect("a byte");
        }
        forged
    });
    // Two changes of one place may undo each other.
    near.into_iter().chain(more.filter(|forged| forged != TOKEN.as_bytes())).take(wanted)
}

fn accepted(check: impl Fn(Option<&[u8]>) -> bool) -> Vec<String> {
    let found = forgeries(how_many()).filter(|forged| check(Some(forged)));
    found.map(|forged| String::from_utf8_lossy(&forged).into_owned()).collect()
}

#[test]
fn no_forged_token_is_authentic() {
    let mut config = config("http://127.0.0.1:1");
    config.webhook_tokens = vec![Secret::new(TOKEN).expect("a token")];
    let client = P100::new(config).expect("a client");
    assert!(client.is_authentic(Some(TOKEN.as_bytes())), "the real one is");
    assert!(!client.is_authentic(None));
    assert_eq!(accepted(|sent| client.is_authentic(sent)), Vec::<String>::new());
}

/// Each of these has been somebody's check.
#[test]
fn a_check_that_is_nearly_right_is_found_out() {
    type Check = fn(&[u8]) -> bool;
    let nearly: [(&str, Check); 6] = [
        ("a prefix is enough", |sent| TOKEN.as_bytes().starts_with(sent)),
        ("an extension is enough", |sent| sent.starts_with(TOKEN.as_bytes())),
        ("case does not matter", |sent| sent.eq_ignore_ascii_case(TOKEN.as_bytes())),
        ("blanks are cut off", |sent| sent.trim_ascii() == TOKEN.as_bytes()),
        ("the last bit is not looked at", |sent| {
            sent.len() == TOKEN.len()
                && sent.iter().zip(TOKEN.as_bytes()).all(|(a, b)| a & 0xfe == b & 0xfe)
        }),
        ("the old token still counts", |sent| sent == ROTATED_OUT.as_bytes()),
    ];
    for (name, check) in nearly {
        assert!(!accepted(|sent| sent.is_some_and(check)).is_empty(), "not found out: {name}");
    }
}
