//! Reading STIX: containers, faults, the golden bundle, and every real bundle at hand.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests may stop at the first surprise"
)]

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use wire::limits;
use wire::stix::{
    Fatal, Item, KnownMarkings, Rejected, SpecVersion, StixObject, Summary, read_bundle, view,
};

/// Hands out a few bytes at a time, so that every chunk boundary is met.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(buffer.len()).min(self.0.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

type Read3 = (Vec<StixObject>, Vec<Rejected>, Result<Summary, Fatal>);

fn read_all(bytes: impl Read) -> Read3 {
    let (mut objects, mut rejected) = (Vec::new(), Vec::new());
    let outcome = read_bundle(bytes, &mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(problem) => rejected.push(*problem),
        }
        ControlFlow::Continue(())
    });
    (objects, rejected, outcome)
}

fn malware(n: u32) -> String {
    format!(
        r#"{{"type":"malware","spec_version":"2.1","id":"malware--00000000-0000-4000-8000-{n:012}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","is_family":true}}"#
    )
}

#[test]
fn every_container_gives_the_same_objects() {
    let list = [malware(1), malware(2), malware(3)];
    let joined = list.join(",\n ");
    let containers = [
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{joined}]}}"#),
        format!(r#"{{"objects": [ {joined} ] , "spec_version":"2.0", "type":"bundle","x":{{}}}}"#),
        format!(r#"{{"more":false,"objects":[{joined}]}}"#),
        format!("[{joined}]"),
        list.join("\n"),
        format!("{}\n", list.join("\r\n")),
        format!("{{\"objects\":[{},{}]}}\n{{\"objects\":[{}]}}", list[0], list[1], list[2]),
    ];
    for text in containers {
        for step in [1, 7, 1_000_000] {
            let (objects, rejected, outcome) = read_all(Trickle(text.as_bytes(), step));
            let raw: Vec<_> = objects.iter().map(|o| String::from_utf8_lossy(o.raw())).collect();
            assert_eq!(raw, list, "{text}");
            assert!(rejected.is_empty(), "{rejected:?}");
            assert_eq!(outcome.unwrap().accepted, 3);
        }
    }
    let (objects, _, outcome) = read_all(malware(9).as_bytes());
    assert_eq!((objects.len(), outcome.unwrap().accepted), (1, 1));
    let empty = br#"{"type":"bundle","id":"bundle--1"}"#;
    assert_eq!(read_all(&empty[..]).2.unwrap(), Summary::default());
}

#[test]
fn a_bad_object_is_rejected_alone_with_its_place() {
    let text = format!(
        "{{\"type\":\"bundle\",\"objects\":[\n{},\n  {{\"type\":\"malware\",\n  \"type\":\"x\"}},\n{},\n7,\n{}]}}",
        malware(1),
        malware(2).replace("\"is_family\":true", "\"is_family\":\"yes\""),
        malware(3)
    );
    let (objects, rejected, outcome) = read_all(text.as_bytes());
    assert_eq!(objects.len(), 2);
    let summary = outcome.unwrap();
    assert_eq!((summary.accepted, summary.rejected, summary.by_type["malware"]), (2, 3, 2));
    let place = |n: usize| (rejected[n].index, rejected[n].place.line, rejected[n].place.column);
    assert_eq!(place(0), (1, 4, 3));
    assert_eq!(rejected[0].place.pointer, "/objects/1/type");
    assert_eq!(&text.as_bytes()[rejected[0].place.offset as usize..][..6], b"\"type\"");
    assert_eq!(place(1).0, 2);
    assert_eq!(rejected[1].place.pointer, "/objects/2/is_family");
    assert!(rejected[1].id.as_deref().unwrap().starts_with("malware--"));
    assert_eq!(rejected[2].reason, "this is not an object");
    assert!(rejected.iter().all(|r| !r.cure.is_empty() && !r.to_string().is_empty()));
}

#[test]
fn a_torn_tail_is_reported_after_the_good_objects() {
    let good = format!(r#"{{"type":"bundle","objects":[{},{}"#, malware(1), malware(2));
    for tail in ["", ",{\"a\":[1}", ",", " x", "]", ",{\"a\":\"b"] {
        let text = format!("{good}{tail}");
        let (objects, _, outcome) = read_all(text.as_bytes());
        assert_eq!(objects.len(), 2, "{tail}");
        let fatal = outcome.unwrap_err();
        assert_eq!(fatal.summary.accepted, 2);
        assert!(fatal.place.offset as usize >= good.len(), "{tail}: {fatal}");
        assert!(fatal.place.line == 1 && !fatal.cure.is_empty());
    }
    for bad in [&b""[..], b"hello", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b"<xml/>", b"]"] {
        assert!(read_all(bad).2.is_err(), "{bad:?}");
    }
}

#[test]
fn the_visitor_may_stop() {
    let text = format!("[{},{},{}]", malware(1), malware(2), malware(3));
    let mut seen = 0;
    let summary = read_bundle(text.as_bytes(), &mut |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let summary = summary.unwrap();
    assert!(summary.stopped && summary.accepted == 2);
}

#[test]
fn hostile_sizes_and_depths_are_bounded() {
    let large = format!("{{\"type\":\"{}\"}}", "a".repeat(limits::OBJECT_BYTES_MAX));
    for text in [
        format!("[{},{large},{}]", malware(1), malware(2)),
        format!("{}\n{large}\n{}", malware(1), malware(2)),
    ] {
        let (objects, rejected, outcome) = read_all(text.as_bytes());
        assert_eq!((objects.len(), rejected.len()), (2, 1));
        assert!(rejected[0].reason.contains("bytes"), "{}", rejected[0].reason);
        assert!(outcome.is_ok());
    }
    let deep = format!("[{}]", "[".repeat(1_000_000));
    assert!(read_all(deep.as_bytes()).2.is_err());
    let nested = format!("[{},{}{}]", malware(1), "[".repeat(1000), "]".repeat(1000));
    let (objects, rejected, outcome) = read_all(nested.as_bytes());
    assert_eq!((objects.len(), rejected.len(), outcome.is_ok()), (1, 1, true));
    let lines = format!("{}\n{{\"a\":1 \"b\":[{{}}]}}\n{{7}}\n{}", malware(1), malware(2));
    let (objects, rejected, outcome) = read_all(lines.as_bytes());
    assert_eq!((objects.len(), rejected.len(), outcome.is_ok()), (2, 2, true));
    assert_eq!(rejected[0].place.line, 2);
    let number = malware(1).replace("true", "true,\"x_n\":1e999");
    assert_eq!(read_all(number.as_bytes()).1.len(), 1);
}

#[test]
fn what_stix_demands_is_checked() {
    let good = malware(1);
    assert!(StixObject::parse(good.as_bytes()).is_ok());
    let broken = [
        ("\"type\":\"malware\",", ""),
        ("\"is_family\":true", "\"x\":1"),
        ("\"is_family\":true", "\"is_family\":true,\"created_by_ref\":\"nobody\""),
        ("\"is_family\":true", "\"is_family\":true,\"sample_refs\":[]"),
        ("\"is_family\":true", "\"is_family\":true,\"revoked\":\"no\""),
        ("\"is_family\":true", "\"is_family\":true,\"confidence\":101"),
        ("\"is_family\":true", "\"is_family\":true,\"extensions\":{}"),
        ("\"is_family\":true", "\"is_family\":true,\"external_references\":[{}]"),
        ("\"is_family\":true", "\"is_family\":true,\"granular_markings\":[{\"selectors\":[]}]"),
        ("malware--", "tool--"),
        ("-4000-", "-"),
        ("2.1", "3.0"),
        ("\"modified\":\"2026", "\"modified\":\"2025"),
        ("\"modified\":\"2026-01-01T00:00:00Z\",", ""),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00"),
        ("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z"),
    ];
    for (from, to) in broken {
        let text = good.replacen(from, to, 2);
        assert_ne!(text, good);
        let problem = StixObject::parse(text.as_bytes()).expect_err(&text);
        assert!(!problem.to_string().is_empty() && !problem.help().is_empty());
    }
    let sco = br#"{"type":"url","id":"url--00000000-0000-5000-8000-000000000001","value":"x"}"#;
    let sco = StixObject::parse(sco).unwrap();
    assert_eq!((sco.spec(), sco.modified(), sco.version_text()), (SpecVersion::V21, None, None));
    let old =
        good.replace("\"spec_version\":\"2.1\",", "").replace("is_family\":true", "name\":\"a\"");
    assert_eq!(StixObject::parse(old.as_bytes()).unwrap().spec(), SpecVersion::V20);
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {}: shared data absent", path.display());
    None
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "zst") {
        let mut out = Vec::new();
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&bytes[..]).unwrap();
        decoder.read_to_end(&mut out).unwrap();
        return out;
    }
    bytes
}

/// Every real bundle with the number of objects it holds.
const REAL: &[(&str, u64)] = &[
    ("attack-enterprise-18.1.stix20.json.zst", 24_771),
    ("attack-ics-18.1.stix21.json.zst", 1_826),
    ("attack-mobile-17.1.stix21.json.zst", 2_148),
    ("disarm.stix21.json.zst", 503),
    ("oasis_examples/apt1.json", 76),
    ("oasis_examples/defining-campaigns-threat-actors-intrusion-sets.json", 26),
    ("oasis_examples/identifying-a-threat-actor-profile.json", 3),
    ("oasis_examples/indicator-for-c2-ip-address.json", 1),
    ("oasis_examples/indicator-for-malicious-url.json", 3),
    ("oasis_examples/indicator-to-campaign-relationship.json", 3),
    ("oasis_examples/indicators-for-C2-with-COA.json", 8),
    ("oasis_examples/infrastructure.json", 10),
    ("oasis_examples/interop-objectmarking-test.json", 1),
    ("oasis_examples/malicious-email-indicator-with-attachment.json", 6),
    ("oasis_examples/malware-indicator-for-file-hash.json", 3),
    ("oasis_examples/poisonivy.json", 155),
    ("oasis_examples/sighting-of-an-indicator.json", 4),
    ("oasis_examples/sighting-of-observed-data.json", 8),
    ("oasis_examples/threat-actor-leveraging-attack-patterns-and-malware.json", 7),
    ("oasis_examples/using-granular-markings.json", 4),
    ("oasis_examples/using-marking-definitions.json", 4),
];

#[test]
fn every_real_bundle_is_read_whole_and_kept_byte_for_byte() {
    let Some(folder) = shared("open/stix") else { return };
    let originator = "xa.police.ct".parse().unwrap();
    for (name, want) in REAL {
        let text = unpacked(&folder.join(name));
        let (objects, rejected, outcome) = read_all(&text[..]);
        assert!(rejected.is_empty(), "{name}: {}", rejected[0]);
        assert_eq!((objects.len() as u64, outcome.unwrap().accepted), (*want, *want), "{name}");
        let mut known = KnownMarkings::default();
        objects.iter().for_each(|object| known.learn(object));
        let mut at = 0;
        for object in &objects {
            let found = text[at..].windows(object.raw().len()).position(|w| w == object.raw());
            at += found.expect("the bytes of the object in the file, in order");
            let record = view(object, &originator, &known).unwrap();
            for pointer in record.fields.values().chain(record.refs.values()).flatten() {
                assert!(object.value().pointer(pointer).is_some(), "{name} {pointer}");
            }
        }
    }
}

#[test]
fn the_tables_agree_with_the_oasis_schemas() {
    let Some(archive) = shared("open/stix/oasis_stix21_json_schemas.tar.zst") else { return };
    let tar = unpacked(&archive);
    let mut checked = 0;
    for header in tar.chunks(512) {
        let name = String::from_utf8_lossy(&header[..100]);
        let name = name.trim_end_matches('\0');
        let kind = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folders = ["/sdos/", "/sros/", "/observables/"];
        if !name.ends_with(".json") || !folders.iter().any(|f| name.contains(f)) {
            continue;
        }
        // An object with nothing but its frame is refused for every type that needs more.
        let frame = format!(
            r#"{{"type":"{kind}","spec_version":"2.1","id":"{kind}--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"}}"#
        );
        let outcome = StixObject::parse(frame.as_bytes());
        let own = ["process", "user-account", "windows-registry-key", "x509-certificate"];
        assert_eq!(outcome.is_err(), !own.contains(&kind.as_str()), "{kind}: {outcome:?}");
        checked += 1;
    }
    assert_eq!(checked, 39);
}
