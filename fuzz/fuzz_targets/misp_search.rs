//! The bodies of MISP searches: a body is read the same in every scope or refused with a cure, and
//! what was read judges any event without end or fault.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::misp::{Scope, Search, attributes};

const EVENT: &str = r#"{"uuid":"0b5c0de1-1111-4111-8111-000000000001","info":"i","date":"2026-03-01",
"timestamp":"1772452800","Tag":[{"name":"tlp:amber"}],"Orgc":{"name":"o"},"Attribute":[{"uuid":
"0b5c0de1-1111-4111-8111-000000000002","type":"domain|ip","value":"a.example|192.0.2.1"}]}"#;

fuzz_target!(|bytes: &[u8]| {
    let now = "2026-03-10T00:00:00Z".parse().unwrap();
    let event: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    let event = event.as_object().unwrap();
    let scopes =
        [Scope::Index, Scope::Events, Scope::Attributes, Scope::Sightings, Scope::Clusters];
    for scope in scopes {
        match Search::read(scope, bytes, now) {
            Ok(search) => {
                assert!(search.page >= 1 && search.limit != Some(0));
                // What an event is taken for, its own members are taken for.
                assert!(!search.takes_event(event) || search.takes_head(event));
                for (part, _) in attributes(event) {
                    let _either = search.takes_attribute(event, part);
                }
                let _either = search.takes_sighting(event);
                assert_eq!(Search::read(scope, bytes, now).as_ref(), Ok(&search));
            }
            Err(problem) => {
                assert!(!problem.to_string().is_empty() && !problem.help().is_empty());
            }
        }
    }
});
