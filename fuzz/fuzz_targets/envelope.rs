//! Envelopes, by a giver that signs, seals and logs whatever it likes, and by one on the way that
//! changes bytes: the first is refused or read as sealed, the second never gets anything opened
//! but what was sealed.
//!
//! Input: one byte says which of the two. For the giver: the number of releases it states, then
//! what it seals. For the other: places (two bytes) and the bits to turn there (one byte).
#![no_main]

use crypto::body::seal_body;
use crypto::checkpoint::Checkpoint;
use crypto::entropy::Entropy;
use crypto::hash::{base64_encode, commitment, hex_encode, sha256};
use crypto::merkle::leaf_hash;
use crypto::seal::{ContentKey, RecipientSecret, wrap};
use crypto::sign::{Signer, SigningKey};
use crypto::vkey::KeyKind;
use libfuzzer_sys::fuzz_target;
use model::entry::{Entry, EntryKind};
use model::ids::AgencyId;
use model::release::Manifest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use wire::document::{DocumentKind, Signed, Unverified, sign};
use wire::envelope::{Envelope, Giver, LogProof, MANIFEST_FIELD, Opened, open};

const ORIGIN: &str = "xa.example/log";
const SALT: [u8; 32] = [5; 32];

struct Keys {
    release: SigningKey,
    log: SigningKey,
    secret: RecipientSecret,
}

struct Steady(u8);

impl Entropy for Steady {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
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

fn agency(id: &str) -> AgencyId {
    id.parse().expect("an agency")
}

/// An envelope that holds, around any bytes.
fn sealed(plain: &[u8], count: u64) -> Envelope {
    let (keys, mut entropy) = (keys(), Steady(1));
    let at = "2026-01-01T00:00:00Z".parse().expect("an instant");
    let items = sha256(plain);
    let key = ContentKey::generate(&mut entropy);
    let body = seal_body(&key, &items.0, plain, &mut entropy).expect("a body within the limit");
    let wrapped = wrap(&keys.secret.public(), &items, &key, &mut entropy).expect("a key to wrap");
    let manifest = Manifest {
        giver: agency("xa.police.ct"),
        recipient: agency("xb.police.ct"),
        agreements: BTreeMap::new(),
        count,
        sealed_at: at,
        items,
        body: sha256(&body),
        body_bytes: body.len() as u64,
        wrapped_key: base64_encode(&wrapped),
    };
    let Signed { bytes, digest } =
        sign(DocumentKind::Manifest, &manifest, &keys.release).expect("a manifest to sign");
    let committed = commitment(MANIFEST_FIELD, &SALT, digest.to_string().as_bytes());
    let entry = Entry {
        kind: EntryKind::Dispatch,
        at,
        agreements: BTreeSet::new(),
        purpose: None,
        partner: Some(agency("xb.police.ct")),
        count,
        commitments: [(MANIFEST_FIELD.to_owned(), committed)].into(),
    };
    let entry = serde_json::to_string(&entry).expect("an entry to write");
    let checkpoint = Checkpoint::new(ORIGIN, 1, leaf_hash(entry.as_bytes())).expect("a checkpoint");
    let checkpoint = checkpoint.sign(&keys.log).expect("a checkpoint to sign").to_string();
    let proof = LogProof {
        entry,
        salt: hex_encode(&SALT),
        index: 0,
        path: Vec::new(),
        checkpoint,
        since: 0,
        consistency: Vec::new(),
    };
    let manifest = String::from_utf8(bytes).expect("text");
    Envelope { manifest, body: base64_encode(&body), proof: Some(proof) }
}

fn opened(envelope: &Envelope) -> Option<Opened> {
    let keys = keys();
    let giver = Giver {
        release: keys.release.verifier_key(),
        log: keys.log.verifier_key(),
        origin: ORIGIN,
    };
    open(envelope, &agency("xb.police.ct"), &keys.secret, &giver).ok()
}

/// The giver seals what it likes.
fn hostile_giver(count: u8, plain: &[u8]) {
    let envelope = sealed(plain, u64::from(count));
    let Some(opened) = opened(&envelope) else {
        assert!(!plain.is_empty() || count > 0, "an envelope that holds was refused");
        return;
    };
    assert_eq!(opened.shipment.releases.len(), usize::from(count));
    for (terms, content) in &opened.shipment.releases {
        assert!(content.as_ref().is_none_or(|(object, _)| *object.id() == terms.record));
    }
}

/// Somebody on the way turns bits.
fn hostile_carrier(changes: &[u8]) {
    static WHOLE: OnceLock<(Vec<u8>, Envelope)> = OnceLock::new();
    let (whole, before) = WHOLE.get_or_init(|| {
        let envelope = sealed(&[], 0);
        (serde_json::to_vec(&envelope).expect("an envelope to write"), envelope)
    });
    let mut bytes = whole.clone();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[place] ^= change[2];
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&bytes) else { return };
    if opened(&envelope).is_none() {
        assert!(bytes != *whole, "an envelope that holds was refused");
        return;
    }
    let signed = |envelope: &Envelope| {
        Unverified::parse(envelope.manifest.as_bytes()).map(|signed| signed.digest()).ok()
    };
    assert_eq!(signed(&envelope), signed(before), "another manifest was accepted");
    assert_eq!(envelope.body, before.body, "another body was accepted");
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, rest)) => hostile_carrier(rest),
        Some((_, [count, plain @ ..])) => hostile_giver(*count, plain),
        Some((_, [])) | None => {}
    }
});
