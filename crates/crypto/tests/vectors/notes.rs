//! Published vectors: notes.

use crate::{base64, folder, hex, json};
use crypto::Digest;
use crypto::checkpoint::SignedCheckpoint;
use crypto::merkle::verify_consistency;
use crypto::note::Note;
use crypto::sign::PublicKey;
use crypto::vkey::{KeyKind, VerifierKey};
use serde_json::Value;

#[test]
fn published_notes_verify_2_of_2_and_keep_their_bytes() {
    let Some(folder) = folder("c2sp-notes") else { return };
    let notes = json(&folder.join("notes.json"));
    let notes = notes.as_array().unwrap();
    for case in notes {
        let (text, key) = (case["note"].as_str().unwrap(), case["vkey"].as_str().unwrap());
        let note = Note::parse(text.as_bytes()).unwrap();
        let key: VerifierKey = key.parse().unwrap();
        assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
        assert_eq!(note.to_string(), text);
        assert_eq!(key.to_string(), case["vkey"].as_str().unwrap());
        let altered = text.replacen('e', "a", 1);
        let altered = Note::parse(altered.as_bytes()).unwrap();
        assert!(altered.verify(std::slice::from_ref(&key)).is_err());
    }
    assert_eq!(notes.len(), 2);
}

#[test]
fn the_go_checksum_database_checkpoint_opens() {
    let Some(folder) = folder("c2sp-notes") else { return };
    let notes = json(&folder.join("notes.json"));
    let (text, key) = (notes[1]["note"].as_str().unwrap(), notes[1]["vkey"].as_str().unwrap());
    let origin = "go.sum database tree";
    let open = SignedCheckpoint::open(text.as_bytes(), origin, &key.parse().unwrap()).unwrap();
    assert_eq!(open.checkpoint().size(), 35_225_469);
}

/// A witness without storage: what the crypto layer alone must answer to an add-checkpoint request.
struct Witness {
    origin: String,
    key: VerifierKey,
    size: u64,
    root: Option<Digest>,
}

impl Witness {
    fn answer(&mut self, body: &str) -> u64 {
        let (head, note) = body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<Digest> =
            lines.map(|l| Digest(base64(&Value::from(l)).try_into().unwrap())).collect();
        let open = SignedCheckpoint::open(note.as_bytes(), &self.origin, &self.key);
        let Ok(open) = open else { return 403 };
        let new = open.checkpoint();
        if old > new.size() {
            return 400;
        }
        if old != self.size {
            return 409;
        }
        let fits = match self.root {
            None => proof.is_empty(),
            Some(root) => verify_consistency(old, new.size(), &proof, &root, &new.root()).is_ok(),
        };
        if !fits {
            return 422;
        }
        (self.size, self.root) = (new.size(), Some(new.root()));
        200
    }
}

#[test]
fn witness_requests_get_the_expected_verdict_10_of_10() {
    let Some(folder) = folder("c2sp-witness") else { return };
    let groups = json(&folder.join("add-checkpoint.json"));
    let mut count = 0;
    for group in groups.as_array().unwrap() {
        let log = &group["log"];
        let key = match log["log_vkey"].as_str() {
            Some(text) => text.parse().unwrap(),
            None => {
                let point = hex(&log["log_ed25519_pk_hex"]).try_into().unwrap();
                let key = PublicKey::from_bytes(&point).unwrap();
                let name = log["origin"].as_str().unwrap();
                VerifierKey::new(name, KeyKind::Note, key).unwrap()
            }
        };
        let origin = log["origin"].as_str().unwrap().to_owned();
        let mut witness = Witness { origin, key, size: 0, root: None };
        for case in group["cases"].as_array().unwrap() {
            let body = case["body"].as_str().unwrap();
            assert_eq!(Some(witness.answer(body)), case["status"].as_u64(), "case {count}: {body}");
            count += 1;
        }
    }
    assert_eq!(count, 10);
}
