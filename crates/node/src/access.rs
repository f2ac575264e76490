//! Who a partner's client is: the credential it shows is compared here, so that a door cannot
//! merely claim it. SOURCE: RFC 7617, RFC 6750 (what is shown).

use crate::error::NodeError;
use crate::identity::token_digest;
use crate::tables::{self, Table, key};
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::time::Timestamp;
use model::verified::Voucher;
use std::collections::BTreeMap;
use store::Snapshot;

/// A partner's client that showed the credential its partner was given.
///
/// INVARIANT: made only by [`admit`] and [`admit_certified`]; its fields are private.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    partner: AgencyId,
    credential: Digest,
}

impl Admitted {
    /// The partner it speaks for.
    #[must_use]
    pub fn partner(&self) -> &AgencyId {
        &self.partner
    }

    /// What it may vouch for.
    pub(crate) fn voucher(&self) -> Voucher {
        let (agency, credential) = (self.partner.clone(), self.credential);
        Voucher::Client { agency, credential }
    }
}

/// Partners by the digests of their clients' certificates, as officers compared them.
pub type Certificates = BTreeMap<Digest, AgencyId>;

/// Admits a partner's client by its token, and by its name where it states one; nothing where
/// nobody known has this token. Cost: one hash and one look-up; without a name, one comparison a
/// partner.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn admit(
    snapshot: &dyn Snapshot,
    named: Option<&str>,
    token: &str,
    now: Timestamp,
) -> Result<Option<Admitted>, NodeError> {
    let shown = token_digest(token);
    if let Some(named) = named {
        let Ok(partner) = named.parse::<AgencyId>() else { return Ok(None) };
        let known = crate::query::access(snapshot, &partner)?;
        let same = known.is_some_and(|known| crypto::hash::same_bytes(&known.0, &shown.0));
        return if same { present(snapshot, partner, shown, now) } else { Ok(None) };
    }
    let (mut found, mut failure) = (None, None);
    snapshot.scan(&key(Table::Access, &[]), &mut |row, bytes| {
        let partner = std::str::from_utf8(row.get(1..).unwrap_or_default()).unwrap_or_default();
        match tables::parse::<Digest>(bytes, "access") {
            // WHY: no early end, so that the time says nothing about whose token it is.
            Ok(known) if crypto::hash::same_bytes(&known.0, &shown.0) => {
                found = Some(partner.to_owned());
            }
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    let Some(partner) = found else { return Ok(None) };
    let partner = partner.parse().map_err(|e| NodeError::damaged("access", e))?;
    present(snapshot, partner, shown, now)
}

/// Admits a partner's client by the certificate it proved to hold in the handshake.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn admit_certified(
    snapshot: &dyn Snapshot,
    known: &Certificates,
    shown: Digest,
    now: Timestamp,
) -> Result<Option<Admitted>, NodeError> {
    match known.get(&shown) {
        Some(partner) => present(snapshot, partner.clone(), shown, now),
        None => Ok(None),
    }
}

/// A partner that is a member at this time.
fn present(
    snapshot: &dyn Snapshot,
    partner: AgencyId,
    credential: Digest,
    now: Timestamp,
) -> Result<Option<Admitted>, NodeError> {
    let row = key(Table::Member, &[partner.as_str().as_bytes()]);
    let member: Option<Member> = tables::read(snapshot, &row, "member")?;
    let valid = member.filter(|member| now < member.valid_until);
    Ok(valid.map(|_| Admitted { partner, credential }))
}
