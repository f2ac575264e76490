//! Asks a TAXII server one question: never another host, never without limits.
//!
//! SOURCE: OASIS TAXII 2.1 sections 1.6 (media types, headers) and 3.1; RFC 7617, RFC 6750.

use crate::edge;
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::feed::{Tolerance, Transport};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::{
    Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem,
};

/// LIMIT: time to reach a server.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// LIMIT: time for a whole page.
const PAGE_TIME_MAX: Duration = Duration::from_secs(120);
/// LIMIT: bytes of a page.
const PAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// LIMIT: bytes of a server's error text that are looked at, and characters shown.
const WORDS_CHARS_MAX: usize = 160;
const VERSIONED: &str = "application/taxii+json;version=2.1";
const UNVERSIONED: &str = "application/taxii+json";
/// Where systems keep the certificates of authorities.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How a feed signs in; kept in the node's `keys/`, never in its store.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// A user, with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Authorities to trust instead of the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// A client certificate with its chain, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Its private key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Credential {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let texts = [&self.user, &self.password, &self.token];
        let files = [&self.authorities, &self.certificate, &self.key];
        texts.into_iter().chain(files).all(Option::is_none)
    }

    fn header(&self) -> Option<String> {
        if let Some(token) = &self.token {
            return Some(format!("Bearer {token}"));
        }
        let (user, password) = (self.user.as_ref()?, self.password.as_ref()?);
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// Why a question brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The status, where the server answered.
    pub status: Option<u16>,
    /// Seconds the server asks to wait.
    pub retry_seconds: Option<u64>,
    /// What happened and what helps.
    pub text: String,
}

impl Trouble {
    /// Trouble that is no answer of the server's.
    pub fn new(text: impl Into<String>) -> Self {
        Self { status: None, retry_seconds: None, text: text.into() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An answer.
#[derive(Debug, Default)]
pub struct Said {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When the last object was added, where it says so.
    pub last: Option<Timestamp>,
    /// What was worked around.
    pub tolerated: BTreeSet<Tolerance>,
}

/// An address of a server, without credentials, with `/` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme and authority.
    origin: String,
    /// The path, `/` at both ends.
    path: String,
}

impl Address {
    /// Reads an address an officer gave.
    ///
    /// # Errors
    /// It is not an address, names a credential, or is not `https` where that is asked.
    pub fn read(text: &str, transport: Transport) -> Result<Self, Failure> {
        let wrong =
            |why: &str, help: &str| Failure::input("bad_address", format!("`{text}` {why}"), help);
        let form = "write it as https://HOST/PATH/";
        let uri: Uri = text.parse().map_err(|_| wrong("is not an address", form))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("is not a whole address", form));
        };
        if authority.as_str().contains('@') {
            let help = "give the password in a file: --user NAME --password-file FILE";
            let text = "the address names a credential, which others can see";
            return Err(Failure::input("credential_in_address", text, help));
        }
        if uri.query().is_some() {
            return Err(wrong("has a part after `?`", form));
        }
        match (scheme, transport) {
            ("https", _) | ("http", Transport::PlainHttp) => {}
            ("http", Transport::Tls) => {
                return Err(wrong(
                    "is not protected by TLS",
                    "use https, or permit it with --plain-http on a network you trust",
                ));
            }
            _other => return Err(wrong("is neither https nor http", form)),
        }
        let path = format!("/{}/", uri.path().trim_matches('/')).replace("//", "/");
        Ok(Self { origin: format!("{scheme}://{authority}"), path })
    }

    /// An address a server names, beside this one; nothing where it is on another host.
    #[must_use]
    pub fn beside(&self, text: &str) -> Option<Self> {
        let path = if let Some(rest) = text.strip_prefix(&self.origin) {
            if !(rest.is_empty() || rest.starts_with('/')) {
                return None;
            }
            rest.to_owned()
        } else if text.contains("://") || text.starts_with("//") {
            return None;
        } else if text.starts_with('/') {
            text.to_owned()
        } else {
            format!("{}{text}", self.path)
        };
        if path.contains(['?', '#', '\\']) || path.split('/').any(|part| part == "..") {
            return None;
        }
        let path = format!("/{}/", path.trim_matches('/')).replace("//", "/");
        Some(Self { origin: self.origin.clone(), path })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

/// A client for one server.
pub struct Client {
    agent: ureq::Agent,
    authorization: Option<String>,
}

impl Client {
    /// A client that follows nowhere, uses no proxy it was not told of and verifies certificates.
    ///
    /// # Errors
    /// The certificates or the key cannot be used.
    pub fn new(credential: &Credential, transport: Transport) -> Result<Self, Failure> {
        let mut tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(authorities(credential, transport)?)));
        if let (Some(chain), Some(key)) = (&credential.certificate, &credential.key) {
            let key = PrivateKey::from_pem(key.as_bytes()).map_err(|e| {
                let text = format!("the client's key cannot be read: {e}");
                Failure::input("client_key", text, "give one unencrypted private key in PEM")
            })?;
            let chain = certificates(chain.as_bytes(), "the client's certificate")?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(transport == Transport::Tls)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIME_MAX))
            .timeout_global(Some(PAGE_TIME_MAX))
            .user_agent("entente")
            .tls_config(tls.build())
            .build()
            .into();
        Ok(Self { agent, authorization: credential.header() })
    }

    /// Asks; a server that refuses the versioned media type is asked with the plain one.
    ///
    /// # Errors
    /// [`Trouble`] with its cause and cure.
    pub fn get(&self, address: &Address, query: &[(&str, String)]) -> Result<Said, Trouble> {
        match self.once(address, query, VERSIONED) {
            Err(trouble) if trouble.status == Some(406) => {
                let mut said = self.once(address, query, UNVERSIONED)?;
                said.tolerated.insert(Tolerance::AcceptRefused);
                Ok(said)
            }
            said => said,
        }
    }

    fn once(
        &self,
        address: &Address,
        query: &[(&str, String)],
        accept: &str,
    ) -> Result<Said, Trouble> {
        let mut request = self.agent.get(address.to_string()).header("accept", accept);
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let mut response = request.call().map_err(|e| silent(address, &e))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let limit = if status == 200 { PAGE_BYTES_MAX } else { 64 * 1024 };
        let read = response.body_mut().with_config().limit(limit).read_to_vec();
        if status != 200 {
            return Err(refused(address, status, &headers, &read.unwrap_or_default()));
        }
        let bytes = read.map_err(|e| silent(address, &e))?;
        said(address, &headers, bytes)
    }
}

fn silent(address: &Address, error: &ureq::Error) -> Trouble {
    if matches!(error, ureq::Error::BodyExceedsLimit(_)) {
        return Trouble::new(format!(
            "the answer of {address} exceeds {PAGE_BYTES_MAX} bytes; help: ask for smaller pages \
             with --page-objects"
        ));
    }
    Trouble::new(format!(
        "no answer of {address}: {error}; help: check address, network and certificate"
    ))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn refused(address: &Address, status: u16, headers: &HeaderMap, body: &[u8]) -> Trouble {
    let help = match status {
        301 | 302 | 303 | 307 | 308 => {
            let to = text(headers, "location").unwrap_or("nowhere");
            let to: String = to.chars().filter(|c| !c.is_control()).take(200).collect();
            format!("it points to {to}, which is not followed; set the feed up with the address")
        }
        401 => "check the user and password or the token: entente feed add NAME … again".to_owned(),
        403 => "ask whoever runs the server for the right to read the collection".to_owned(),
        404 => "it may have been removed, or the credential may not see it".to_owned(),
        406 => "it speaks no TAXII 2.1".to_owned(),
        429 | 503 => "it asks to wait; the feed waits".to_owned(),
        500..=599 => "the server is at fault; it is asked again".to_owned(),
        _other => "see what the server says".to_owned(),
    };
    let words = serde_json::from_slice::<serde_json::Value>(body).ok();
    let words = words.as_ref().and_then(|v| {
        let of = |key: &str| v.get(key).and_then(serde_json::Value::as_str);
        of("description").or_else(|| of("title"))
    });
    let plain = |c: &char| !c.is_control();
    let words: String = words.unwrap_or("").chars().filter(plain).take(WORDS_CHARS_MAX).collect();
    let said = if words.is_empty() { String::new() } else { format!(" (`{words}`)") };
    let retry_seconds = text(headers, "retry-after").and_then(|t| t.trim().parse().ok());
    let text = format!("{address} answers {status}{said}; help: {help}");
    Trouble { status: Some(status), retry_seconds, text }
}

fn said(address: &Address, headers: &HeaderMap, bytes: Vec<u8>) -> Result<Said, Trouble> {
    let mut tolerated = BTreeSet::new();
    if let Some(coding) = text(headers, "content-encoding")
        && !coding.eq_ignore_ascii_case("identity")
    {
        return Err(Trouble::new(format!(
            "{address} answers compressed though it was not asked to; help: whoever runs the \
             server must heed Accept-Encoding"
        )));
    }
    let media = text(headers, "content-type").unwrap_or("").to_ascii_lowercase();
    let bare = media.split(';').next().unwrap_or("").trim();
    if !matches!(bare, "application/taxii+json" | "application/json") {
        let bare: String = bare.chars().take(60).collect();
        return Err(Trouble::new(format!(
            "{address} answers with `{bare}`, which is no TAXII 2.1; help: check the address"
        )));
    }
    if bare == "application/json" || !media.replace([' ', '"'], "").contains("version=2.1") {
        tolerated.insert(Tolerance::MediaTypeUnversioned);
    }
    let last = text(headers, "x-taxii-date-added-last").and_then(wire::taxii::instant);
    if last.is_some_and(|(_, proper)| !proper) {
        tolerated.insert(Tolerance::OffsetInstant);
    }
    Ok(Said { bytes, last: last.map(|(at, _)| at), tolerated })
}

/// The authorities to trust: those given with the feed, else the system's.
fn authorities(
    credential: &Credential,
    transport: Transport,
) -> Result<Vec<Certificate<'static>>, Failure> {
    if let Some(text) = &credential.authorities {
        return certificates(text.as_bytes(), "the authorities' file");
    }
    let named = edge::authorities_path();
    let paths = named.iter().map(std::path::PathBuf::as_path);
    for path in paths.chain(SYSTEM_AUTHORITIES.iter().map(std::path::Path::new)) {
        if let Ok(text) = std::fs::read(path) {
            return certificates(&text, &format!("`{}`", path.display()));
        }
    }
    if transport == Transport::PlainHttp {
        return Ok(Vec::new());
    }
    Err(Failure::node(
        "no_authorities",
        "no file of certificate authorities was found on this machine",
        "install the package ca-certificates, set SSL_CERT_FILE, or give the feed --ca FILE",
    ))
}

fn certificates(pem: &[u8], of: &str) -> Result<Vec<Certificate<'static>>, Failure> {
    let help = "give certificates in PEM";
    let mut out = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => out.push(certificate),
            Ok(_other) => {}
            Err(e) => {
                let text = format!("{of} cannot be read: {e}");
                return Err(Failure::input("certificate_unreadable", text, help));
            }
        }
    }
    if out.is_empty() {
        let text = format!("{of} holds no certificate");
        return Err(Failure::input("certificate_missing", text, help));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_lead_elsewhere() {
        let base = Address::read("https://a.example/taxii2", Transport::Tls).unwrap();
        assert_eq!(base.to_string(), "https://a.example/taxii2/");
        for (named, path) in [
            ("/api/", "/api/"),
            ("/api", "/api/"),
            ("https://a.example/api/", "/api/"),
            ("root", "/taxii2/root/"),
        ] {
            assert_eq!(base.beside(named).unwrap().path(), path, "{named}");
        }
        for named in [
            "https://b.example/api/",
            "http://a.example/api/",
            "https://a.example.evil/",
            "https://a.example:444/",
            "//b.example/",
            "/a/../b/",
            "/a?x=1",
            "file:///etc/passwd",
        ] {
            assert_eq!(base.beside(named), None, "{named}");
        }
    }

    #[test]
    fn an_address_is_https_and_names_no_password() {
        let code = |text: &str, transport| Address::read(text, transport).err().map(|f| f.code);
        assert_eq!(code("https://u:p@a/", Transport::Tls).unwrap(), "credential_in_address");
        for wrong in ["http://a/", "a/b", "ftp://a/", "https://a/?b=1", "", "https://"] {
            assert_eq!(code(wrong, Transport::Tls).unwrap(), "bad_address", "{wrong}");
        }
        assert_eq!(code("http://127.0.0.1:5000/", Transport::PlainHttp), None);
    }
}
