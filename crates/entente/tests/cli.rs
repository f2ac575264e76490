//! The program from the outside: what it answers, where it complains, and with which exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn scenario(name: &str) -> String {
    root().join("scenarios/lantern").join(name).display().to_string()
}

fn entente(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    command.env_remove("ENTENTE_NODE").env_remove("ENTENTE_OFFICER");
    command.args(words).output().unwrap()
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let dir = desk.dir();
        let made = entente(&["init", &dir, "--agency", "xa.police.ct", "--party", "XA"]);
        assert!(made.status.success(), "{made:?}");
        assert!(desk.ask(&["vocabulary", &scenario("vocabulary.json")]).status.success());
        desk
    }

    fn dir(&self) -> String {
        self.0.path().join("xa").display().to_string()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn ask(&self, words: &[&str]) -> Output {
        let dir = self.dir();
        let mut all = vec!["--node", &dir];
        all.extend(words);
        entente(&all)
    }

    fn json(&self, words: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(words);
        serde_json::from_slice(&self.ask(&all).stdout).unwrap()
    }

    /// The failure of a command: its exit status, code and message, without a panic or a secret.
    fn failure(&self, words: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--json"];
        all.extend(words);
        let output = self.ask(&all);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains("panicked"), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let error = &value["error"];
        assert!(!error["help"].as_str().unwrap().is_empty(), "no cure: {text}");
        let part = |key: &str| error[key].as_str().unwrap().to_owned();
        (output.status.code().unwrap(), part("code"), part("message"))
    }
}

#[test]
fn the_published_cases_are_answered() {
    let desk = Desk::new();
    let data = root().join("crates/policy/tests/data/policy");
    let path = |name: &str| data.join(name).display().to_string();
    let out = desk.0.path().join("answers.json").display().to_string();
    let done = entente(&[
        "decide",
        "--vocab",
        &path("vocab.json"),
        "--agreements",
        &path("agreements"),
        "--cases",
        &path("decision_cases.public.json"),
        "--out",
        &out,
    ]);
    assert!(done.status.success(), "{done:?}");
    let answers: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(answers.as_object().unwrap().len(), 48);
    assert_eq!(answers["D01"]["decision"], "release");
    assert_eq!(answers["D37"]["refusal_mode"], "as_no_match");
}

#[test]
fn importing_twice_changes_nothing_and_the_log_verifies() {
    let desk = Desk::new();
    let file = scenario("records/xa-reports.json");
    assert_eq!(desk.json(&["import", "stix", &file])["stored"], 18);
    let before = desk.json(&["log", "verify"])["audit"]["root"].clone();
    let again = desk.json(&["import", "stix", &file]);
    assert_eq!((&again["stored"], &again["unchanged"]), (&Value::from(0), &Value::from(18)));
    let audit = desk.json(&["log", "verify"]);
    assert_eq!(audit["audit"]["root"], before, "nothing happened, so nothing is logged");
    assert_eq!(audit["audit"]["kinds"]["import"], 1);
}

#[test]
fn good_records_go_in_and_bad_ones_are_named_with_their_place() {
    let desk = Desk::new();
    let good = r#"{"type":"indicator","spec_version":"2.1",
        "id":"indicator--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a01",
        "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
        "pattern":"[url:value='x']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}"#;
    let bad = r#"{"type":"indicator","spec_version":"2.1","id":"indicator--not-a-uuid"}"#;
    let twice = good.replace("\"type\":\"indicator\",", "\"type\":\"indicator\",\"type\":\"x\",");
    let bundle = format!(
        "{{\"type\":\"bundle\",\"id\":\"bundle--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a02\",\
         \"objects\":[{bad},{good},{twice}]}}"
    );
    let file = desk.file("mixed.json", &bundle);
    let said = desk.json(&["import", "stix", &file]);
    assert_eq!((&said["stored"], &said["rejected"]), (&Value::from(1), &Value::from(2)));
    let named = said["problems"].to_string();
    assert!(named.contains("line 1") && named.contains("help:"), "{named}");
    let torn = desk.file("torn.json", bundle.get(..bundle.len() - 30).unwrap());
    let said = desk.json(&["import", "stix", &torn]);
    assert!(said["rejected"].as_u64().unwrap() >= 1, "{said}");
    assert_eq!(said["unchanged"], 1, "what came before the damage counts");
}

#[test]
fn wrong_input_says_what_and_how_to_cure_it_and_changes_nothing() {
    let desk = Desk::new();
    let before = desk.json(&["log", "verify"])["audit"]["root"].clone();
    let unknown = "report--fab36728-a78b-4b7e-8787-c0de2f960063";
    let bad = desk.file("bad.toml", "entente = \"agreement/1\"\nid = 3\n");
    let release = ["--to", "xb.police.ct", "--purpose", "ct.investigation"];
    let with = |words: &[&'static str]| [words, &release].concat();
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (vec!["agreement", "add", &bad], 2, "document_wrong"),
        (vec!["agreement", "add", "/no/such/file"], 2, "file_unreadable"),
        (vec!["agreement", "sign", "urn:entente:agr:none"], 2, "agreement_unknown"),
        (vec!["vocabulary", &bad], 2, "document_wrong"),
        (vec!["show", unknown], 2, "no_such_record"),
        (vec!["recall", unknown, "--reason", "x"], 2, "not_ours"),
        (vec!["import", "stix", "/no/such/file"], 2, "file_unreadable"),
        (vec!["import", "stix", &bad, "--tlp", "ultraviolet"], 2, "bad_argument"),
        (vec!["member", "token", "xz.nobody"], 2, "member_unknown"),
        (with(&["order", "remove"]), 2, "order_unknown"),
        (with(&["share", "report--fab36728-a78b-4b7e-8787-c0de2f960063"]), 2, "member_unknown"),
        (vec!["log", "prove", "999"], 2, "no_such_entry"),
    ];
    for (words, status, code) in cases {
        let (exit, found, message) = desk.failure(&words);
        assert_eq!((exit, found.as_str()), (status, code), "{words:?}: {message}");
    }
    let shown = desk.json(&["log", "verify"]);
    let kinds = shown["audit"]["kinds"].as_object().unwrap();
    assert!(kinds.keys().all(|k| ["genesis", "vocabulary", "query"].contains(&k.as_str())));
    assert_ne!(shown["audit"]["root"], before, "the look-up that found nothing is logged too");
}

#[test]
fn a_wrong_fingerprint_or_a_forged_document_is_not_pinned() {
    let desk = Desk::new();
    let other = Desk::new();
    let exported = other.json(&["member", "export"]);
    let (text, right) =
        (exported["document"].as_str().unwrap(), exported["fingerprint"].as_str().unwrap());
    let file = desk.file("other.member", text);
    let wrong = format!("sha256:{}", "0".repeat(64));
    let (exit, code, _) = desk.failure(&["member", "add", &file, "--fingerprint", &wrong]);
    assert_eq!((exit, code.as_str()), (2, "fingerprint_differs"));
    let forged = desk.file("forged.member", &text.replace("\"XA\"", "\"XB\""));
    let (exit, _, message) = desk.failure(&["member", "add", &forged, "--fingerprint", right]);
    assert_eq!(exit, 3, "{message}");
}

#[test]
fn a_node_is_never_overwritten_and_its_keys_are_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let dir = desk.dir();
    let again = entente(&["init", &dir, "--agency", "xa.police.ct", "--party", "XA"]);
    assert_eq!(again.status.code(), Some(2));
    for key in ["root.key", "release.key", "log.key", "seal.key", "officer.token"] {
        let path = Path::new(&dir).join("keys").join(key);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
        let secret = std::fs::read_to_string(&path).unwrap();
        let status = desk.ask(&["status"]);
        assert!(!String::from_utf8_lossy(&status.stdout).contains(secret.trim()));
    }
    let garbled = Path::new(&dir).join("keys/log.key");
    std::fs::write(&garbled, "PRIVATE+KEY+nonsense").unwrap();
    let failed = desk.ask(&["status"]);
    assert!(!failed.status.success());
    let text = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!text.contains("nonsense") && text.contains("log.key"), "{text}");
}

#[test]
fn help_and_completions_name_every_verb() {
    let verbs = String::from_utf8(entente(&["verbs"]).stdout).unwrap();
    let help = String::from_utf8(entente(&["--help"]).stdout).unwrap();
    let bash = String::from_utf8(entente(&["completions", "bash"]).stdout).unwrap();
    for verb in verbs.lines().filter(|verb| !["verbs", "help"].contains(verb)) {
        assert!(help.contains(verb) && bash.contains(verb), "{verb}");
    }
}

#[test]
fn an_exported_log_is_checked_without_the_node() {
    let desk = Desk::new();
    desk.json(&["import", "stix", &scenario("records/xa-reports.json")]);
    let member = String::from_utf8(desk.ask(&["member", "export"]).stdout).unwrap();
    let member = desk.file("xa.member", &format!("{}\n", member.trim_end()));
    let dir = desk.0.path().join("log").display().to_string();
    assert!(desk.ask(&["log", "export", &dir]).status.success());
    let earlier = desk
        .file("earlier", &std::fs::read_to_string(desk.0.path().join("log/checkpoint")).unwrap());
    let audit = |more: &[&str]| {
        let mut all = vec!["--json", "log", "audit", &dir, "--member", &member];
        all.extend(more);
        entente(&all)
    };
    let whole = audit(&[]);
    assert!(whole.status.success(), "{whole:?}");
    let whole: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!(whole["log"]["kinds"]["import"], 1);

    for _ in 0..3 {
        desk.ask(&["list"]);
    }
    assert!(desk.ask(&["log", "export", &dir]).status.success());
    let grown = audit(&["--earlier", &earlier]);
    assert!(grown.status.success(), "{grown:?}");
    let grown: Value = serde_json::from_slice(&grown.stdout).unwrap();
    assert!(grown["log"]["size"].as_u64() > whole["log"]["size"].as_u64());
    assert_eq!(grown["earlier"]["holds"], true);

    let tile = std::fs::read_dir(desk.0.path().join("log/tile/entries/000.p")).unwrap();
    let newest = tile
        .map(|file| file.unwrap().path())
        .max_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u8>().unwrap())
        .unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, &bytes).unwrap();
    let forged = audit(&[]);
    assert_eq!(forged.status.code(), Some(3), "{forged:?}");
    assert!(String::from_utf8(forged.stderr).unwrap().contains("tile/entries/000"));

    let bare = desk.0.path().join("bare").display().to_string();
    assert!(desk.ask(&["log", "export", &bare, "--hashes-only"]).status.success());
    let bare = entente(&["--json", "log", "audit", &bare, "--member", &member]);
    let bare: Value = serde_json::from_slice(&bare.stdout).unwrap();
    assert_eq!(bare["log"]["kinds"], serde_json::json!({}));
}
