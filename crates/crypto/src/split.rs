//! Whether two signed checkpoints of a log can both be honest, and the proof if not. Pure.
//!
//! INVARIANT: evidence convicts by itself. It needs nothing but the log's public key: the log
//! signed one root for the first n leaves and, under a larger signed tree, committed to another.
//!
//! SOURCE: RFC 9162 section 11.3 (misbehaving logs), house design 3.5 (gossip).

use crate::Digest;
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::merkle::{PROOF_HASHES_MAX, ProofError, verify_consistency};
use crate::vkey::VerifierKey;

/// Why two checkpoints could not be compared, or evidence did not convict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A checkpoint is not genuine.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoints are of two logs.
    #[error("the checkpoints are of two different logs, `{0}` and `{1}`")]
    TwoLogs(String, String),
    /// The proof handed over does not lead from one tree to the other.
    #[error("the proof between the two trees was refused: {0}")]
    Proof(#[from] ProofError),
    /// The two checkpoints agree, so nothing is proved against the log.
    #[error("the two checkpoints agree")]
    Agree,
    /// LIMIT: [`PROOF_HASHES_MAX`].
    #[error("a proof of {0} hashes is too long")]
    ProofTooLong(usize),
}

/// What two genuine checkpoints of one log say about each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// Same size, same root.
    Same,
    /// The larger tree begins with the smaller one, by the proof given.
    Grown,
    /// Same size, two roots: the log showed two faces. The checkpoints are the evidence.
    Split,
    /// Sizes differ and no proof was given: ask the log for one; its refusal is telling, not proof.
    Unproved,
}

/// Compares two genuine checkpoints of one log, with a consistency proof where there is one.
pub fn reconcile(
    first: &SignedCheckpoint,
    second: &SignedCheckpoint,
    proof: Option<&[Digest]>,
) -> Result<Reconciliation, SplitError> {
    same_log(first, second)?;
    let (a, b) = (first.checkpoint(), second.checkpoint());
    let (old, new) = if a.size() <= b.size() { (a, b) } else { (b, a) };
    if old.size() == new.size() {
        let same = old.root() == new.root();
        return Ok(if same { Reconciliation::Same } else { Reconciliation::Split });
    }
    // WHY: every tree begins with the empty one, whose root the checkpoint reader has checked.
    if old.size() == 0 {
        return Ok(Reconciliation::Grown);
    }
    let Some(proof) = proof else { return Ok(Reconciliation::Unproved) };
    verify_consistency(old.size(), new.size(), proof, &old.root(), &new.root())?;
    Ok(Reconciliation::Grown)
}

/// Refuses checkpoints of two logs.
fn same_log(first: &SignedCheckpoint, second: &SignedCheckpoint) -> Result<(), SplitError> {
    let (a, b) = (first.checkpoint().origin(), second.checkpoint().origin());
    if a == b { Ok(()) } else { Err(SplitError::TwoLogs(a.to_owned(), b.to_owned())) }
}

/// Proof that a log showed two faces, for anyone who holds the log's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitEvidence {
    /// The signed checkpoint of the smaller tree, as received.
    pub smaller: String,
    /// The signed checkpoint of the larger tree (or of the other tree of the same size).
    pub larger: String,
    /// The root the larger tree has over as many leaves as the smaller checkpoint counts.
    pub prefix_root: Digest,
    /// Consistency proof from `prefix_root` to the root of the larger checkpoint; empty where the
    /// sizes are equal.
    pub proof: Vec<Digest>,
}

impl SplitEvidence {
    /// Puts evidence together and checks that it convicts.
    pub fn new(
        first: &SignedCheckpoint,
        second: &SignedCheckpoint,
        prefix_root: Digest,
        proof: Vec<Digest>,
    ) -> Result<Self, SplitError> {
        let first_is_smaller = first.checkpoint().size() <= second.checkpoint().size();
        let (old, new) = if first_is_smaller { (first, second) } else { (second, first) };
        convict(old, new, &prefix_root, &proof)?;
        let (smaller, larger) = (old.note().to_string(), new.note().to_string());
        Ok(Self { smaller, larger, prefix_root, proof })
    }

    /// Checks evidence received from anyone. `Ok` means: the holder of `log` signed two trees of
    /// which neither is the beginning of the other.
    pub fn verify(&self, origin: &str, log: &VerifierKey) -> Result<(), SplitError> {
        let old = SignedCheckpoint::open(self.smaller.as_bytes(), origin, log)?;
        let new = SignedCheckpoint::open(self.larger.as_bytes(), origin, log)?;
        convict(&old, &new, &self.prefix_root, &self.proof)
    }
}

/// Whether the larger tree commits to another beginning than the smaller checkpoint states.
fn convict(
    old: &SignedCheckpoint,
    new: &SignedCheckpoint,
    prefix_root: &Digest,
    proof: &[Digest],
) -> Result<(), SplitError> {
    same_log(old, new)?;
    if proof.len() > PROOF_HASHES_MAX {
        return Err(SplitError::ProofTooLong(proof.len()));
    }
    let (old, new) = (old.checkpoint(), new.checkpoint());
    verify_consistency(old.size(), new.size(), proof, prefix_root, &new.root())?;
    if *prefix_root == old.root() { Err(SplitError::Agree) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::frontier::Frontier;
    use crate::merkle::leaf_hash;
    use crate::prove::{HashMemory, consistency};
    use crate::sign::{Signer as _, SigningKey};
    use crate::vkey::KeyKind;

    const ORIGIN: &str = "xa.example/log";

    fn log() -> SigningKey {
        SigningKey::from_seed(ORIGIN, KeyKind::Note, &[1; 32]).unwrap()
    }

    /// A signed checkpoint over leaves whose third one is `third`, and the stored hashes.
    fn tree(size: usize, third: &str) -> (SignedCheckpoint, HashMemory) {
        let entries = ["a", "b", third, "d", "e", "f"];
        let leaves: Vec<Digest> = entries.iter().map(|e| leaf_hash(e.as_bytes())).collect();
        let (mut edge, mut kept) = (Frontier::new(), HashMemory::default());
        kept.keep(&edge.append(&leaves[..size]).unwrap());
        let point = Checkpoint::new(ORIGIN, size as u64, edge.root()).unwrap();
        let note = point.sign(&log()).unwrap().to_string();
        let open = SignedCheckpoint::open(note.as_bytes(), ORIGIN, log().verifier_key());
        (open.unwrap(), kept)
    }

    #[test]
    fn an_honest_log_is_never_convicted() {
        let ((old, _), (new, kept)) = (tree(3, "c"), tree(6, "c"));
        let proof = consistency(&kept, 3, 6).unwrap();
        assert_eq!(reconcile(&new, &old, Some(&proof)), Ok(Reconciliation::Grown));
        assert_eq!(reconcile(&new, &old, None), Ok(Reconciliation::Unproved));
        assert_eq!(reconcile(&old, &old, None), Ok(Reconciliation::Same));
        let root = old.checkpoint().root();
        assert_eq!(SplitEvidence::new(&old, &new, root, proof.clone()), Err(SplitError::Agree));
        let slander = SplitEvidence::new(&old, &new, leaf_hash(b"x"), proof);
        assert_eq!(slander, Err(SplitError::Proof(ProofError::RootMismatch)));
    }

    #[test]
    fn a_log_with_two_faces_is_convicted_at_equal_and_at_different_sizes() {
        let ((old, _), (new, kept), (twin, _)) = (tree(3, "c"), tree(6, "C"), tree(3, "C"));
        assert_eq!(reconcile(&old, &twin, None), Ok(Reconciliation::Split));
        let root = twin.checkpoint().root();
        let equal = SplitEvidence::new(&old, &twin, root, vec![]).unwrap();
        assert_eq!(equal.verify(ORIGIN, log().verifier_key()), Ok(()));
        let proof = consistency(&kept, 3, 6).unwrap();
        assert!(reconcile(&old, &new, Some(&proof)).is_err());
        let grown = SplitEvidence::new(&new, &old, root, proof).unwrap();
        assert_eq!(grown.verify(ORIGIN, log().verifier_key()), Ok(()));
        let stranger = SigningKey::from_seed(ORIGIN, KeyKind::Note, &[2; 32]).unwrap();
        assert!(grown.verify(ORIGIN, stranger.verifier_key()).is_err());
    }
}
