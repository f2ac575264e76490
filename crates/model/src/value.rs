//! Kinds of values by which records correlate: addresses, digests, numbers of accounts. Pure.
//!
//! The words are those of STIX 2.1 where it has one. The codes are stored and never reused.

use std::fmt;
use std::str::FromStr;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal $word:literal,)*) => {
        /// What a value is: two values are equal only if they are of one kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ValueKind {
            $($(#[$doc])* $name = $code,)*
        }

        impl ValueKind {
            /// Every kind, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The kind of a stored code.
            #[must_use]
            pub fn of_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// An IPv4 address.
    Ipv4 = 1 "ipv4",
    /// An IPv6 address that stands for no IPv4 address.
    Ipv6 = 2 "ipv6",
    /// A range of IPv4 addresses.
    Net4 = 3 "ipv4-net",
    /// A range of IPv6 addresses.
    Net6 = 4 "ipv6-net",
    /// A domain or host name.
    Domain = 5 "domain",
    /// A URL.
    Url = 6 "url",
    /// An e-mail address.
    Email = 7 "email",
    /// The hardware address of a network card.
    Mac = 8 "mac",
    /// The number of an autonomous system.
    Asn = 9 "asn",
    /// MD5 of a file.
    Md5 = 16 "md5",
    /// SHA-1 of a file.
    Sha1 = 17 "sha1",
    /// SHA-224 of a file.
    Sha224 = 18 "sha224",
    /// SHA-256 of a file.
    Sha256 = 19 "sha256",
    /// SHA-384 of a file.
    Sha384 = 20 "sha384",
    /// SHA-512 of a file.
    Sha512 = 21 "sha512",
    /// SHA3-256 of a file.
    Sha3x256 = 22 "sha3-256",
    /// SHA3-512 of a file.
    Sha3x512 = 23 "sha3-512",
    /// ssdeep of a file: compared by likeness.
    Ssdeep = 24 "ssdeep",
    /// TLSH of a file: compared by likeness.
    Tlsh = 25 "tlsh",
    /// The name of a file.
    FileName = 32 "file-name",
    /// A key of the Windows registry.
    RegistryKey = 33 "registry-key",
    /// The name of a mutex.
    Mutex = 34 "mutex",
    /// A user's name or number in some service.
    Account = 35 "account",
    /// A vulnerability by its CVE number.
    Cve = 36 "cve",
    /// The serial number of a certificate.
    CertificateSerial = 37 "certificate-serial",
    /// MD5 of a certificate.
    CertificateMd5 = 38 "certificate-md5",
    /// SHA-1 of a certificate.
    CertificateSha1 = 39 "certificate-sha1",
    /// SHA-256 of a certificate.
    CertificateSha256 = 40 "certificate-sha256",
    /// An address in a crypto-currency.
    Wallet = 48 "wallet",
    /// The number of a bank account (ISO 13616).
    Iban = 49 "iban",
    /// A telephone number (E.164 where the country is known).
    Phone = 50 "phone",
    /// The number of a device (IMEI) or of a SIM (IMSI).
    Device = 51 "device",
    /// The number of a passport or identity document.
    Document = 52 "document",
    /// The number of a ship's hull (IMO).
    Imo = 53 "imo",
    /// The number of a ship's radio (MMSI).
    Mmsi = 54 "mmsi",
    /// The call sign of a ship or aircraft.
    CallSign = 55 "call-sign",
}

impl ValueKind {
    /// The stored code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A text that names no kind of value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of value; the kinds are {words}", words = words())]
pub struct ValueKindError(pub String);

fn words() -> String {
    ValueKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
}

impl FromStr for ValueKind {
    type Err = ValueKindError;

    fn from_str(text: &str) -> Result<Self, ValueKindError> {
        let found = Self::ALL.iter().find(|kind| kind.word() == text);
        found.copied().ok_or_else(|| ValueKindError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_words_are_unique_and_come_back() {
        let codes: BTreeSet<u8> = ValueKind::ALL.iter().map(|kind| kind.code()).collect();
        let words: BTreeSet<&str> = ValueKind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!((codes.len(), words.len()), (ValueKind::ALL.len(), ValueKind::ALL.len()));
        for kind in ValueKind::ALL {
            assert_eq!(ValueKind::of_code(kind.code()), Some(*kind));
            assert_eq!(kind.word().parse(), Ok(*kind));
        }
        assert_eq!(ValueKind::of_code(0), None);
        assert!("ip".parse::<ValueKind>().is_err_and(|e| e.to_string().contains("ipv4")));
    }
}
