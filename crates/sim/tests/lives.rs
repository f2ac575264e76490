//! A few random lives on every run; `cargo run -p sim --bin lives -- --seeds N` runs many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use sim::life::{Plan, live, live_twice};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..12 {
        let (one, other) =
            (live(seed, &Plan::of(120)).unwrap(), live(seed, &Plan::of(120)).unwrap());
        assert_eq!(one, other, "seed {seed}");
    }
    let digests: std::collections::BTreeSet<_> =
        (0..6).map(|seed| live(seed, &Plan::of(40)).unwrap().digest).collect();
    assert_eq!(digests.len(), 6, "two seeds gave the same bytes");
}

#[test]
fn forty_lives_break_no_rule() {
    let mut released = 0;
    for seed in 0..40 {
        let outcome = live_twice(seed, &Plan::of(150)).unwrap();
        released += outcome.figures.watched.releases;
        let found: Vec<_> = outcome.violations.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "seed {seed}: {}", found.join("\n"));
    }
    assert!(released > 100, "only {released} releases: the lives prove little");
}
