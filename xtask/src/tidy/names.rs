//! Names: no empty words, no `get_`. Pure.

use super::Finding;
use super::tree::Tree;
use super::words::EMPTY_NAMES;

/// Keywords that are followed by a name this rule looks at.
const NAMING: [&str; 8] = ["fn", "struct", "enum", "trait", "mod", "type", "const", "static"];

/// Banned words in names of Rust files, modules, types, constants and functions.
///
/// Functions in tests are sentences, so any word may occur in them.
#[must_use]
pub fn banned(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, code) in tree.code() {
        for part in path.trim_end_matches(".rs").split('/') {
            if let Some(word) = empty_word(part).filter(|_| path.contains("/src/")) {
                found.push(Finding::new("names", path, 0, says(part, word)));
            }
        }
        let mut of_library = false;
        for (line, words) in code.words() {
            if words.first() == Some(&"impl") {
                of_library = words.contains(&"for");
            }
            for pair in words.windows(2) {
                let [keyword, name] = pair else { continue };
                if !NAMING.contains(keyword) {
                    continue;
                }
                let is_fn = *keyword == "fn";
                let sentence = is_fn && (code.is_test(line) || path.contains("/tests/"));
                if let Some(word) = empty_word(name).filter(|_| !sentence) {
                    found.push(Finding::new("names", path, line, says(name, word)));
                }
                if is_fn && name.starts_with("get_") && !of_library && !sentence {
                    let text = format!("`{name}`: drop the `get_`");
                    found.push(Finding::new("names", path, line, text));
                }
            }
        }
    }
    found
}

fn says(name: &str, word: &str) -> String {
    format!("`{name}` contains `{word}`, which says nothing; name what it is")
}

fn empty_word(name: &str) -> Option<&'static str> {
    let parts = parts(name);
    EMPTY_NAMES.iter().copied().find(|word| parts.iter().any(|part| part == word))
}

/// The words of a name in snake, kebab or camel case, in lower case.
fn parts(name: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            out.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(last) = out.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        banned(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn whole_words_are_found_in_both_cases() {
        assert_eq!(found("crates/a/src/x.rs", "struct EventHandler;"), 1);
        assert_eq!(found("crates/a/src/x.rs", "pub fn load_data() {}"), 1);
        assert_eq!(found("crates/a/src/x.rs", "mod utils;"), 1);
        assert_eq!(found("crates/a/src/helpers.rs", ""), 1);
        assert_eq!(found("crates/a/src/x.rs", "fn get_name() {}"), 1);
    }

    #[test]
    fn parts_of_words_libraries_and_test_sentences_pass() {
        assert_eq!(found("crates/a/src/x.rs", "fn base64_encode() {} struct Database;"), 0);
        assert_eq!(found("crates/a/src/x.rs", "// fn util\nlet s = \"struct Info\";"), 0);
        assert_eq!(found("crates/a/src/x.rs", "impl Lib for X {\nfn get_y() {}\n}"), 0);
        assert_eq!(found("crates/a/tests/x.rs", "fn no_data_is_lost() {}"), 0);
    }
}
