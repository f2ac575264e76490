//! Who is asking: an officer by the node's token, a partner by the token its officer was given.
//!
//! SOURCE: RFC 7617 (Basic), RFC 6750 (Bearer).

use super::errors::Problem;
use super::site::Site;
use super::tls::ShownCertificate;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::ids::AgencyId;
use model::time::Timestamp;
use node::access::{Admitted, admit, admit_certified};
use node::identity::{same_token, token_digest};
use store::Snapshot;

/// LIMIT: bytes of a stated credential.
const CREDENTIAL_BYTES_MAX: usize = 1_024;
/// How long a sign-in to the pages lasts, in microseconds: eight hours.
const SIGN_IN_MICROS: i64 = 8 * 60 * 60 * 1_000_000;
/// LIMIT: characters of an officer's name.
const OFFICER_CHARS_MAX: usize = 64;

/// Who was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A local officer.
    Officer,
    /// A partner's client.
    Partner(AgencyId),
}

/// What a request says of itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token.
    Bearer(String),
    /// A name with its password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

/// What a request's head says of its sender; `None` when it says nothing, or two things.
#[must_use]
pub fn credential(headers: &HeaderMap) -> Option<Credential> {
    let mut stated = headers.get_all(AUTHORIZATION).iter();
    let text = stated.next()?.to_str().ok()?;
    // WHY: two statements are ambiguous, and what is ambiguous is refused.
    if stated.next().is_some() || text.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credential::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credential::Basic { user: user.to_owned(), password: password.to_owned() })
}

/// Whether the bearer token is the officer's.
#[must_use]
pub fn is_officer(site: &Site, headers: &HeaderMap) -> bool {
    match credential(headers) {
        Some(Credential::Bearer(token)) => same_token(&token, &site.token),
        Some(Credential::Basic { .. }) | None => false,
    }
}

/// The officer's name for the log.
///
/// # Errors
/// The name has other characters than letters, digits, `.`, `-`, `_`, `@` and blanks inside.
pub fn officer_name(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get("x-officer") else { return Ok("officer".to_owned()) };
    let wrong = || Problem::of("bad_request");
    let name = std::str::from_utf8(value.as_bytes()).map_err(|_| wrong())?;
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ' ' | '\'');
    let chars = name.chars().count();
    if chars == 0 || chars > OFFICER_CHARS_MAX || name.trim() != name || !name.chars().all(fits) {
        return Err(wrong());
    }
    Ok(name.to_owned())
}

/// Recognises an officer or a partner.
///
/// # Errors
/// Nobody known; every way of not being known reads the same.
pub fn caller(
    site: &Site,
    snapshot: &dyn Snapshot,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Caller, Problem> {
    if is_officer(site, headers) {
        return Ok(Caller::Officer);
    }
    let admitted = partner(site, snapshot, headers, now)?;
    Ok(Caller::Partner(admitted.partner().clone()))
}

/// Recognises a partner's client by Basic (its agency and token) or Bearer (its token).
///
/// # Errors
/// Nobody known; every way of not being known reads the same.
pub fn partner(
    site: &Site,
    snapshot: &dyn Snapshot,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Admitted, Problem> {
    let (named, token) = match credential(headers) {
        Some(Credential::Bearer(token)) => (None, token),
        Some(Credential::Basic { user, password }) => (Some(user), password),
        None => return Err(Problem::of("unauthorised")),
    };
    known(site, admit(snapshot, named.as_deref(), &token, now)?)
}

/// Recognises a partner's MISP by its token, alone in `Authorization` or `X-MISP-AUTH`, or stated
/// as for [`partner`].
///
/// # Errors
/// Nobody known; every way of not being known reads the same.
pub fn keyed(
    site: &Site,
    snapshot: &dyn Snapshot,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Admitted, Problem> {
    let nobody = || Problem::of("unauthorised");
    let names = [AUTHORIZATION.as_str(), "x-misp-auth"];
    let mut stated = names.iter().flat_map(|name| headers.get_all(*name));
    let key = stated.next().and_then(|value| value.to_str().ok()).ok_or_else(nobody)?;
    // WHY: two statements are ambiguous, and what is ambiguous is refused.
    if stated.next().is_some() || key.len() > CREDENTIAL_BYTES_MAX {
        return Err(nobody());
    }
    if key.trim().contains(' ') {
        return partner(site, snapshot, headers, now);
    }
    known(site, admit(snapshot, None, key.trim(), now)?)
}

/// Recognises a partner's client by the certificate it showed in the handshake.
///
/// # Errors
/// Nobody known, or no longer a member; reads as every other way of not being known.
pub fn certified(
    site: &Site,
    snapshot: &dyn Snapshot,
    shown: Option<&ShownCertificate>,
    now: Timestamp,
) -> Result<Admitted, Problem> {
    let digest = shown.and_then(|shown| format!("sha256:{}", shown.0).parse().ok());
    let digest = digest.ok_or_else(|| Problem::of("unauthorised"))?;
    known(site, admit_certified(snapshot, &site.certificates, digest, now)?)
}

/// A client of another agency than the node's own.
fn known(site: &Site, admitted: Option<Admitted>) -> Result<Admitted, Problem> {
    let admitted = admitted.filter(|admitted| admitted.partner() != site.agency());
    admitted.ok_or_else(|| Problem::of("unauthorised"))
}

/// The name of this node's cookie. WHY: cookies are shared by all ports of a host.
#[must_use]
pub fn cookie_name(site: &Site) -> String {
    let hex = token_digest(site.agency().as_str()).hex();
    format!("entente-{}", hex.get(..12).unwrap_or(&hex))
}

/// The value that signs a browser in: its end, and a digest only the token's holder can make.
fn sign_in_value(site: &Site, until_micros: i64) -> String {
    let proof = token_digest(&format!("pages:{until_micros}:{}", site.token));
    format!("{until_micros}.{}", proof.hex())
}

/// The cookie that signs a browser in to the pages.
#[must_use]
pub fn sign_in_cookie(site: &Site, now: Timestamp) -> String {
    let value = sign_in_value(site, now.micros().saturating_add(SIGN_IN_MICROS));
    let name = cookie_name(site);
    let seconds = SIGN_IN_MICROS.checked_div(1_000_000).unwrap_or(0);
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict")
}

/// Whether the request carries a valid sign-in to the pages.
#[must_use]
pub fn is_signed_in(site: &Site, headers: &HeaderMap, now: Timestamp) -> bool {
    let name = cookie_name(site);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .any(|(_, value)| {
            let until = value.split_once('.').and_then(|(until, _)| until.parse::<i64>().ok());
            until.is_some_and(|until| {
                now.micros() < until && same_token(value, &sign_in_value(site, until))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stating(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn credentials_are_read_and_ambiguity_is_refused() {
        let bearer = credential(&stating(&["Bearer abc"]));
        assert_eq!(bearer, Some(Credential::Bearer("abc".to_owned())));
        let basic = credential(&stating(&["basic eGI6c2VjOnJldA=="]));
        let (user, password) = ("xb".to_owned(), "sec:ret".to_owned());
        assert_eq!(basic, Some(Credential::Basic { user, password }));
        for wrong in
            [&["Basic ###"][..], &["Digest x"], &["Bearer a", "Bearer b"], &[], &["Bearer"]]
        {
            assert_eq!(credential(&stating(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_officer_has_a_plain_name() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers
                .insert("x-officer", axum::http::HeaderValue::from_bytes(name.as_bytes()).unwrap());
            officer_name(&headers).is_ok()
        };
        assert!(named("Ana Kovač") && named("a.kovac@xa"));
        for wrong in ["", " a", "a<b>", &"x".repeat(65), "a\tb"] {
            assert!(!named(wrong), "{wrong:?}");
        }
    }
}
