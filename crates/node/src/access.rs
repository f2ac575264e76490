//! Who a partner's client is: the credential it shows is compared here, so that a door cannot
//! merely claim it. SOURCE: RFC 7617, RFC 6750 (what is shown).

use crate::error::NodeError;
use crate::identity::token_digest;
use crate::tables::{self, Table, key};
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::time::Timestamp;
use model::verified::Voucher;
use store::Snapshot;

/// A partner's client that showed the credential its partner was given.
///
/// INVARIANT: made only by [`admit`]; its fields are private.
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

/// Admits a partner's client by its token, and by its name where it states one; nothing where
/// nobody known has this token. Cost: one hash and one comparison a partner.
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
    let (mut found, mut failure) = (None, None);
    snapshot.scan(&key(Table::Access, &[]), &mut |row, bytes| {
        let partner = std::str::from_utf8(row.get(1..).unwrap_or_default()).unwrap_or_default();
        match tables::parse::<Digest>(bytes, "access") {
            // WHY: no early end, so that the time says nothing about whose token it is.
            Ok(known) if crypto::hash::same_bytes(&known.0, &shown.0) => {
                found = Some(partner.to_owned()).filter(|p| named.is_none_or(|n| n == p));
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
    let row = key(Table::Member, &[partner.as_bytes()]);
    let member: Option<Member> = tables::read(snapshot, &row, "member")?;
    let valid = member.filter(|member| now < member.valid_until);
    Ok(valid.map(|member| Admitted { partner: member.agency, credential: shown }))
}
