//! Published vectors: seal.

use crate::{folder, hex, json};
use crypto::Entropy;
use crypto::seal::{ContentKey, open_body, seal_body};
use hpke::aead::{AesGcm128, AesGcm256, ChaCha20Poly1305};
use hpke::kdf::{HkdfSha256, HkdfSha512};
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable as _, OpModeR};
use serde_json::Value;

/// Hands out one given salt.
struct Salt([u8; 24]);

impl Entropy for Salt {
    fn fill(&mut self, out: &mut [u8]) {
        out.copy_from_slice(&self.0);
    }
}

#[test]
fn wycheproof_cobblestone_256_35_cases_open_and_seal_as_published() {
    let Some(folder) = folder("wycheproof") else { return };
    let file = json(&folder.join("c2sp_chunked_encryption_aes_256_gcm_test.json"));
    let (mut valid, mut invalid) = (0, 0);
    for case in
        file["testGroups"].as_array().unwrap().iter().flat_map(|g| g["tests"].as_array()).flatten()
    {
        let context = hex(&case["ctx"]);
        let sealed = miniz_oxide::inflate::decompress_to_vec_zlib(&hex(&case["ct"])).unwrap();
        let key = ContentKey::from_bytes(&hex(&case["key"]));
        let opened = key.as_ref().ok().and_then(|key| open_body(key, &context, &sealed).ok());
        assert_eq!(opened.is_some(), case["result"] == "valid", "case {}", case["tcId"]);
        let Some(plain) = opened else {
            invalid += 1;
            continue;
        };
        assert_eq!(Some(plain.len() as u64), case["msgLength"].as_u64());
        let mut salt = Salt(sealed[..24].try_into().unwrap());
        let again = seal_body(&key.unwrap(), &context, &plain, &mut salt).unwrap();
        assert_eq!(again, sealed, "case {}", case["tcId"]);
        valid += 1;
    }
    assert_eq!((valid, invalid), (10, 25));
    assert_eq!(file["numberOfTests"].as_u64(), Some(valid + invalid));
}

/// Opens the ten encryptions of one RFC 9180 case with the library our wraps stand on.
fn open_all<A: hpke::aead::Aead, K: hpke::kdf::Kdf>(case: &Value) -> usize {
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&hex(&case["skRm"])).unwrap();
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&hex(&case["enc"])).unwrap();
    let purpose = hex(&case["info"]);
    let mut context =
        hpke::setup_receiver::<A, K, Kem>(&OpModeR::Base, &secret, &enc, &purpose).unwrap();
    let list = case["encryptions"].as_array().unwrap();
    for item in list {
        let plain = context.open(&hex(&item["ct"]), &hex(&item["aad"])).unwrap();
        assert_eq!(plain, hex(&item["pt"]));
    }
    list.len()
}

#[test]
fn rfc_9180_base_mode_x25519_six_suites_open_60_encryptions() {
    let Some(folder) = folder("rfc9180") else { return };
    let cases = json(&folder.join("test-vectors-5f503c5.x25519-p256.json"));
    let (mut suites, mut opened) = (0, 0);
    for case in cases.as_array().unwrap() {
        let id = |key: &str| case[key].as_u64().unwrap();
        if id("mode") != 0 || id("kem_id") != 0x20 {
            continue;
        }
        opened += match (id("kdf_id"), id("aead_id")) {
            (1, 1) => open_all::<AesGcm128, HkdfSha256>(case),
            (1, 2) => open_all::<AesGcm256, HkdfSha256>(case),
            (1, 3) => open_all::<ChaCha20Poly1305, HkdfSha256>(case),
            (3, 1) => open_all::<AesGcm128, HkdfSha512>(case),
            (3, 2) => open_all::<AesGcm256, HkdfSha512>(case),
            (3, 3) => open_all::<ChaCha20Poly1305, HkdfSha512>(case),
            _ => continue,
        };
        suites += 1;
    }
    assert_eq!((suites, opened), (6, 60));
}
