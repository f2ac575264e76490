//! The words after `cargo xtask`: which task, with which switches. Pure.

use crate::Failure;

/// One task: its name, the words it takes and what it does.
pub struct Task {
    /// What follows `cargo xtask`.
    pub name: &'static str,
    /// The words it takes.
    pub takes: &'static str,
    /// What it does.
    pub does: &'static str,
}

/// Every task, in the order of `help`.
pub const TASKS: [Task; 10] = [
    Task { name: "demo", takes: "[--data DIR] [--no-serve]", does: "plays the bundled exercise" },
    Task {
        name: "test",
        takes: "",
        does: "runs every check and test; what must pass before a commit",
    },
    Task {
        name: "ci",
        takes: "",
        does: "test, then every fuzz target for 5 s and 200 seeds of sim",
    },
    Task {
        name: "acceptance",
        takes: "",
        does: "runs other people's clients (Python) against the program; part of test",
    },
    Task { name: "tidy", takes: "", does: "checks the rules of the house that no compiler knows" },
    Task { name: "fuzz", takes: "--seconds N [TARGET]", does: "fuzzes one decoder, or each" },
    Task { name: "bench", takes: "[NAME]", does: "runs one benchmark, or each" },
    Task { name: "sim", takes: "--seeds N", does: "lives N random lives under the checkers" },
    Task { name: "regen", takes: "", does: "rewrites the golden files from the present code" },
    Task { name: "help", takes: "", does: "prints this list" },
];

/// The text `cargo xtask help` prints.
#[must_use]
pub fn help() -> String {
    let mut text = String::from("cargo xtask TASK\n\n");
    for task in &TASKS {
        let call = format!("{} {}", task.name, task.takes);
        text.push_str(&format!("  {call:<32} {}\n", task.does));
    }
    text
}

/// The words of one call, taken out one by one so that leftovers are noticed.
pub struct Words(Vec<String>);

impl Words {
    /// The words after the task's name.
    #[must_use]
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().collect())
    }

    /// Takes `switch` out; whether it was there.
    pub fn switch(&mut self, switch: &str) -> bool {
        let at = self.0.iter().position(|word| word == switch);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// Takes `switch VALUE` out; absent is `None`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the value is missing.
    pub fn value(&mut self, switch: &str) -> Result<Option<String>, Failure> {
        let Some(at) = self.0.iter().position(|word| word == switch) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at >= self.0.len() {
            return Err(Failure::Usage(format!("`{switch}` needs a value")));
        }
        Ok(Some(self.0.remove(at)))
    }

    /// Takes `switch N` out; absent is `None`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when N is missing or no number.
    pub fn number(&mut self, switch: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.value(switch)? else { return Ok(None) };
        let wrong = || Failure::Usage(format!("`{switch}` needs a number, not `{text}`"));
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// Takes the first remaining word out.
    pub fn first(&mut self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// All remaining words, for a program called in turn.
    #[must_use]
    pub fn rest(self) -> Vec<String> {
        self.0
    }

    /// States that nothing is left.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the first word nobody asked for.
    pub fn done(&self) -> Result<(), Failure> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => Err(Failure::Usage(format!("`{word}` means nothing here"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Words {
        Words::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_number_is_taken_out_and_the_rest_stays() {
        let mut call = words("note --seconds 5");
        assert_eq!(call.number("--seconds").unwrap(), Some(5));
        assert_eq!(call.first().as_deref(), Some("note"));
        call.done().unwrap();
    }

    #[test]
    fn wrong_numbers_and_leftover_words_are_refused() {
        assert!(words("--seeds").number("--seeds").is_err());
        assert!(words("--seeds many").number("--seeds").is_err());
        assert!(words("extra").done().is_err());
        assert_eq!(words("").number("--seeds").unwrap(), None);
    }

    #[test]
    fn switches_and_values_are_taken_out() {
        let mut call = words("--no-serve --data DIR");
        assert!(call.switch("--no-serve") && !call.switch("--no-serve"));
        assert_eq!(call.value("--data").unwrap().as_deref(), Some("DIR"));
        call.done().unwrap();
        assert!(words("--data").value("--data").is_err());
    }

    #[test]
    fn help_names_every_task() {
        for task in &TASKS {
            assert!(help().contains(&format!("\n  {}", task.name)), "{}", task.name);
        }
    }
}
