//! Amounts: strings and JSON numbers, every digit kept, and nothing that is no amount.

use crate::world::World;

async fn lock(world: &World, amount: &str) -> crate::world::Answer {
    let body = format!(r#"{{"amount":{amount},"currency":"usdc","network":"polygon"}}"#);
    world.post("/v1/locks", body).await
}

#[tokio::test(start_paused = true)]
async fn numbers_and_strings_reach_the_provider_digit_by_digit() {
    let world = World::new().await;
    // More digits than a float has, and a tail that a float would not keep.
    let amounts =
        ["100", "0.1", "346.590", "9007199254740993", "123456789012345.678901", "0.000001"];
    for amount in amounts {
        assert_eq!(lock(&world, amount).await.status, 201, "{amount}");
        assert_eq!(lock(&world, &format!("\"{amount}\"")).await.status, 201, "\"{amount}\"");
    }
    let both: Vec<String> =
        amounts.into_iter().flat_map(|amount| [amount.to_owned(), amount.to_owned()]).collect();
    assert_eq!(*world.provider.asked.lock().unwrap(), both);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_amount_is_refused_before_anybody_is_asked() {
    let world = World::new().await;
    for (amount, word) in [
        ("-1", "negative"),
        ("\"-1\"", "negative"),
        ("0", "more than nothing"),
        ("\"0.00\"", "more than nothing"),
        ("1e400", "28 digits"),
        ("\"1e400\"", "28 digits"),
        ("0.00000000000000000000000000001", "28 digits"),
        ("\"NaN\"", "digits with a point"),
        ("\"\"", "digits with a point"),
        ("\"1,5\"", "digits with a point"),
        ("\" 1\"", "digits with a point"),
        ("null", "digits with a point"),
        ("true", "digits with a point"),
        ("[1]", "digits with a point"),
        ("{}", "digits with a point"),
        ("NaN", "expected value"),
        ("Infinity", "expected value"),
        ("01", "invalid number"),
    ] {
        lock(&world, amount).await.is_problem(400, "bad_request", word);
    }
    let missing = world.post("/v1/locks", r#"{"currency":"usdc","network":"polygon"}"#).await;
    missing.is_problem(400, "bad_request", "missing field `amount`");
    assert!(world.provider.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn terms_may_hold_numbers_and_keep_their_digits() {
    let world = World::new().await;
    let terms = r#"{"terms":{"lockId":"l","payAmount":123456789012345.678901,"payCurrency":"usdc","network":"polygon","rate":0.840,"settleAmount":100,"expiresAt":"2026-03-01T12:00:40Z"}}"#;
    let order = world.submit("k", terms).await;
    assert_eq!(order.status, 202, "{order:?}");
    assert_eq!(order.body["terms"]["payAmount"], "123456789012345.678901");
    assert_eq!(order.body["terms"]["rate"], "0.840");
    assert_eq!(order.body["terms"]["settleAmount"], "100");
    // The same in strings is the same request.
    let again = world.submit("k", terms.replace("100,", "\"100\",")).await;
    assert_eq!((again.status, &again.body["id"]), (200, &order.body["id"]));
    let nothing = terms.replace(r#""settleAmount":100,"#, r#""settleAmount":null,"#);
    let order = world.submit("k2", nothing.replace(r#""l""#, r#""l2""#)).await;
    assert_eq!((order.status, order.body["terms"].get("settleAmount")), (202, None), "{order:?}");
}
