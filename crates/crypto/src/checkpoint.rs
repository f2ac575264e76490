//! Checkpoints: what a log says its tree is, and what witnesses say they saw. Pure.
//!
//! SOURCE: c2sp.org/tlog-checkpoint v1.0.0, c2sp.org/tlog-cosignature v1.0.1 (Ed25519).

use crate::Digest;
use crate::hash::{base64_decode_array, base64_encode, excerpt};
use crate::merkle::{TREE_SIZE_MAX, empty_root};
use crate::note::{Endorsement, Note, NoteError, NoteSignature};
use crate::sign::Signer;
use crate::vkey::{COSIGNATURE_BYTES, KeyKind, VerifierKey, cosignature_message};
use std::fmt;
use std::str::FromStr;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The origin line is empty, too long or holds a control character.
    #[error("`{0}` is not the origin of a log")]
    Origin(String),
    /// The size line is not a canonical decimal number within the limit.
    #[error("`{0}` is not the size of a log")]
    Size(String),
    /// The root line is not base64 of 32 bytes.
    #[error("`{0}` is not a root hash")]
    Root(String),
    /// The empty tree has one root only.
    #[error("the root of the empty log is wrong")]
    EmptyRoot,
    /// Not exactly three lines; extension lines are not spoken here.
    #[error("a checkpoint has three lines, not {0}")]
    Lines(usize),
    /// The checkpoint is of another log.
    #[error("the checkpoint is of log `{got}`, not of `{want}`")]
    OtherLog {
        /// Origin expected.
        want: String,
        /// Origin found.
        got: String,
    },
    /// The log's own key did not sign.
    #[error("the log `{0}` did not sign its checkpoint")]
    NotByLog(String),
    /// A cosignature cannot state this time.
    #[error("{0} is not a time a cosignature can state")]
    Time(u64),
    /// The note around the checkpoint was refused.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// The size and root of a log, under its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
}

impl Checkpoint {
    /// A checkpoint of the log `origin` with `size` leaves and `root`.
    pub fn new(origin: &str, size: u64, root: Digest) -> Result<Self, CheckpointError> {
        // LIMIT: an origin has as many bytes as a cosigned message can carry.
        let bad = origin.is_empty() || origin.len() > 255 || origin.contains(char::is_control);
        if bad {
            return Err(CheckpointError::Origin(excerpt(origin)));
        }
        if size > TREE_SIZE_MAX {
            return Err(CheckpointError::Size(size.to_string()));
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The checkpoint as a note signed by the log. The caller keeps a high-water mark: two
    /// checkpoints of one size and different roots are evidence against the log.
    pub fn sign(&self, log: &dyn Signer) -> Result<Note, CheckpointError> {
        Ok(Note::sign(&self.to_string(), &[log])?)
    }
}

impl fmt::Display for Checkpoint {
    /// The note text: origin, size and root, one line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, base64_encode(&self.root.0))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else {
            return Err(CheckpointError::Lines(lines.len().saturating_sub(1)));
        };
        let number = size.parse::<u64>().ok().filter(|number| number.to_string() == *size);
        let number = number.ok_or_else(|| CheckpointError::Size(excerpt(size)))?;
        let root = base64_decode_array(root).map_err(|_| CheckpointError::Root(excerpt(root)))?;
        Self::new(origin, number, Digest(root))
    }
}

/// A checkpoint whose log signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint of the log `origin` and verifies the log's signature. Other
    /// signatures are kept and not judged.
    pub fn open(bytes: &[u8], origin: &str, log: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        if log.kind() != KeyKind::Note {
            return Err(NoteError::KeyKind(log.name().to_owned()).into());
        }
        if !note.signatures().iter().any(|line| line.claims(log)) {
            return Err(CheckpointError::NotByLog(origin.to_owned()));
        }
        note.verify(std::slice::from_ref(log))?;
        let checkpoint: Checkpoint = note.text().parse()?;
        if checkpoint.origin != origin {
            let (want, got) = (origin.to_owned(), excerpt(&checkpoint.origin));
            return Err(CheckpointError::OtherLog { want, got });
        }
        Ok(Self { checkpoint, note })
    }

    /// What the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note as received, with every signature line.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Cosigns as a witness at `time` (seconds since 1970): "this is the largest consistent tree of
    /// this log I have seen". The caller has checked consistency and stored the new size first.
    pub fn cosign(
        &self,
        witness: &dyn Signer,
        time: u64,
    ) -> Result<NoteSignature, CheckpointError> {
        let key = witness.verifier_key();
        if key.kind() != KeyKind::Cosignature {
            return Err(NoteError::KeyKind(key.name().to_owned()).into());
        }
        let message = cosignature_message(time, self.note.text());
        let message = message.ok_or(CheckpointError::Time(time))?;
        let mut bytes = Vec::with_capacity(COSIGNATURE_BYTES);
        bytes.extend_from_slice(&time.to_be_bytes());
        bytes.extend_from_slice(&witness.sign(message.as_bytes()));
        Ok(NoteSignature::new(key, bytes))
    }

    /// Adds a cosignature line after verifying it with the witness's key; answers its time.
    pub fn add_cosignature(
        &mut self,
        line: NoteSignature,
        witness: &VerifierKey,
    ) -> Result<Endorsement, CheckpointError> {
        let name = || witness.name().to_owned();
        if witness.kind() != KeyKind::Cosignature {
            return Err(NoteError::KeyKind(name()).into());
        }
        let time = line.verify(self.note.text(), witness)?;
        self.note.add(line)?;
        Ok(Endorsement { key: witness.clone(), time })
    }

    /// Which of `witnesses` cosigned, each once. An empty answer is not an error; a bad cosignature
    /// by one of them is. Whether they suffice is for the policy of the reader, which also makes
    /// sure that no two witnesses share one public key: a v1 cosignature does not bind the name.
    pub fn cosignatures(
        &self,
        witnesses: &[VerifierKey],
    ) -> Result<Vec<Endorsement>, CheckpointError> {
        let of_kind = |key: &&VerifierKey| key.kind() == KeyKind::Cosignature;
        let keys: Vec<VerifierKey> = witnesses.iter().filter(of_kind).cloned().collect();
        match self.note.verify(&keys) {
            Err(NoteError::NoKnownSignature) => Ok(Vec::new()),
            answer => Ok(answer?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;
    use crate::sign::SigningKey;

    const ORIGIN: &str = "xa.example/log";

    fn key(name: &str, kind: KeyKind, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, kind, &[seed; 32]).unwrap()
    }

    fn signed() -> (SigningKey, SignedCheckpoint) {
        let log = key(ORIGIN, KeyKind::Note, 1);
        let note = Checkpoint::new(ORIGIN, 1, leaf_hash(b"a")).unwrap().sign(&log).unwrap();
        let bytes = note.to_string();
        let open = SignedCheckpoint::open(bytes.as_bytes(), ORIGIN, log.verifier_key()).unwrap();
        (log, open)
    }

    #[test]
    fn a_cosigned_checkpoint_round_trips() {
        let (log, mut open) = signed();
        let witness = key("xb.example/witness", KeyKind::Cosignature, 2);
        let line = open.cosign(&witness, 1_679_315_147).unwrap();
        let seen = open.add_cosignature(line, witness.verifier_key()).unwrap();
        assert_eq!(seen.time, Some(1_679_315_147));
        let bytes = open.note().to_string();
        let back = SignedCheckpoint::open(bytes.as_bytes(), ORIGIN, log.verifier_key()).unwrap();
        assert_eq!(back, open);
        let known = [witness.verifier_key().clone(), log.verifier_key().clone()];
        assert_eq!(back.cosignatures(&known).unwrap(), [seen]);
        assert_eq!(back.cosignatures(&[]).unwrap(), []);
    }

    #[test]
    fn a_cosignature_with_another_time_or_kind_is_refused() {
        let (log, mut open) = signed();
        let witness = key("xb.example/witness", KeyKind::Cosignature, 2);
        let mut bytes = witness.sign(b"x").to_vec();
        bytes.splice(0..0, 5_u64.to_be_bytes());
        let forged = NoteSignature::new(witness.verifier_key(), bytes);
        assert!(open.add_cosignature(forged, witness.verifier_key()).is_err());
        assert!(matches!(open.cosign(&log, 5), Err(CheckpointError::Note(NoteError::KeyKind(_)))));
        assert_eq!(open.cosign(&witness, u64::MAX), Err(CheckpointError::Time(u64::MAX)));
        let log_as_witness =
            open.add_cosignature(open.note().signatures()[0].clone(), log.verifier_key());
        assert!(matches!(log_as_witness, Err(CheckpointError::Note(NoteError::KeyKind(_)))));
    }

    #[test]
    fn checkpoints_have_one_form() {
        let root = base64_encode(&leaf_hash(b"a").0);
        let parse = |text: &str| text.parse::<Checkpoint>();
        assert!(parse(&format!("o\n1\n{root}\n")).is_ok());
        for bad in [
            "o\n01\nR\n",
            "o\n+1\nR\n",
            "o\n1\nR",
            "o\n1\nR\next\n",
            "\n1\nR\n",
            "o\n0\nR\n",
            "o\n9223372036854775808\nR\n",
            "o\n1\nRR\n",
            "o\n-1\nR\n",
            "",
        ] {
            assert!(parse(&bad.replace('R', &root)).is_err(), "{bad}");
        }
        let (log, open) = signed();
        let bytes = open.note().to_string();
        let other = SignedCheckpoint::open(bytes.as_bytes(), "xb", log.verifier_key());
        assert!(matches!(other, Err(CheckpointError::OtherLog { .. })));
        let stranger = key(ORIGIN, KeyKind::Note, 9);
        let unsigned = SignedCheckpoint::open(bytes.as_bytes(), ORIGIN, stranger.verifier_key());
        assert_eq!(unsigned, Err(CheckpointError::NotByLog(ORIGIN.into())));
    }
}
