//! What can go wrong in a store, and what to do about it. Pure.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every store operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Which limit a batch broke.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Limit {
    /// A key of no bytes.
    #[error("the shortest key, in bytes")]
    KeyEmpty,
    /// [`KEY_BYTES_MAX`](crate::limits::KEY_BYTES_MAX).
    #[error("the longest key, in bytes")]
    KeyBytes,
    /// [`VALUE_BYTES_MAX`](crate::limits::VALUE_BYTES_MAX).
    #[error("the longest value, in bytes")]
    ValueBytes,
    /// [`BATCH_OPERATIONS_MAX`](crate::limits::BATCH_OPERATIONS_MAX).
    #[error("the operations in one batch")]
    BatchOperations,
    /// [`BATCH_BYTES_MAX`](crate::limits::BATCH_BYTES_MAX).
    #[error("the size of one batch, in bytes")]
    BatchBytes,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No space is left where the store lies.
    #[error("the disk that holds `{}` is full", place.display())]
    Full {
        /// The store's directory.
        place: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process, or another part of this one, holds the store.
    #[error("the store at `{}` is already open elsewhere", place.display())]
    Busy {
        /// The store's directory.
        place: PathBuf,
    },
    /// What is on disk is not what the store wrote.
    #[error("the store at `{}` is damaged: {cause}", place.display())]
    Corrupt {
        /// The store's directory.
        place: PathBuf,
        /// What the check found.
        cause: String,
    },
    /// A batch broke a limit; nothing of it was written.
    #[error("a batch breaks a limit: {limit} is {max}, and this one has {found}")]
    Limit {
        /// The limit.
        limit: Limit,
        /// Its value.
        max: usize,
        /// What the batch has.
        found: usize,
    },
    /// The operating system refused something else.
    #[error("the store at `{}` could not {action}", place.display())]
    Io {
        /// The store's directory.
        place: PathBuf,
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The kinds of [`Error`], for callers that decide by kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// No space is left.
    Full,
    /// Held elsewhere.
    Busy,
    /// Damaged.
    Corrupt,
    /// A limit is broken.
    Limit,
    /// The operating system refused.
    Io,
}

impl Error {
    /// The kind of this error.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Full { .. } => Kind::Full,
            Self::Busy { .. } => Kind::Busy,
            Self::Corrupt { .. } => Kind::Corrupt,
            Self::Limit { .. } => Kind::Limit,
            Self::Io { .. } => Kind::Io,
        }
    }

    /// What a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Full { .. } => {
                "free space on that disk or move the store to a larger one, then try again; \
                 everything committed before is safe"
            }
            Self::Busy { .. } => {
                "stop the other program that uses this directory, or give this one a directory \
                 of its own; the hold ends by itself when that program ends, even by a crash"
            }
            Self::Corrupt { .. } => {
                "keep a copy of the directory as it is, then restore the last backup; \
                 check the disk before using it again"
            }
            Self::Limit { .. } => "split the work into smaller batches or shorten the value",
            Self::Io { .. } => {
                "check that the directory exists, is writable by this user, and that its disk \
                 is sound; then open the store again"
            }
        }
    }

    /// Sorts an error of the operating system into `Full`, `Corrupt` or `Io`.
    pub(crate) fn from_io(place: &Path, action: &'static str, source: io::Error) -> Self {
        let place = place.to_path_buf();
        if is_full(&source) {
            return Self::Full { place, source };
        }
        if matches!(source.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) {
            return Self::Corrupt { place, cause: source.to_string() };
        }
        Self::Io { place, action, source }
    }
}

fn is_full(source: &io::Error) -> bool {
    matches!(
        source.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
