//! TLS 1.2 and 1.3 at the door, and the certificate a client shows there.
//!
//! A client's certificate is no statement of a certificate authority here: the officer pins its
//! SHA-256 fingerprint for a partner, and the handshake proves that the client holds its key.
//! There is no early data (TAXII 2.1 section 8.1.2 of RFC 8446 forbids it for such requests).

use super::unable;
use crate::failure::Failure;
use node::identity::certificate_digest;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};

/// The fingerprint of the certificate a client showed: 64 hexadecimal digits of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCertificate(pub String);

impl ShownCertificate {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(certificate_digest(der).hex())
    }
}

/// A fingerprint as people write it, with colons or without, in either case; `None` when it is no
/// SHA-256 fingerprint.
#[must_use]
pub fn fingerprint(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("sha256:").trim_start_matches("SHA256:");
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let fits = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| digits.to_ascii_lowercase())
}

/// Takes any certificate whose key the client proves to hold; who it is, its fingerprint says.
struct AnyCertificate(Arc<CryptoProvider>);

impl fmt::Debug for AnyCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyCertificate")
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _shown: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn unusable(path: &Path, error: &dyn fmt::Display) -> Failure {
    Failure::input(
        "tls_wrong",
        format!("`{}` cannot be used for TLS: {error}", path.display()),
        "give a PEM file: the certificate with its chain, and its unencrypted private key",
    )
}

/// Reads certificate and key (PEM) and makes what a door needs to speak TLS.
///
/// # Errors
/// A file cannot be read, holds nothing of its kind, or the two do not belong together.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unusable(certificate, &e))?;
    if chain.is_empty() {
        return Err(unusable(certificate, &"it holds no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| unusable(key, &e))?;
    let provider = Arc::new(ring::default_provider());
    let mut settings = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|e| unable("tls_failed", "speak TLS", &e))?
        .with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
        .with_single_cert(chain, secret)
        .map_err(|e| unusable(key, &e))?;
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    // INVARIANT: no request is taken from early data, which could be sent again by others.
    settings.max_early_data_size = 0;
    Ok(TlsAcceptor::from(Arc::new(settings)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openssl_and_people_write_them() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for good in [plain.clone(), colons.clone(), format!("sha256:{plain}")] {
            assert_eq!(fingerprint(&good), Some(plain.clone()), "{good}");
        }
        for wrong in ["", "ab", &plain.repeat(2), &plain.replace('a', "g")] {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
