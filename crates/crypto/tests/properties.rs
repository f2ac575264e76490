//! Laws that hold for every tree, note and sealed body, and mutations that are always refused.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use crypto::checkpoint::{Checkpoint, SignedCheckpoint};
use crypto::frontier::Frontier;
use crypto::hash::{sha256, sha256_parts};
use crypto::merkle::*;
use crypto::note::Note;
use crypto::prove::{self, HashMemory};
use crypto::seal::*;
use crypto::sign::{Signer as _, SigningKey};
use crypto::tiles::{TilePath, decode_bundle, encode_bundle};
use crypto::vkey::{KeyKind, VerifierKey};
use crypto::{Digest, Entropy};
use proptest::prelude::*;

struct Seeded(u64, u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block = sha256_parts(&[&self.0.to_be_bytes(), &self.1.to_be_bytes()]);
            self.1 += 1;
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
    }
}

fn leaf(tree: u64, index: u64) -> Digest {
    leaf_hash(&[tree.to_be_bytes(), index.to_be_bytes()].concat())
}

fn grow(tree: u64, size: u64) -> (Vec<Digest>, Frontier, HashMemory) {
    let leaves: Vec<Digest> = (0..size).map(|i| leaf(tree, i)).collect();
    let (mut edge, mut kept) = (Frontier::new(), HashMemory::default());
    kept.keep(&edge.append(&leaves).unwrap());
    (leaves, edge, kept)
}

/// Bends one bit of a proof, or drops, doubles, swaps or adds an element; `None` where that
/// changes nothing.
fn bend(proof: &[Digest], how: u8, place: usize, bit: usize) -> Option<Vec<Digest>> {
    let mut bent = proof.to_vec();
    let at = if proof.is_empty() { 0 } else { place % proof.len() };
    match how % 5 {
        0 if !proof.is_empty() => bent[at].0[bit / 8 % 32] ^= 1 << (bit % 8),
        1 if !proof.is_empty() => drop(bent.remove(at)),
        2 if !proof.is_empty() => bent.insert(at, proof[at]),
        3 if proof.len() > 1 => bent.swap(at, (at + 1) % proof.len()),
        _ => bent.push(sha256(&[how])),
    }
    (bent != proof).then_some(bent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn inclusion_proofs_hold_and_bent_ones_do_not(
        tree: u64, size in 1_u64..700, pick: u64, how: u8, place: usize, bit in 0_usize..256,
    ) {
        let (leaves, edge, kept) = grow(tree, size);
        let (index, top) = (pick % size, edge.root());
        let leaf = leaves[index as usize];
        let proof = prove::inclusion(&kept, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(index, size, &leaf, &proof, &top), Ok(()));
        if let Some(bent) = bend(&proof, how, place, bit) {
            prop_assert!(verify_inclusion(index, size, &leaf, &bent, &top).is_err());
        }
        let mut other = top;
        other.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(index, size, &leaf, &proof, &other).is_err());
        let elsewhere = (index + 1) % size;
        if elsewhere != index {
            prop_assert!(verify_inclusion(elsewhere, size, &leaf, &proof, &top).is_err());
        }
        prop_assert!(verify_inclusion(index, size * 2, &leaf, &proof, &top).is_err());
    }

    #[test]
    fn consistency_proofs_hold_and_bent_ones_do_not(
        tree: u64, size in 1_u64..700, pick: u64, how: u8, place: usize, bit in 0_usize..256,
    ) {
        let (leaves, edge, kept) = grow(tree, size);
        let old = pick % size + 1;
        let (old_root, top) = (root(&leaves[..old as usize]), edge.root());
        let proof = prove::consistency(&kept, old, size).unwrap();
        prop_assert_eq!(verify_consistency(old, size, &proof, &old_root, &top), Ok(()));
        if let Some(bent) = bend(&proof, how, place, bit) {
            prop_assert!(verify_consistency(old, size, &bent, &old_root, &top).is_err());
        }
        let mut other = old_root;
        other.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(old, size, &proof, &other, &top).is_err());
        prop_assert!(verify_consistency(old, size, &proof, &old_root, &other).is_err());
    }

    #[test]
    fn subtree_proofs_hold(tree: u64, size in 1_u64..500, pick: u64, span in 1_u64..500) {
        let (leaves, edge, kept) = grow(tree, size);
        let span = span.min(size);
        let step = span.next_power_of_two();
        let start = (pick % (size - span + 1)) / step * step;
        let range = start..start + span;
        let part = root(&leaves[start as usize..(start + span) as usize]);
        let proof = prove::subtree_consistency(&kept, range.clone(), size).unwrap();
        let verdict = verify_subtree_consistency(range.clone(), size, &proof, &part, &edge.root());
        prop_assert_eq!(verdict, Ok(()));
        let index = start + pick % span;
        let proof = prove::subtree_inclusion(&kept, index, range.clone()).unwrap();
        let leaf = leaves[index as usize];
        prop_assert_eq!(verify_subtree_inclusion(index, range, &leaf, &proof, &part), Ok(()));
    }

    #[test]
    fn batches_of_any_cut_grow_the_same_tree(tree: u64, size in 0_u64..300, cut: u64) {
        let (leaves, whole, kept) = grow(tree, size);
        let (left, right) = leaves.split_at((cut % (size + 1)) as usize);
        let (mut edge, mut parts) = (Frontier::new(), HashMemory::default());
        parts.keep(&edge.append(left).unwrap());
        edge = Frontier::from_bytes(&edge.to_bytes()).unwrap();
        parts.keep(&edge.append(right).unwrap());
        prop_assert_eq!((edge, parts), (whole, kept));
    }

    #[test]
    fn notes_round_trip_and_one_changed_byte_is_refused(
        text in "[^\\x00-\\x1f]{0,60}(\n[^\\x00-\\x1f]{0,30}){0,4}", place: usize, byte: u8,
    ) {
        let key = SigningKey::from_seed("xa/log", KeyKind::Note, &[4; 32]).unwrap();
        let keys = [key.verifier_key().clone()];
        let note = Note::sign(&format!("{text}\n"), &[&key]).unwrap();
        let bytes = note.to_string().into_bytes();
        prop_assert_eq!(&Note::parse(&bytes).unwrap(), &note);
        prop_assert!(note.verify(&keys).is_ok());
        let mut bent = bytes.clone();
        let at = place % bent.len();
        bent[at] = byte;
        if bent != bytes {
            prop_assert!(Note::parse(&bent).and_then(|n| n.verify(&keys)).is_err());
        }
    }

    #[test]
    fn cosigned_checkpoints_refuse_one_changed_byte(
        size in 1_u64..1_000_000, time in 0_u64..1 << 40, place: usize, byte: u8,
    ) {
        let log = SigningKey::from_seed("xa/log", KeyKind::Note, &[4; 32]).unwrap();
        let witness = SigningKey::from_seed("xb/w", KeyKind::Cosignature, &[5; 32]).unwrap();
        let key = witness.verifier_key();
        let point = Checkpoint::new("xa/log", size, sha256(&size.to_be_bytes())).unwrap();
        let bytes = point.sign(&log).unwrap().to_string();
        let open = |bytes: &[u8]| SignedCheckpoint::open(bytes, "xa/log", log.verifier_key());
        let mut signed = open(bytes.as_bytes()).unwrap();
        let line = signed.cosign(&witness, time).unwrap();
        prop_assert_eq!(signed.add_cosignature(line, key).unwrap().time, Some(time));
        let bytes = signed.note().to_string().into_bytes();
        let mut bent = bytes.clone();
        let at = place % bent.len();
        bent[at] = byte;
        if bent != bytes {
            let all = open(&bent).and_then(|s| s.cosignatures(std::slice::from_ref(key)));
            prop_assert!(all.map_or(true, |found| found.is_empty()));
        }
    }

    #[test]
    fn sealed_bodies_and_wraps_refuse_one_changed_byte(
        seed: u64, length in 0_usize..40_000, place: usize, flip in 1_u8..=255,
    ) {
        let mut entropy = Seeded(seed, 0);
        let key = ContentKey::generate(&mut entropy);
        let mut plain = vec![0; length];
        entropy.fill(&mut plain);
        let mut sealed = seal_body(&key, b"case", &plain, &mut entropy).unwrap();
        prop_assert_eq!(&open_body(&key, b"case", &sealed).unwrap(), &plain);
        let at = place % sealed.len();
        sealed[at] ^= flip;
        prop_assert!(open_body(&key, b"case", &sealed).is_err());
        sealed[at] ^= flip;
        sealed.truncate(at);
        prop_assert!(open_body(&key, b"case", &sealed).is_err());
    }

    #[test]
    fn readers_never_stop_on_arbitrary_input(bytes: Vec<u8>, text in "\\PC{0,40}") {
        let _ = Note::parse(&bytes);
        let _ = Note::parse(text.as_bytes());
        let _ = text.parse::<VerifierKey>();
        let _ = text.parse::<Checkpoint>();
        let _ = SigningKey::from_secret_text(&text);
        let _ = Frontier::from_bytes(&bytes);
        let mut key_bytes = bytes.clone();
        key_bytes.resize(RECIPIENT_PUBLIC_BYTES, 0x5a);
        let _ = RecipientPublic::from_bytes(&key_bytes);
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
        if let Ok(entries) = decode_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(&entries).unwrap(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn wraps_refuse_one_changed_byte(seed: u64, place: usize, flip in 1_u8..=255) {
        let mut entropy = Seeded(seed, 1);
        let (secret, public) = generate_recipient_key(&mut entropy).unwrap();
        let (key, manifest) = (ContentKey::generate(&mut entropy), sha256(&seed.to_be_bytes()));
        let mut wrapped = wrap(&public, &manifest, &key, &mut entropy).unwrap();
        let opened = unwrap_key(&secret, &manifest, &wrapped).unwrap();
        prop_assert_eq!(opened.expose(), key.expose());
        let at = place % wrapped.len();
        wrapped[at] ^= flip;
        prop_assert!(unwrap_key(&secret, &manifest, &wrapped).is_err());
    }
}
