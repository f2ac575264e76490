//! STIX patterns: grammar, faults with their place, and which observations are bound.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may stop at the first surprise"
)]

use serde_json::{Value, json};
use wire::stix::pattern::{Matcher, Pattern, PatternFault, observations};

/// Verdicts of the public checker of OASIS (stix2-patterns 2.1.2) on the same texts.
const GOOD: &[&str] = &[
    "[EXISTS a:b]",
    "[NOT EXISTS a:b]",
    "[a:b NOT = 1]",
    "[a:b = t'2024-01-01T00:00:60Z']",
    "[a:b = t'2024-02-30T00:00:00Z']",
    "[a:b = b'ab==']",
    "[a:b = h'']",
    "[a:b IN ()]",
    "[a:b IN (1,'a')]",
    "[a:'b c'.d = 1]",
    "[a:b[+1] = 1]",
    "[a:b[*][*].c = 1]",
    "[a:b = 1] REPEATS 0 TIMES",
    "[a:b = 1] WITHIN +5.5 SECONDS",
    "[a:b = 1] REPEATS 5TIMES",
    "[a:b = 1] /* c */ // d",
    "[a:b = 'a\nb']",
    "[a:b = 'a\\'b']",
    "[a:b = -.5]",
    "[a:b=1] FOLLOWEDBY [c:d=2] AND [e:f=1]",
    "[a:b MATCHES '(']",
    "[a-:b = 1]",
    "[(a:b = 1) AND c:d = 2]",
    "[a:b\u{a0}=\u{3000}1]",
    "[a:b <> 1]",
    "([a:b=1] REPEATS 2 TIMES) REPEATS 2 TIMES REPEATS 3 TIMES",
    "[ a : b [ 0 ] . c = 1 ]",
    "[a:hashes[*] = 'ab']",
    "[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2017-06-01T00:00:00Z'",
];
const BAD: &[&str] = &[
    "",
    "[a:b NOT EXISTS]",
    "[NOT a:b = 1]",
    "[a:b = b'']",
    "[a:b = b'abcd=']",
    "[a:b = h'abc']",
    "[a:b = t'2024-02-20T24:00:00Z']",
    "[a:b IN (1,)]",
    "[a:b > true]",
    "[a:b = TRUE]",
    "[a:b.c-d = 1]",
    "[a:b[1.0] = 1]",
    "[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-06-01T00:00:00Z'",
    "[a:b = 'a\\nb']",
    "[a:b = 007]",
    "[a:b = 1.]",
    "[a:b = 1] AND",
    "[a:b=1][c:d=2]",
    "[a:b LIKE 5]",
    "[a:hashes.MD5 = 'ab']",
    "[a:x.hashes.'SHA-1' != 'ab']",
    "[a:IN = 1]",
    "[a:b = 1] within 5 SECONDS",
    "[a:b\u{200b}=1]",
    "[a:b=1] REPEATS 2 TIMES WITHIN 3 SECONDS REPEATS 2 TIMES",
    "\u{feff}[a:b=1]",
    "[a:b = -5] REPEATS -1 TIMES",
    "[]",
    "()",
];

#[test]
fn the_grammar_is_that_of_the_standard() {
    for text in GOOD {
        let pattern = Pattern::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let again = Pattern::parse(&pattern.to_string()).unwrap();
        assert_eq!(again.to_string(), pattern.to_string(), "one spelling of {text}");
    }
    for text in BAD {
        let problem = Pattern::parse(text).expect_err(text);
        assert!(!problem.help().is_empty() && problem.line >= 1, "{text}");
    }
    assert_eq!((GOOD.len(), BAD.len()), (29, 29));
}

#[test]
fn a_fault_has_its_place_and_doubts_are_told() {
    let problem = Pattern::parse("[a:b = 1]\n AND [c:d = ]").unwrap_err();
    assert_eq!((problem.line, problem.column, problem.offset), (2, 13, 22));
    assert!(matches!(problem.fault, PatternFault::Expected { .. }));
    for (text, word) in [
        ("[a:b = 1] REPEATS 0 TIMES", "REPEATS"),
        ("[a:b = t'2024-02-30T00:00:00Z']", "calendar"),
        ("[a:b MATCHES '(?=x)']", "linear"),
        ("[a:b ISSUBSET 'x']", "address"),
        ("[a:b = 1 AND c:d = 2]", "never"),
        ("[a:b IN ()]", "never"),
    ] {
        let remarks = Pattern::parse(text).unwrap().remarks();
        assert!(remarks.iter().any(|r| r.to_string().contains(word)), "{text}: {remarks:?}");
    }
    assert!(Pattern::parse("[a:b = 1]").unwrap().remarks().is_empty());
    let deep = format!("{}[a:b=1]{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(Pattern::parse(&deep).unwrap_err().fault, PatternFault::Depth);
    let long = vec!["[a:b = 1]"; 10_000].join(" OR ");
    assert_eq!(Pattern::parse(&long).unwrap().comparisons(), 10_000);
}

/// Persons seen one after the other, a minute apart: (name, age, how often).
fn seen(people: &[(&str, i64, u64)]) -> Vec<Value> {
    let mut objects = Vec::new();
    for (index, (name, age, times)) in people.iter().enumerate() {
        let (person, friend) = (format!("person--{index}"), format!("person--f{index}"));
        let at = format!("2026-01-01T00:{index:02}:00Z");
        objects.push(json!({"type": "observed-data", "id": format!("observed-data--{index}"),
            "first_observed": at, "last_observed": at, "number_observed": times,
            "object_refs": [&person, &friend]}));
        objects.push(json!({"type": "person", "id": &person, "name": name, "age": age,
            "name_hex": "616c696365", "knows_refs": [&friend, &person], "born": "2000-01-01T00:00:00Z",
            "addr": "198.51.100.7", "list": [1, 2.5, true], "none": null}));
        objects.push(json!({"type": "friend", "id": &friend, "name": "zoe"}));
    }
    objects
}

fn bound(pattern: &str, objects: &[Value]) -> Option<Vec<(usize, String, u64)>> {
    let pattern = Pattern::parse(pattern).unwrap();
    let matcher = Matcher::new(&pattern).unwrap();
    let found = matcher.find(&observations(objects).unwrap()).unwrap()?;
    Some(found.bindings.into_iter().map(|b| (b.part, b.observation, b.times)).collect())
}

#[test]
fn comparisons_mean_what_the_standard_says() {
    let objects = seen(&[("alice", 10, 1)]);
    for (test, want) in [
        ("person:name = 'alice'", true),
        ("person:name NOT = 'alice'", false),
        ("person:missing != 'x'", false),
        ("NOT EXISTS person:missing", true),
        ("EXISTS person:missing", false),
        ("person:age >= 10.0 AND person:age < 10.5", true),
        ("person:age = '10'", false),
        ("person:age NOT > 'a'", false),
        ("person:name IN ('bob', 'alice')", true),
        ("person:list[*] = true AND person:list[1] = 2.5", true),
        ("person:list[-1] = 1", false),
        ("person:name LIKE 'a%_e'", true),
        ("person:name MATCHES '^ali'", true),
        ("person:name_hex = 'alice' AND person:name_hex MATCHES '\\\\x61l'", true),
        ("person:name = h'616c696365'", true),
        ("person:knows_refs[0].name = 'zoe'", true),
        ("person:knows_refs[*].knows_refs[*].knows_refs[*].name = 'zoe'", true),
        ("person:born > t'1999-01-01T00:00:00Z'", true),
        ("person:addr ISSUBSET '198.51.100.0/24'", true),
        ("person:addr NOT ISSUBSET '10.0.0.0/8'", true),
        ("person:addr ISSUPERSET '198.51.100.7'", true),
        ("person:none != 'x'", true),
        ("person:name = 'alice' AND friend:name = 'zoe'", false),
    ] {
        assert_eq!(bound(&format!("[{test}]"), &objects).is_some(), want, "{test}");
    }
}

#[test]
fn observations_are_bound_once_and_in_time() {
    let objects = seen(&[("alice", 10, 1), ("bob", 17, 2), ("carol", 22, 1)]);
    for (pattern, want) in [
        ("[person:name='alice'] AND [person:name='alice']", false),
        ("[person:name='bob'] AND [person:name='bob']", true),
        ("[person:name='bob'] REPEATS 2 TIMES", true),
        ("[person:name='bob'] REPEATS 3 TIMES", false),
        ("[person:age > 0] AND [person:name='alice'] AND [person:age > 20]", true),
        ("[person:age > 0] REPEATS 4 TIMES AND [person:name='alice']", false),
        ("[person:age > 0] REPEATS 3 TIMES AND [person:name='alice']", true),
        ("[person:name='alice'] FOLLOWEDBY [person:name='carol']", true),
        ("[person:name='carol'] FOLLOWEDBY [person:name='alice']", false),
        (
            "[person:name='alice'] FOLLOWEDBY [person:name='carol'] FOLLOWEDBY [person:name='bob']",
            false,
        ),
        ("([person:name='alice'] AND [person:name='carol']) WITHIN 119 SECONDS", false),
        ("([person:name='alice'] AND [person:name='carol']) WITHIN 120 SECONDS", true),
        ("[person:name='alice'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:01:00Z'", true),
        ("[person:name='bob'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:01:00Z'", false),
        ("[person:name='x'] OR ([person:name='alice'] FOLLOWEDBY [person:name='bob'])", true),
        ("([person:age>0] FOLLOWEDBY [person:age>0]) REPEATS 2 TIMES", true),
        ("([person:age>0] FOLLOWEDBY [person:age>20]) REPEATS 2 TIMES", false),
        ("([person:name='x'] OR ([person:age<20] AND [person:age>16])) REPEATS 2 TIMES", true),
        ("([person:name='x'] OR ([person:age<20] AND [person:age>16])) REPEATS 3 TIMES", false),
    ] {
        assert_eq!(bound(pattern, &objects).is_some(), want, "{pattern}");
    }
    let found = bound("[person:age > 0] AND [person:name='alice']", &objects).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.contains(&(1, "observed-data--0".to_owned(), 1)), "{found:?}");
    assert!(!found.contains(&(0, "observed-data--0".to_owned(), 1)), "{found:?}");
}

#[test]
fn a_hostile_question_ends() {
    let people: Vec<_> = (0..60).map(|n| ("a", n, 1_000_000)).collect();
    let objects = seen(&people);
    let observed = observations(&objects).unwrap();
    let all = "person:name = 'a'";
    for pattern in [
        format!("[{all}] REPEATS 61000000 TIMES"),
        format!("([{all}] FOLLOWEDBY [{all}] FOLLOWEDBY [person:name = 'b']) REPEATS 5 TIMES"),
        format!("(([{all}] AND [{all}]) OR ([{all}] FOLLOWEDBY [{all}])) REPEATS 999999999 TIMES"),
    ] {
        let matcher = Matcher::new(&Pattern::parse(&pattern).unwrap()).unwrap();
        assert!(!matches!(matcher.find(&observed), Ok(Some(_))), "{pattern}");
    }
}
