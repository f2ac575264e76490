//! Envelopes: nothing that the giver did not sign, seal and log ever opens.
#![no_main]

use crypto::seal::RecipientSecret;
use crypto::sign::{Signer, SigningKey};
use crypto::vkey::KeyKind;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use wire::envelope::{Envelope, Giver, open};

struct Keys {
    release: SigningKey,
    log: SigningKey,
    secret: RecipientSecret,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        release: SigningKey::from_seed("xa.example/release", KeyKind::Note, &[7; 32])
            .expect("a key of 32 bytes"),
        log: SigningKey::from_seed("xa.example/log", KeyKind::Note, &[8; 32])
            .expect("a key of 32 bytes"),
        secret: RecipientSecret::from_bytes(&[9; 32]).expect("a key of 32 bytes"),
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(bytes) else { return };
    let keys = keys();
    let giver = Giver {
        release: keys.release.verifier_key(),
        log: keys.log.verifier_key(),
        origin: "xa.example/log",
    };
    let me = "xb.police.ct".parse().expect("an agency");
    assert!(open(&envelope, &me, &keys.secret, &giver).is_err(), "nobody sealed this");
});
