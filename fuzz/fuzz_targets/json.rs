//! Strict JSON: agrees with serde_json, cuts bytes as it cuts values, and has one canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wire::canonical::to_canonical;
use wire::json::{parse_strict, remove, remove_raw};

fuzz_target!(|bytes: &[u8]| {
    let value = match parse_strict(bytes) {
        Ok(value) => value,
        Err(problem) => {
            assert!(problem.offset <= bytes.len());
            return;
        }
    };
    assert!(serde_json::from_slice::<Value>(bytes).is_ok(), "only stricter, never laxer");
    if let Ok(once) = to_canonical(&value) {
        let again = parse_strict(&once).expect("the canonical form is JSON");
        assert_eq!(to_canonical(&again).expect("and has a canonical form"), once);
    }
    let first = match &value {
        Value::Object(map) => map.keys().next().map(|key| wire::json::escape(key)),
        Value::Array(list) => (!list.is_empty()).then(|| "0".to_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    if let Some(token) = first {
        let pointer = format!("/{token}");
        let cut = remove_raw(bytes, &[&pointer]).expect("the member is there");
        let want = remove(&value, &[&pointer]).expect("the member is there");
        assert_eq!(parse_strict(&cut).expect("what is left is JSON"), want);
    }
});
