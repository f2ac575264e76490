//! `Verified<T>`: the only way in (law 1). Pure.

use crate::ids::{AgencyId, Digest};
use crate::time::Timestamp;

/// Who vouches for a value that came from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voucher {
    /// A signature by this key (its name in the member document) was checked.
    Signature {
        /// The agency the key belongs to.
        agency: AgencyId,
        /// The key's name, such as `xa/release`.
        key: String,
    },
    /// A named local officer whose presence was authenticated.
    Officer {
        /// The officer's name.
        name: String,
    },
    /// A partner's client that showed the credential an officer gave it. Nothing is signed: what it
    /// brings is this partner's word to this node and goes no further as anybody's proof.
    Client {
        /// The partner.
        agency: AgencyId,
        /// Digest of the credential shown; `protocol` asks whether it still counts.
        credential: Digest,
    },
    /// The node itself, for what it queued in an earlier commit or the clock brought.
    Own,
}

/// A value whose origin has been checked.
///
/// INVARIANT: built only by `wire` (signatures) and by `node` (the officer's presence, a client's
/// credential it compared itself, its own queued events); the tidy test refuses any other caller of
/// [`Verified::vouch`].
#[derive(Debug, Clone)]
pub struct Verified<T> {
    value: T,
    voucher: Voucher,
    seen_at: Timestamp,
}

impl<T> Verified<T> {
    /// States that `voucher` was checked for `value` at `seen_at`.
    #[must_use]
    pub fn vouch(value: T, voucher: Voucher, seen_at: Timestamp) -> Self {
        Self { value, voucher, seen_at }
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Who vouches for it.
    #[must_use]
    pub fn voucher(&self) -> &Voucher {
        &self.voucher
    }

    /// When it was checked.
    #[must_use]
    pub fn seen_at(&self) -> Timestamp {
        self.seen_at
    }

    /// Takes the value out, with its voucher.
    #[must_use]
    pub fn into_parts(self) -> (T, Voucher) {
        (self.value, self.voucher)
    }
}
