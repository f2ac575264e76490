//! Every engine through the one suite, and through random lives beside a model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use store::conformance::{CASES, REOPEN_CASES};
use store::{Batch, Store, embedded::Embedded, memory::Memory};

#[test]
fn memory_passes_every_case() {
    for (name, case) in CASES {
        eprintln!("memory: {name}");
        case(&mut Memory::new()).unwrap();
    }
    assert_eq!(CASES.len(), 15);
}

#[test]
fn embedded_passes_every_case() {
    for (name, case) in CASES {
        eprintln!("embedded: {name}");
        let place = tempfile::tempdir().unwrap();
        case(&mut Embedded::open(place.path()).unwrap()).unwrap();
    }
}

#[test]
fn embedded_passes_every_reopen_case() {
    for (name, case) in REOPEN_CASES {
        eprintln!("embedded: {name}");
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("made/on/the/way");
        case(&|| Ok(Box::new(Embedded::open(&place)?))).unwrap();
    }
    assert_eq!(REOPEN_CASES.len(), 3);
}

/// What a random life does next.
#[derive(Clone, Debug)]
enum Deed {
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Reopen,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    // Few letters, among them the ends of the alphabet, so that keys meet and prefixes matter.
    vec(prop_oneof![Just(0_u8), Just(1), Just(b'k'), Just(0xfe), Just(0xff)], 1..4)
}

fn deed() -> impl Strategy<Value = Deed> {
    let value = prop_oneof![
        9 => vec(any::<u8>(), 0..20),
        1 => (0_usize..3_000).prop_map(|size| vec![0x5a; size]),
    ];
    prop_oneof![
        6 => vec((key(), prop::option::weighted(0.7, value)), 0..12).prop_map(Deed::Commit),
        1 => Just(Deed::Reopen),
    ]
}

fn lives(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn compare(store: &dyn Store, model: &Model, prefix: &[u8], place: &[u8]) {
    let snapshot = store.snapshot().unwrap();
    let pairs = |wanted: &dyn Fn(&[u8]) -> bool| -> Vec<(Vec<u8>, Vec<u8>)> {
        let inside = model.iter().filter(|(key, _)| key.starts_with(prefix) && wanted(key));
        inside.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut found = Vec::new();
    let mut note = |key: &[u8], value: &[u8]| {
        found.push((key.to_vec(), value.to_vec()));
        true
    };
    snapshot.scan_from(prefix, place, &mut note).unwrap();
    assert_eq!(std::mem::take(&mut found), pairs(&|key| key >= place));
    let mut note = |key: &[u8], value: &[u8]| {
        found.push((key.to_vec(), value.to_vec()));
        true
    };
    snapshot.scan_back(prefix, Some(place), &mut note).unwrap();
    found.reverse();
    assert_eq!(found, pairs(&|key| key < place));
    assert_eq!(snapshot.last(prefix).unwrap(), pairs(&|_| true).pop());
    assert_eq!(snapshot.get(place).unwrap(), model.get(place).cloned());
}

fn live(
    mut store: Box<dyn Store>,
    reopen: &dyn Fn(Box<dyn Store>) -> Box<dyn Store>,
    deeds: Vec<Deed>,
    looks: &[(Vec<u8>, Vec<u8>)],
) {
    let mut model = Model::new();
    for deed in deeds {
        match deed {
            Deed::Commit(operations) => {
                let mut batch = Batch::new();
                for (key, value) in operations {
                    match value {
                        Some(value) => {
                            model.insert(key.clone(), value.clone());
                            batch.put(key, value);
                        }
                        None => {
                            model.remove(&key);
                            batch.delete(key);
                        }
                    }
                }
                store.commit(batch).unwrap();
            }
            Deed::Reopen => store = reopen(store),
        }
        for (prefix, place) in looks {
            compare(&*store, &model, prefix, place);
        }
        compare(&*store, &model, b"", b"k");
    }
}

proptest! {
    #![proptest_config(lives(200))]
    #[test]
    fn memory_lives_like_the_model(
        deeds in vec(deed(), 1..30),
        looks in vec((vec(prop_oneof![Just(0_u8), Just(b'k'), Just(0xff)], 0..3), key()), 1..6),
    ) {
        live(Box::new(Memory::new()), &|store| store, deeds, &looks);
    }
}

proptest! {
    #![proptest_config(lives(24))]
    #[test]
    fn embedded_lives_like_the_model(
        deeds in vec(deed(), 1..30),
        looks in vec((vec(prop_oneof![Just(0_u8), Just(b'k'), Just(0xff)], 0..3), key()), 1..6),
    ) {
        let place = tempfile::tempdir().unwrap();
        let open = || -> Box<dyn Store> { Box::new(Embedded::open(place.path()).unwrap()) };
        let reopen = |store: Box<dyn Store>| {
            drop(store);
            open()
        };
        live(open(), &reopen, deeds, &looks);
    }
}
