//! IP addresses and networks: parsing, containment, keys and ranges of keys. Pure.
//!
//! SOURCE: RFC 4632 (CIDR), RFC 4291 section 2.5.5.2 (IPv4-mapped), RFC 5952 (text of IPv6).

use model::value::ValueKind;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network; an address is the network of its full length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net {
    address: IpAddr,
    prefix: u8,
}

impl Net {
    /// Reads `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`. Bits behind the prefix are cleared, and
    /// an IPv4-mapped IPv6 address is the IPv4 address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = match address.split_once('%') {
            // WHY: a zone names a card of one machine and says nothing elsewhere (RFC 4007).
            Some((v6, _zone)) => IpAddr::V6(v6.parse().ok()?),
            None => address.parse().ok()?,
        };
        let longest = width(address);
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|p| *p <= longest)?
            }
            Some(_) => return None,
        };
        let mapped = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().filter(|_| prefix >= 96),
            IpAddr::V4(_) => None,
        };
        Some(match mapped {
            Some(v4) => Self::new(IpAddr::V4(v4), prefix.saturating_sub(96)),
            None => Self::new(address, prefix),
        })
    }

    fn new(address: IpAddr, prefix: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask4(prefix))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask6(prefix))),
        };
        Self { address, prefix }
    }

    /// How many leading bits are fixed.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is one address.
    #[must_use]
    pub fn is_address(self) -> bool {
        self.prefix == width(self.address)
    }

    /// Its kind of value.
    #[must_use]
    pub fn kind(self) -> ValueKind {
        match (self.address, self.is_address()) {
            (IpAddr::V4(_), true) => ValueKind::Ipv4,
            (IpAddr::V4(_), false) => ValueKind::Net4,
            (IpAddr::V6(_), true) => ValueKind::Ipv6,
            (IpAddr::V6(_), false) => ValueKind::Net6,
        }
    }

    /// The kind of networks of its family.
    #[must_use]
    pub fn net_kind(self) -> ValueKind {
        if self.address.is_ipv4() { ValueKind::Net4 } else { ValueKind::Net6 }
    }

    /// Whether all of `other` lies in it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && other.cut(self.prefix) == Some(self)
    }

    /// The network of this prefix around it; nothing if it is wider already.
    #[must_use]
    pub fn cut(self, prefix: u8) -> Option<Self> {
        (prefix <= self.prefix).then(|| Self::new(self.address, prefix))
    }

    /// The first and last key of addresses in it (both inclusive).
    #[must_use]
    pub fn range(self) -> (Vec<u8>, Vec<u8>) {
        match self.address {
            IpAddr::V4(v4) => {
                let last = Ipv4Addr::from_bits(v4.to_bits() | !mask4(self.prefix));
                let key = |a: Ipv4Addr| [&[ValueKind::Ipv4.code()], &a.octets()[..]].concat();
                (key(v4), key(last))
            }
            IpAddr::V6(v6) => {
                let last = Ipv6Addr::from_bits(v6.to_bits() | !mask6(self.prefix));
                let key = |a: Ipv6Addr| [&[ValueKind::Ipv6.code()], &a.octets()[..]].concat();
                (key(v6), key(last))
            }
        }
    }

    pub(crate) fn write_key(self, kind: ValueKind, out: &mut Vec<u8>) {
        if matches!(kind, ValueKind::Net4 | ValueKind::Net6) {
            out.push(self.prefix);
        }
        match self.address {
            IpAddr::V4(v4) => out.extend_from_slice(&v4.octets()),
            IpAddr::V6(v6) => out.extend_from_slice(&v6.octets()),
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_address() {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(prefix))).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(prefix))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_address_are_one() {
        let same = |a: &str, b: &str| assert_eq!(Net::parse(a), Net::parse(b), "{a} {b}");
        same("192.0.2.77/24", "192.0.2.0/24");
        same("::ffff:192.0.2.1", "192.0.2.1/32");
        same("::ffff:192.0.2.0/120", "192.0.2.0/24");
        same("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
        same("fe80::1%eth0", "fe80::1");
        for bad in ["192.0.2.1/33", "192.0.2", "192.0.2.1/", "192.0.2.1/+8", "::/129", "1.2.3.04"] {
            assert_eq!(Net::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_network_contains_what_lies_in_its_range() {
        let net = |text: &str| Net::parse(text).unwrap();
        assert!(net("10.0.0.0/8").contains(net("10.255.0.1")));
        assert!(net("0.0.0.0/0").contains(net("10.0.0.0/8")));
        assert!(!net("10.0.0.0/8").contains(net("11.0.0.0")));
        assert!(!net("10.0.0.0/16").contains(net("10.0.0.0/8")));
        assert!(!net("::/0").contains(net("10.0.0.1")));
        assert_eq!(net("10.1.0.0/16").range().1, [1, 10, 1, 255, 255]);
    }
}
