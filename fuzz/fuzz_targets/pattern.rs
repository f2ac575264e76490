//! STIX patterns: what is read is written and read again as the same; preparing it never stops.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::stix::pattern::{Matcher, Pattern};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pattern) = Pattern::parse(text) else { return };
    let written = pattern.to_string();
    let again = Pattern::parse(&written).expect("what was written is a pattern");
    assert_eq!(again.to_string(), written);
    assert_eq!(again.comparisons(), pattern.comparisons());
    assert_eq!(Matcher::new(&again).is_ok(), Matcher::new(&pattern).is_ok());
});
