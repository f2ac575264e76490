//! Normal forms, networks and likeness against properties, brute force and other programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use matching::net::Net;
use matching::ssdeep::Ssdeep;
use matching::tlsh::{COMPLETE, Tlsh};
use matching::warninglist::{Entries, ListKind, Warninglist};
use matching::{normalise, reach};
use model::value::ValueKind;
use proptest::prelude::*;

/// Made with PyPI `ppdeep` 20260221 and `py-tlsh` 5.0.0 from random digests and files.
const VECTORS: &str = include_str!("vectors/likeness.csv");

fn rows(kind: &str) -> Vec<(&str, &str, u32)> {
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0], (cells[1], cells[2], cells[3].parse().unwrap()))
    };
    VECTORS.lines().map(row).filter(|(k, _)| *k == kind).map(|(_, row)| row).collect()
}

#[test]
fn ssdeep_scores_are_those_of_ppdeep_and_like_digests_share_a_piece() {
    let rows = rows("ssdeep");
    assert_eq!(rows.len(), 300);
    for (a, b, want) in rows {
        let (one, two) = (Ssdeep::parse(a).unwrap(), Ssdeep::parse(b).unwrap());
        assert_eq!(u32::from(one.likeness(&two)), want, "{a} {b}");
        let shared = one.pieces().intersection(&two.pieces()).count() > 0;
        assert!(want == 0 || shared, "{a} {b}");
    }
}

#[test]
fn tlsh_distances_are_those_of_the_reference_and_near_digests_share_a_probe() {
    let rows = rows("tlsh");
    assert_eq!(rows.len(), 300);
    let mut near = 0;
    for (a, b, want) in rows {
        let (one, two) = (Tlsh::parse(a).unwrap(), Tlsh::parse(b).unwrap());
        assert_eq!(one.distance(&two), want, "{a} {b}");
        let bands: Vec<_> = two.bands().collect();
        let found = one.probes().any(|probe| bands.contains(&probe));
        near += usize::from(want > 0 && want <= COMPLETE);
        assert!(want > COMPLETE || found, "{a} {b}");
    }
    assert!(near > 50, "{near} near pairs");
}

#[test]
fn ways_of_writing_meet() {
    let same = |kind: ValueKind, a: &str, b: &str| {
        let (one, two) = (normalise(kind, a).unwrap(), normalise(kind, b).unwrap());
        assert_eq!(one.key(), two.key(), "{a} {b}");
    };
    same(ValueKind::Domain, "Evil[.]Example.", "evil.example");
    same(ValueKind::Domain, "bücher.example", "xn--bcher-kva.example");
    same(ValueKind::Url, "hxxps://EVIL[.]example:443/%7ea/../b#x", "https://evil.example/b");
    same(ValueKind::Ipv4, "192[.]0[.]2[.]1", "::ffff:192.0.2.1");
    same(ValueKind::Phone, "0049 (0)30 123456", "+49-30-123456");
    same(ValueKind::RegistryKey, "HKLM\\Software\\\\Run\\", "HKEY_LOCAL_MACHINE\\software\\run");
    same(ValueKind::Email, "User[at]Evil.Example", "user@evil.example");
    same(ValueKind::Iban, "GB82 WEST 1234 5698 7654 32", "gb82west12345698765432");
    assert_eq!(normalise(ValueKind::Iban, "GB83WEST12345698765432"), None);
    assert!(normalise(ValueKind::Imo, "IMO 9074729").is_some());
    assert_eq!(normalise(ValueKind::Imo, "9074728"), None);
}

#[test]
fn lists_name_what_is_benign() {
    let list = |kind, entries: &[&str]| {
        let entries = entries.iter().map(|e| (*e).to_owned()).collect();
        Warninglist::compile(Entries { name: "l".into(), kind, attributes: vec![], entries })
            .unwrap()
    };
    let value = |kind, text| normalise(kind, text).unwrap();
    let has = |l: &Warninglist, kind, text| l.has(&value(kind, text));
    let hosts = list(ListKind::Hostname, &[".big.example", "a b"]);
    assert_eq!(hosts.skipped().len(), 1);
    assert!(has(&hosts, ValueKind::Url, "http://www.big.example/x"));
    assert!(!has(&hosts, ValueKind::Domain, "notbig.example"));
    let nets = list(ListKind::Cidr, &["10.0.0.0/8"]);
    assert!(has(&nets, ValueKind::Ipv4, "10.1.2.3") && !has(&nets, ValueKind::Ipv4, "11.0.0.1"));
    let regex = list(ListKind::Regex, &["/^Test\\./i", "("]);
    assert!(has(&regex, ValueKind::Domain, "test.example") && regex.skipped().len() == 1);
    assert!(has(&list(ListKind::Substring, &["IG.ex"]), ValueKind::Domain, "big.example"));
    assert!(has(&list(ListKind::String, &["::FFFF:8.8.8.8"]), ValueKind::Ipv4, "8.8.8.8"));
}

proptest! {
    #[test]
    fn a_normal_form_is_its_own_normal_form(
        at in 0..ValueKind::ALL.len(),
        text in "([a-zA-Z0-9.:/@%+_\\[\\]#?\\\\ü -]{0,40}|https?://[a-zA-Z0-9.%/]{1,30}|[0-9a-f:./]{2,24})"
    ) {
        if let Some(value) = normalise(ValueKind::ALL[at], &text) {
            let again = normalise(value.kind(), value.text());
            prop_assert_eq!(again.as_ref(), Some(&value), "{}", text);
        }
    }

    #[test]
    fn containment_is_that_of_bits(a: u32, b: u32, p in 0_u8..=32, q in 0_u8..=32) {
        let address = |bits: u32| std::net::Ipv4Addr::from(bits).to_string();
        let net = |bits: u32, p: u8| Net::parse(&format!("{}/{p}", address(bits))).unwrap();
        let b = if a & 1 == 0 { a ^ (b >> 20) } else { b };
        let same = (0..p).all(|i| (a ^ b) >> (31 - i) & 1 == 0);
        prop_assert_eq!(net(a, p).contains(net(b, q)), p <= q && same);
        let (first, last) = net(a, p).range();
        let key = normalise(ValueKind::Ipv4, &address(b)).unwrap().key();
        prop_assert_eq!(first <= key && key <= last, same);
    }

    #[test]
    fn names_and_urls_lie_within_reach_of_their_host(label in "[a-z]{1,8}", path in "[a-z/]{0,9}") {
        let host = normalise(ValueKind::Domain, "evil.example").unwrap();
        let starts = reach(&host);
        for value in [
            normalise(ValueKind::Domain, &format!("{label}.evil.example")),
            normalise(ValueKind::Url, &format!("https://evil.example/{path}")),
            normalise(ValueKind::Email, &format!("{label}@evil.example")),
        ] {
            let key = value.unwrap().key();
            prop_assert!(starts.iter().any(|start| key.starts_with(start)));
        }
    }
}
