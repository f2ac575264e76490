//! A node's directory: configuration, keys and store.
//!
//! `node.toml` says who the node is and where it listens; `keys/` holds secrets, readable by the
//! owner only; `store/` is the embedded store.

use crate::edge::SystemEntropy;
use crate::failure::Failure;
use model::feed::FeedName;
use model::ids::{AgencyId, PartyId};
use model::time::Timestamp;
use node::identity::{Identity, Introduction, Secrets};
use node::{Entropy, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use store::embedded::Embedded;

/// What `node.toml` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The agency that runs the node.
    pub agency: AgencyId,
    /// The party it acts for.
    pub party: PartyId,
    /// The address it listens on, such as `127.0.0.1:7101`.
    pub listen: String,
    /// The address partners reach it at.
    pub endpoint: String,
    /// First instant of the member document's validity.
    pub valid_from: Timestamp,
    /// First instant after it.
    pub valid_until: Timestamp,
    /// A second address that speaks TLS, and whose certificates are known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
}

/// The part `[tls]` of `node.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The address, such as `0.0.0.0:7443`.
    pub listen: String,
    /// The certificate with its chain, PEM; relative paths start at the node's directory.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// SHA-256 fingerprints of partners' client certificates, which the officer has compared.
    #[serde(default)]
    pub clients: BTreeMap<AgencyId, String>,
}

/// A node's directory.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::node(
        "file_unreadable",
        format!("`{}` cannot be read: {error}", path.display()),
        "check the path and its permissions; a new node begins with `entente init DIR`",
    )
}

fn unwritable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::node(
        "file_unwritable",
        format!("`{}` cannot be written: {error}", path.display()),
        "check the path, its permissions and the free space",
    )
}

impl Place {
    /// The directory, whether or not it exists yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A path `node.toml` names.
    #[must_use]
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// Makes a new node's directory with fresh keys.
    ///
    /// # Errors
    /// The directory holds a node already or cannot be written.
    pub fn create(&self, settings: &Settings) -> Result<(), Failure> {
        let file = self.0.join("node.toml");
        if file.exists() {
            return Err(Failure::input(
                "node_exists",
                format!("`{}` holds a node already", self.0.display()),
                "choose an empty directory; a node's keys are never overwritten",
            ));
        }
        let keys = self.0.join("keys");
        fs::create_dir_all(&keys).map_err(|e| unwritable(&keys, e))?;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))
            .map_err(|e| unwritable(&keys, e))?;
        let mut entropy = SystemEntropy;
        let secrets = Secrets::generate(&settings.agency, &mut entropy)?;
        for (name, text) in secrets.texts() {
            self.secret(name, &text)?;
        }
        let mut token = [0_u8; 32];
        entropy.fill(&mut token);
        self.secret("officer.token", &node::identity::token_text(&token))?;
        let text = toml::to_string(settings).map_err(|e| unwritable(&file, e))?;
        fs::write(&file, text).map_err(|e| unwritable(&file, e))
    }

    fn secret(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.0.join("keys").join(name);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|e| unwritable(&path, e))?;
        file.write_all(text.as_bytes()).map_err(|e| unwritable(&path, e))?;
        file.sync_all().map_err(|e| unwritable(&path, e))
    }

    /// Keeps the credential of a feed, in place of an earlier one; readable by the owner only.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn keep_feed_secret(&self, feed: &FeedName, text: &str) -> Result<(), Failure> {
        let name = format!("feed.{feed}.toml");
        let fresh = format!("{name}.new");
        let (path, new) = (self.0.join("keys").join(&name), self.0.join("keys").join(&fresh));
        match fs::remove_file(&new) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unwritable(&new, error)),
        }
        self.secret(&fresh, text)?;
        fs::rename(&new, &path).map_err(|e| unwritable(&path, e))
    }

    /// The credential of a feed; nothing where it has none.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn feed_secret(&self, feed: &FeedName) -> Result<Option<String>, Failure> {
        let path = self.0.join("keys").join(format!("feed.{feed}.toml"));
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// Deletes the credential of a feed; whether there was one.
    ///
    /// # Errors
    /// It is there and cannot be deleted.
    pub fn drop_feed_secret(&self, feed: &FeedName) -> Result<bool, Failure> {
        let path = self.0.join("keys").join(format!("feed.{feed}.toml"));
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(unwritable(&path, error)),
        }
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// Not a node's directory, or `node.toml` is not in its form.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let file = self.0.join("node.toml");
        let text = fs::read_to_string(&file).map_err(|e| unreadable(&file, e))?;
        toml::from_str(&text).map_err(|e| {
            Failure::input(
                "settings_wrong",
                format!("`{}` is not in its form: {e}", file.display()),
                "correct the line named",
            )
        })
    }

    /// The officer's token: who can read this file is an officer of the node.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn token(&self) -> Result<String, Failure> {
        let path = self.0.join("keys/officer.token");
        let text = fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
        Ok(text.trim().to_owned())
    }

    /// The node's identity, secrets included.
    ///
    /// # Errors
    /// A key file cannot be read or does not hold a key.
    pub fn identity(&self) -> Result<Identity, Failure> {
        let settings = self.settings()?;
        let mut texts = Vec::new();
        for name in Secrets::NAMES {
            let path = self.0.join("keys").join(name);
            texts.push(fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?);
        }
        let secrets = Secrets::from_texts(&texts)?;
        let introduction = Introduction {
            agency: settings.agency,
            party: settings.party,
            endpoint: settings.endpoint,
            valid_from: settings.valid_from,
            valid_until: settings.valid_until,
        };
        Ok(Identity::new(introduction, secrets))
    }

    /// Opens the node over its embedded store.
    ///
    /// # Errors
    /// Another process has it open, or the store or a key cannot be read.
    pub fn open(&self, now: Timestamp) -> Result<Node, Failure> {
        let identity = self.identity()?;
        let store = Embedded::open(&self.0.join("store"))?;
        Ok(Node::open(Box::new(store), identity, now, &mut SystemEntropy)?)
    }
}
