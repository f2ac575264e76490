//! The UN consolidated list and UCDP GED: golden files, faults, and the real files at hand.
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

use model::ids::Digest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use wire::stix::{EXTENSION_ID, Fatal, Item, KnownMarkings, Rejected, StixObject, Summary, view};
use wire::{limits, ucdp, un_list};

type Reader = fn(&[u8], &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<Summary, Fatal>;

fn un(bytes: &[u8], visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<Summary, Fatal> {
    un_list::read(bytes, visit)
}

fn ged(bytes: &[u8], visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<Summary, Fatal> {
    ucdp::read(bytes, visit)
}

fn read(reader: Reader, bytes: &[u8]) -> (Vec<StixObject>, Vec<Rejected>, Result<Summary, Fatal>) {
    let (mut objects, mut rejected) = (Vec::new(), Vec::new());
    let outcome = reader(bytes, &mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(problem) => rejected.push(*problem),
        }
        ControlFlow::Continue(())
    });
    (objects, rejected, outcome)
}

/// Compares with a golden text; `ENTENTE_BLESS=1` writes it.
fn compare(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ENTENTE_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == found, "{} differs:\n{found}", path.display());
}

fn report(reader: Reader, bytes: &[u8]) -> String {
    let (objects, rejected, outcome) = read(reader, bytes);
    let mut out = String::new();
    for object in &objects {
        out.push_str(&serde_json::to_string_pretty(object.value()).unwrap());
        out.push('\n');
    }
    for problem in &rejected {
        out.push_str(&format!("{problem}\n"));
    }
    out.push_str(&format!("{:?}\n", outcome.unwrap()));
    out
}

#[test]
fn the_golden_list_gives_the_golden_identities() {
    let found = report(un, include_bytes!("golden/un_list/list.xml"));
    compare("tests/golden/un_list/list.txt", &found);
}

#[test]
fn the_golden_events_give_the_golden_incidents() {
    let found = report(ged, include_bytes!("golden/ucdp/events.csv"));
    compare("tests/golden/ucdp/events.txt", &found);
}

#[test]
fn converted_records_are_public_and_name_who_asserts() {
    let (objects, ..) = read(un, include_bytes!("golden/un_list/list.xml"));
    let who = "xa.police.ct".parse().unwrap();
    let record = view(&objects[0], &who, &KnownMarkings::default()).unwrap();
    assert_eq!((record.kind.as_str(), record.subject.as_str()), ("person", "listed"));
    assert_eq!(record.marks.tlp, Some(model::marking::Tlp::Clear));
    assert!(record.marks.unresolved.is_empty() && record.is_personal());
    for field in ["listing.by", "listing.reference", "listing.listed_on", "listing.list"] {
        assert!(record.fields.contains_key(field), "{field}");
    }
    assert_eq!(record.fields["person.name"].len(), 2);
}

#[test]
fn an_edition_dates_every_event() {
    let edition = "2025-06-13T00:00:00Z".parse().unwrap();
    let mut versions = BTreeSet::new();
    let csv = &include_bytes!("golden/ucdp/events.csv")[..];
    ucdp::read_edition(csv, edition, &mut |item| {
        if let Item::Object(object) = item {
            versions.insert(object.version_text().unwrap().to_owned());
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["2025-06-13T00:00:00Z"]);
}

#[test]
fn hostile_xml_is_refused_before_it_can_expand() {
    let laughs = br#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><CONSOLIDATED_LIST>&b;</CONSOLIDATED_LIST>"#;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (laughs.to_vec(), "document type"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><CONSOLIDATED_LIST/>".to_vec(), "UTF-8"),
        (b"\xff\xfe<\0".to_vec(), "UTF-16"),
        (b"<html></html>".to_vec(), "not the consolidated list"),
        (b"<CONSOLIDATED_LIST><INDIVIDUALS>".to_vec(), "middle"),
        (b"<CONSOLIDATED_LIST></INDIVIDUALS>".to_vec(), "does not match"),
        (b"<CONSOLIDATED_LIST>text</CONSOLIDATED_LIST>".to_vec(), "text"),
        (b"<CONSOLIDATED_LIST><INDIVIDUAL><FIRST_NAME>A".to_vec(), "middle"),
        (b"".to_vec(), "middle"),
    ];
    for (xml, want) in cases {
        let (_, _, outcome) = read(un, &xml);
        let fatal = outcome.expect_err(&String::from_utf8_lossy(&xml));
        assert!(fatal.reason.contains(want), "{fatal}");
    }
    let entry = |inner: &str| {
        format!(
            "<CONSOLIDATED_LIST>\n<INDIVIDUAL>{inner}<REFERENCE_NUMBER>XXi.9</REFERENCE_NUMBER><LISTED_ON>2020-01-01</LISTED_ON></INDIVIDUAL></CONSOLIDATED_LIST>"
        )
    };
    let deep = format!("{}{}", "<A>".repeat(100), "</A>".repeat(100));
    let large = format!("<FIRST_NAME>{}</FIRST_NAME>", "a".repeat(limits::OBJECT_BYTES_MAX));
    for inner in
        ["<A>&lol;</A>", "<A>&#0;</A>", "<A b='c'/>", "<A>\u{1}</A>", "<A>& b</A>", &deep, &large]
    {
        let (objects, rejected, outcome) = read(un, entry(inner).as_bytes());
        assert_eq!((objects.len(), rejected.len(), outcome.is_ok()), (0, 1, true), "{inner:.40}");
        assert!(rejected[0].place.line >= 2);
    }
    let mut latin = entry("<FIRST_NAME>Arm#s</FIRST_NAME>").into_bytes();
    let at = latin.iter().position(|b| *b == b'#').unwrap();
    latin[at] = 0xe9;
    let (_, rejected, _) = read(un, &latin);
    assert_eq!(rejected[0].place.pointer, "FIRST_NAME");
    assert_eq!((rejected[0].id.as_deref(), rejected[0].place.offset), (Some("XXi.9"), at as u64));
}

#[test]
fn hostile_csv_is_bounded() {
    for bad in [&b""[..], b"a,b\n1,2\n", b"id;best\n", b"id,id,type_of_violence,date,best\n"] {
        assert!(read(ged, bad).2.is_err());
    }
    let header = "id,type_of_violence,date,best\n";
    let open = format!("{header}1,1,2020-01-01,1\n2,1,\"{}", "a\n".repeat(6 * 1024 * 1024));
    let (objects, _, outcome) = read(ged, open.as_bytes());
    assert_eq!((objects.len(), outcome.is_err()), (1, true));
    let latin = [header.as_bytes(), b"1,1,2020-01-01,\xe9\n"].concat();
    let (_, rejected, _) = read(ged, &latin);
    assert_eq!((rejected[0].place.line, rejected[0].place.pointer.as_str()), (2, "best"));
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {}: shared data absent", path.display());
    None
}

/// Every text in a value.
fn texts(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            out.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|v| texts(v, out)),
        Value::Object(map) => map.values().for_each(|v| texts(v, out)),
        _ => {}
    }
}

#[test]
fn nothing_of_the_real_list_is_lost() {
    let Some(folder) = shared("screening/un") else { return };
    let files = [
        ("un_consolidated_2026-02-27.xml", 1003),
        ("un_consolidated_2025-04-19.xml", 877),
        ("sample_unsc_format.xml", 7),
    ];
    for (name, want) in files {
        let xml = std::fs::read_to_string(folder.join(name)).unwrap();
        let (objects, rejected, outcome) = read(un, xml.as_bytes());
        assert!(rejected.is_empty(), "{name}: {}", rejected[0]);
        assert_eq!((objects.len(), outcome.unwrap().accepted), (want, want as u64), "{name}");
        let ids: BTreeSet<_> = objects.iter().map(|o| o.id().clone()).collect();
        assert_eq!(ids.len(), want);
        let entries: Vec<&str> = xml
            .split_inclusive("</INDIVIDUAL>")
            .flat_map(|part| part.split_inclusive("</ENTITY>"))
            .filter(|part| part.ends_with("</INDIVIDUAL>") || part.ends_with("</ENTITY>"))
            .collect();
        assert_eq!(entries.len(), want);
        let mut leaves = 0;
        for (entry, object) in entries.iter().zip(&objects) {
            let mut kept = BTreeSet::new();
            texts(object.value(), &mut kept);
            for leaf in entry.split('<').filter_map(|tag| tag.split_once('>')) {
                let text = leaf.1.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
                let text = text.replace("&apos;", "'").replace("&amp;", "&").replace("\r\n", "\n");
                if !text.trim().is_empty() {
                    assert!(kept.contains(text.trim()), "{name}: `{}` is lost", text.trim());
                    leaves += 1;
                }
            }
        }
        eprintln!("{name}: {leaves} texts, all kept");
        assert!(leaves > want * 10);
    }
}

#[test]
fn a_damaged_real_list_names_whom_it_lost() {
    let Some(folder) = shared("screening/un") else { return };
    let xml = std::fs::read(folder.join("un_consolidated_2025-08-16.xml")).unwrap();
    let (objects, rejected, outcome) = read(un, &xml);
    assert_eq!((objects.len(), rejected.len()), (485, 394));
    assert_eq!(outcome.unwrap().rejected, 394);
    assert!(rejected.iter().all(|r| r.id.is_some() && r.place.line > 1));
}

/// Every real GED file with its rows.
const GED: &[(&str, usize)] = &[
    ("ged_bangladesh_v19.1.csv.zst", 601),
    ("ged_car_v23.1.csv.zst", 1_848),
    ("ged_global_sample1000_v23.csv.zst", 1_000),
    ("ged_nigeria_v20.1.csv.zst", 4_603),
    ("ged_syria_special_2016_2019.csv.zst", 16_566),
    ("ged_v25.1_stratified_sample.csv.zst", 9_972),
];

#[test]
fn every_cell_of_the_real_events_is_kept() {
    let Some(folder) = shared("open/incidents") else { return };
    for (name, want) in GED {
        let packed = std::fs::read(folder.join(name)).unwrap();
        let mut csv = Vec::new();
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&packed[..]).unwrap();
        decoder.read_to_end(&mut csv).unwrap();
        let (objects, rejected, outcome) = read(ged, &csv);
        assert!(rejected.is_empty(), "{name}: {}", rejected[0]);
        assert_eq!((objects.len(), outcome.unwrap().accepted), (*want, *want as u64), "{name}");
        let ids: BTreeSet<_> = objects.iter().map(|o| o.id().clone()).collect();
        assert_eq!(ids.len(), *want, "{name}: ids differ");
        let mut rows = csv::Reader::from_reader(&csv[..]);
        for (row, object) in rows.records().zip(&objects) {
            let fields = object.value().pointer(&format!("/extensions/{EXTENSION_ID}/fields"));
            let (mut kept, mut numbers) = (BTreeSet::new(), Vec::new());
            texts(object.value(), &mut kept);
            collect_numbers(fields.unwrap(), &mut numbers);
            for cell in row.unwrap().iter().map(str::trim).filter(|c| !c.is_empty()) {
                let number = cell.parse::<f64>().is_ok_and(|n| numbers.contains(&n));
                assert!(number || kept.contains(cell), "{name}: `{cell}` is lost");
            }
        }
    }
}

fn collect_numbers(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Number(number) => out.push(number.as_f64().unwrap()),
        Value::Array(list) => list.iter().for_each(|v| collect_numbers(v, out)),
        Value::Object(map) => map.values().for_each(|v| collect_numbers(v, out)),
        _ => {}
    }
}

#[test]
fn the_same_bytes_come_out_every_time() {
    let hash = |reader: Reader, bytes: &[u8]| -> Vec<Digest> {
        read(reader, bytes).0.iter().map(|o| crypto::hash::sha256(o.raw())).collect()
    };
    let (xml, csv) = (
        &include_bytes!("golden/un_list/list.xml")[..],
        &include_bytes!("golden/ucdp/events.csv")[..],
    );
    assert_eq!(hash(un, xml), hash(un, xml));
    assert_eq!(hash(ged, csv), hash(ged, csv));
}
