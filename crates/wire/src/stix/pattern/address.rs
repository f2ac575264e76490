//! Addresses and networks, for `ISSUBSET` and `ISSUPERSET`. Pure.
//!
//! SOURCE: RFC 4632 and RFC 4291 section 2.3 for the notation of networks.

use std::net::IpAddr;

/// A network; an address alone is the network of only itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    /// Bits of an address of this family: 32 or 128.
    width: u32,
    prefix: u32,
}

impl Network {
    /// Reads `198.51.100.0/24`, `2001:db8::/32` or an address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let prefix = match prefix {
            Some(text) => text.parse().ok().filter(|_| digits(text))?,
            None => width,
        };
        (prefix <= width).then_some(Self { bits, width, prefix })
    }

    /// Whether all of `self` lies in `other`.
    pub(super) fn within(self, other: Self) -> bool {
        let free = other.width.saturating_sub(other.prefix);
        let head = |bits: u128| bits.checked_shr(free).unwrap_or(0);
        self.width == other.width
            && self.prefix >= other.prefix
            && head(self.bits) == head(other.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let within = |a, b| Network::parse(a).unwrap().within(Network::parse(b).unwrap());
        assert!(within("198.51.100.7", "198.51.100.0/24"));
        assert!(within("198.51.100.0/24", "198.51.100.99/24"));
        assert!(!within("198.51.0.0/16", "198.51.100.0/24"));
        assert!(within("2001:db8::1", "2001:db8::/32") && within("::1", "::/0"));
        assert!(!within("1.2.3.4", "::/0") && !within("2001:db9::1", "2001:db8::/32"));
        for bad in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "::/129", "a/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
