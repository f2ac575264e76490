//! The MISP reader and writer: what is read is counted, and what is written from it reads as events
//! that reach nobody behind the one organisation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use wire::misp::{Audiences, Distribution, read, write};
use wire::stix::Item;

fuzz_target!(|bytes: &[u8]| {
    let (mut count, mut objects) = (0_u64, Vec::new());
    let outcome = read(bytes, &Audiences::default(), &mut |item| {
        count += 1;
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(bad) => assert!(!bad.reason.is_empty() && !bad.cure.is_empty()),
        }
        ControlFlow::Continue(())
    });
    let summary = outcome.unwrap_or_else(|fatal| *fatal.summary);
    assert_eq!(summary.accepted + summary.rejected, count);
    let written = write(&objects, &|_| Distribution::Organisation);
    for event in &written.events {
        assert_eq!(event["distribution"], "0");
        let text = event.to_string();
        let own = Audiences::default();
        let again = read(text.as_bytes(), &own, &mut |_| ControlFlow::Continue(()));
        assert!(again.is_ok(), "{text}");
    }
});
