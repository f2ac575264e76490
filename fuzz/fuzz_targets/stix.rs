//! STIX in any container: objects keep their bytes, views point at content, fields can go, and
//! the 2.1 form of what is 2.0 is never wider.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use wire::stix::{
    Item, KnownMarkings, SpecVersion, StixObject, read_bundle, upgrade, view,
};

fuzz_target!(|bytes: &[u8]| {
    let mut known = KnownMarkings::default();
    let originator = "xa.police.ct".parse().expect("an agency");
    let mut count: u64 = 0;
    let outcome = read_bundle(bytes, &mut |item| {
        count += 1;
        if let Item::Object(object) = item {
            known.learn(&object);
            check(&object, &originator, &known);
        }
        ControlFlow::Continue(())
    });
    let summary = outcome.unwrap_or_else(|fatal| *fatal.summary);
    assert_eq!(summary.accepted + summary.rejected, count);
});

fn check(object: &StixObject, originator: &model::ids::AgencyId, known: &KnownMarkings) {
    assert_eq!(&StixObject::parse(object.raw()).expect("it was read before"), object);
    let Ok(record) = view(object, originator, known) else { return };
    for made in upgrade(object).ok().flatten().into_iter().flatten() {
        assert_eq!(made.spec(), SpecVersion::V21);
        let after = view(&made, originator, known).expect("an upgraded object has a view");
        assert!(after.marks.tlp >= record.marks.tlp, "an upgrade made it wider");
        assert!(after.marks.unresolved.len() >= record.marks.unresolved.len());
    }
    for pointer in record.fields.values().chain(record.refs.values()).flatten() {
        assert!(object.value().pointer(pointer).is_some(), "`{pointer}` points at nothing");
    }
    for (field, pointers) in &record.fields {
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let Ok(left) = object.withhold(&pointers) else { continue };
        assert_eq!(left.id(), object.id());
        if let Ok(after) = view(&left, originator, known) {
            assert!(!after.fields.contains_key(field) || field.contains('['), "`{field}` stayed");
            assert!(after.marks.unresolved.len() <= record.marks.unresolved.len());
        }
    }
}
