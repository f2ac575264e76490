//! Who a node is: its member document and the secret keys behind it.

use crate::error::NodeError;
use crypto::entropy::Entropy;
use crypto::seal::{RecipientPublic, RecipientSecret, generate_recipient_key};
use crypto::sign::{Signer, SigningKey};
use crypto::vkey::{KeyKind, VerifierKey};
use model::ids::{AgencyId, PartyId};
use model::member::{Member, MemberKeys};
use model::time::Timestamp;

/// The keys of a node; one key, one role. Never printed.
pub struct Secrets {
    /// Signs member documents.
    pub root: SigningKey,
    /// Signs releases, receipts, recalls, consents and agreements.
    pub release: SigningKey,
    /// Signs checkpoints.
    pub log: SigningKey,
    /// Opens what is sealed for this node.
    pub seal: RecipientSecret,
}

impl Secrets {
    /// Draws all keys of an agency.
    ///
    /// # Errors
    /// The agency's name cannot be part of a key name.
    pub fn generate(agency: &AgencyId, entropy: &mut dyn Entropy) -> Result<Self, NodeError> {
        let mut key = |role: &str| {
            SigningKey::generate(&format!("{agency}/{role}"), KeyKind::Note, entropy)
                .map_err(NodeError::seal)
        };
        let (root, release, log) = (key("root")?, key("release")?, key("log")?);
        let (seal, _) = generate_recipient_key(entropy).map_err(NodeError::seal)?;
        Ok(Self { root, release, log, seal })
    }

    /// The public halves, as a member document carries them.
    #[must_use]
    pub fn public(&self) -> MemberKeys {
        let text = |key: &SigningKey| key.verifier_key().to_string();
        MemberKeys {
            root: text(&self.root),
            release: text(&self.release),
            log: text(&self.log),
            seal: crypto::hash::base64_encode(&self.seal.public().to_bytes()),
        }
    }
}

/// A node's member document with its secrets.
pub struct Identity {
    /// The member document, version and endpoint included.
    pub member: Member,
    /// The secrets.
    pub secrets: Secrets,
}

/// What a new member document says besides its keys.
pub struct Introduction {
    /// The agency.
    pub agency: AgencyId,
    /// Its party.
    pub party: PartyId,
    /// Where it listens.
    pub endpoint: String,
    /// First instant of validity.
    pub valid_from: Timestamp,
    /// First instant after validity.
    pub valid_until: Timestamp,
}

impl Identity {
    /// The identity of a new node, version 1.
    #[must_use]
    pub fn new(introduction: Introduction, secrets: Secrets) -> Self {
        let member = Member {
            agency: introduction.agency,
            party: introduction.party,
            version: 1,
            keys: secrets.public(),
            endpoint: introduction.endpoint,
            valid_from: introduction.valid_from,
            valid_until: introduction.valid_until,
        };
        Self { member, secrets }
    }

    /// The origin line of this node's log.
    #[must_use]
    pub fn origin(&self) -> String {
        log_origin(&self.member.agency)
    }

    /// The member document, signed by its root key.
    ///
    /// # Errors
    /// The document cannot be written.
    pub fn document(&self) -> Result<wire::document::Signed, NodeError> {
        let kind = wire::document::DocumentKind::Member;
        wire::document::sign(kind, &self.member, &self.secrets.root).map_err(NodeError::seal)
    }
}

/// The origin line of an agency's log; also the name of its log key.
#[must_use]
pub fn log_origin(agency: &AgencyId) -> String {
    format!("{agency}/log")
}

/// The public keys of a member, read from its document.
pub struct KnownKeys {
    /// Checks documents.
    pub release: VerifierKey,
    /// Checks checkpoints.
    pub log: VerifierKey,
    /// Seals bodies.
    pub seal: RecipientPublic,
}

impl KnownKeys {
    /// Reads the keys of a member document.
    ///
    /// # Errors
    /// A key is not in its form.
    pub fn of(member: &Member) -> Result<Self, NodeError> {
        let wrong = |what: &str, error: String| {
            NodeError::message(
                format!("the {what} key of `{}` is not usable: {error}", member.agency),
                "ask the member for its document anew",
            )
        };
        let seal = crypto::hash::base64_decode(&member.keys.seal)
            .map_err(|e| wrong("seal", e.to_string()))?;
        Ok(Self {
            release: member.keys.release.parse().map_err(|e| wrong("release", format!("{e}")))?,
            log: member.keys.log.parse().map_err(|e| wrong("log", format!("{e}")))?,
            seal: RecipientPublic::from_bytes(&seal).map_err(|e| wrong("seal", e.to_string()))?,
        })
    }
}

/// Opens a member document signed by the root key it carries; the caller compares fingerprints.
///
/// # Errors
/// Not a member document, or not signed by its own root key.
pub fn open_member(bytes: &[u8]) -> Result<(Member, model::ids::Digest), NodeError> {
    use wire::document::{DocumentKind, Unverified};
    let help = "ask the member to export its document anew";
    let document = Unverified::parse(bytes).map_err(|e| NodeError::message(e, help))?;
    let root = document
        .nested_claim("keys", "root")
        .ok_or_else(|| NodeError::message("the document names no root key", help))?;
    let key: VerifierKey = root.parse().map_err(|e| NodeError::message(format!("{e}"), help))?;
    let member: Member =
        document.open(DocumentKind::Member, &key).map_err(|e| NodeError::message(e, help))?;
    let named = format!("{}/", member.agency);
    let keys = KnownKeys::of(&member)?;
    let fits = [key.name(), keys.release.name(), keys.log.name()]
        .iter()
        .all(|name| name.starts_with(&named));
    if !fits {
        let text = format!("the keys are not named for `{}`", member.agency);
        return Err(NodeError::message(text, help));
    }
    Ok((member, document.digest()))
}

impl Secrets {
    /// The names of the key files, in the order of [`Secrets::texts`].
    pub const NAMES: [&'static str; 4] = ["root.key", "release.key", "log.key", "seal.key"];

    /// The secrets as texts for files only their owner can read.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, String); 4] {
        let [root, release, log, seal] = Self::NAMES;
        [
            (root, self.root.to_secret_text().to_string()),
            (release, self.release.to_secret_text().to_string()),
            (log, self.log.to_secret_text().to_string()),
            (seal, crypto::hash::base64_encode(self.seal.expose().as_slice())),
        ]
    }

    /// Reads the secrets back.
    ///
    /// # Errors
    /// A text is not a key; the text itself is never shown.
    pub fn from_texts(texts: &[String]) -> Result<Self, NodeError> {
        let wrong = |name: &str| {
            let text = format!("`keys/{name}` does not hold a key of its form");
            NodeError::message(text, "restore the key files from the node's backup")
        };
        let [root, release, log, seal] = texts else { return Err(wrong("root.key")) };
        let [a, b, c, d] = Self::NAMES;
        let key = |text: &String, name: &str| {
            SigningKey::from_secret_text(text.trim()).map_err(|_| wrong(name))
        };
        let seal = crypto::hash::base64_decode(seal.trim()).map_err(|_| wrong(d))?;
        Ok(Self {
            root: key(root, a)?,
            release: key(release, b)?,
            log: key(log, c)?,
            seal: RecipientSecret::from_bytes(&seal).map_err(|_| wrong(d))?,
        })
    }
}

/// An access token as text.
#[must_use]
pub fn token_text(token: &[u8; 32]) -> String {
    crypto::hash::hex_encode(token)
}

/// Whether two tokens are the same, in constant time for equal lengths.
#[must_use]
pub fn same_token(a: &str, b: &str) -> bool {
    crypto::hash::same_bytes(a.as_bytes(), b.as_bytes())
}

/// SHA-256 of an access token: all that is kept of it.
#[must_use]
pub fn token_digest(token: &str) -> model::ids::Digest {
    crypto::hash::sha256(token.as_bytes())
}

/// SHA-256 of a certificate in DER: its fingerprint.
#[must_use]
pub fn certificate_digest(der: &[u8]) -> model::ids::Digest {
    crypto::hash::sha256(der)
}
