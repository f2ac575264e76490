//! Answers of a TAXII server: whatever comes in is read or refused, and a page keeps its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _found = wire::taxii::found(bytes);
    let _collections = wire::taxii::collections(bytes);
    if let Ok(page) = wire::taxii::page(bytes, 16) {
        assert!(page.objects.len() <= 16 && page.next.is_none_or(|next| !next.is_empty()));
    }
    if let Some((at, _)) = std::str::from_utf8(bytes).ok().and_then(wire::taxii::instant) {
        let text = wire::taxii::instant_text(at);
        assert_eq!(wire::taxii::instant(&text), Some((at, true)), "{text}");
    }
});
