//! Published vectors: sign.

use crate::{folder, hex, json};
use crypto::sign::PublicKey;
use serde_json::Value;

/// The strict verdict: a usable key, a signature of 64 bytes, and an equation that holds.
fn verdict(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    PublicKey::from_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok())
}

#[test]
fn wycheproof_ed25519_151_cases_get_the_expected_verdict() {
    let Some(folder) = folder("wycheproof") else { return };
    let file = json(&folder.join("ed25519_test.json"));
    let (mut valid, mut invalid) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let key = hex(&group["publicKey"]["pk"]);
        for case in group["tests"].as_array().unwrap() {
            let ok = verdict(&key, &hex(&case["msg"]), &hex(&case["sig"]));
            let want = case["result"] == "valid";
            assert_eq!(ok, want, "case {}", case["tcId"]);
            if ok { valid += 1 } else { invalid += 1 }
        }
    }
    // No valid case needs a lenient verifier: strict refuses none of the 88.
    assert_eq!((valid, invalid), (88, 63));
    assert_eq!(file["numberOfTests"].as_u64(), Some(valid + invalid));
}

#[test]
fn cctv_914_edge_cases_get_the_strict_verdict() {
    let Some(folder) = folder("cctv-ed25519") else { return };
    let refused_flags =
        ["non_canonical_A", "non_canonical_R", "low_order_A", "low_order_R", "low_order_residue"];
    let cases = json(&folder.join("ed25519vectors.json"));
    let (mut accepted, mut refused) = (0, 0);
    for case in cases.as_array().unwrap() {
        let flags = case["flags"].as_array().map_or(&[][..], Vec::as_slice);
        let bad = |f: &Value| refused_flags.contains(&f.as_str().unwrap());
        let want = !flags.iter().any(bad);
        let message = case["msg"].as_str().unwrap();
        let ok = verdict(&hex(&case["key"]), message.as_bytes(), &hex(&case["sig"]));
        assert_eq!(ok, want, "case {}: {:?}", case["number"], flags);
        if ok { accepted += 1 } else { refused += 1 }
    }
    assert_eq!((accepted, refused), CCTV_VERDICTS);
}

/// Accepted are only sums whose small-order parts cancel without the cofactor.
const CCTV_VERDICTS: (usize, usize) = (43, 871);
