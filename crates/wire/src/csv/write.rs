//! A map as a text somebody reads and corrects. Pure.

use super::cell::CellType;
use super::map::{Becomes, OPEN, Says};
use super::survey::{Guess, Survey, hints};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// What somebody chose for one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its type.
    kind: CellType,
    /// What it says, as a map writes it.
    says: String,
}

fn word<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    let read: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(read).ok()
}

impl Choice {
    /// Reads `TYPE WORD`, such as `ip value`, `text skip`.
    ///
    /// # Errors
    /// One of the two is not known; in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [kind, says] = words.as_slice() else {
            return Err("write a type and what the column says, such as `ip value`".to_owned());
        };
        let kind = word::<CellType>(kind).ok_or_else(|| {
            let all: Vec<&str> = CellType::ALL.iter().map(|(word, _)| *word).collect();
            format!("`{kind}` is no type; types are {}", all.join(", "))
        })?;
        if word::<Says>(says).is_none() {
            return Err(format!(
                "`{says}` is nothing a column can say; try value, name, description, key, \
                 first-seen, keep or skip"
            ));
        }
        Ok(Self { kind, says: (*says).to_owned() })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.says)
    }
}

impl Survey {
    /// What a map would say of each column of rows that become `record`, such as `ip value`.
    #[must_use]
    pub fn proposals(&self, record: &str) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let columns = self.columns.iter();
        let said =
            |guess: &Guess| format!("{} {}", guess.kind.word(), propose(guess, record, &mut taken));
        columns.map(said).collect()
    }

    /// What rows most likely become; `?` where that cannot be told.
    #[must_use]
    pub fn record(&self) -> &'static str {
        let any = |test: &dyn Fn(&Guess) -> bool| self.columns.iter().any(test);
        if any(&|guess| guess.kind.is_observable() && guess.kind != CellType::FileName) {
            return "indicator";
        }
        if any(&|guess| guess.kind.is_account()) {
            return "account";
        }
        let named = any(&|guess| guess.kind == CellType::Name);
        if named && any(&|guess| hints(&guess.name, &["birth", "dob", "nationality"])) {
            return "person";
        }
        OPEN
    }
}

fn propose(guess: &Guess, record: &str, taken: &mut BTreeSet<Says>) -> String {
    let Some(becomes) = word::<Becomes>(record) else { return "keep".to_owned() };
    let fits = |says: &Says| says.fits(becomes);
    let valued = match becomes {
        Becomes::Account => guess.kind.is_account(),
        Becomes::Indicator
        | Becomes::ObservedData
        | Becomes::Person
        | Becomes::Organisation
        | Becomes::Location
        | Becomes::Sighting
        | Becomes::Note => guess.kind.is_observable(),
    };
    let by_name: [(&[&str], Says); 12] = [
        (&["last"], Says::LastSeen),
        (&["until", "expir", "end"], Says::ValidUntil),
        (&["birth", "dob"], Says::BirthDate),
        (&["first", "seen", "date", "time", "start"], Says::FirstSeen),
        (&["alias", "aka"], Says::Alias),
        (&["comment", "descr", "remark"], Says::Description),
        (&["tag", "label"], Says::Label),
        (&["tlp"], Says::Tlp),
        (&["confidence"], Says::Confidence),
        (&["nationality"], Says::Nationality),
        (&["address"], Says::Address),
        (&["name"], Says::Name),
    ];
    let typed = |says: Says| match says {
        Says::LastSeen | Says::ValidUntil | Says::BirthDate | Says::FirstSeen => {
            guess.kind == CellType::Date
        }
        Says::Confidence => guess.kind == CellType::Number,
        Says::Key
        | Says::Value
        | Says::Name
        | Says::Description
        | Says::Content
        | Says::About
        | Says::SightingOf
        | Says::Count
        | Says::Label
        | Says::Alias
        | Says::Nationality
        | Says::Address
        | Says::Document
        | Says::Contact
        | Says::Country
        | Says::Latitude
        | Says::Longitude
        | Says::Subject
        | Says::Tlp
        | Says::Grade
        | Says::RetentionUntil
        | Says::Keep
        | Says::Skip => guess.kind != CellType::Date,
    };
    let key_like = guess.name.eq_ignore_ascii_case("id")
        || hints(&guess.name, &["_id", "uuid", "reference", "case"]);
    let said = if valued && fits(&Says::Value) {
        Says::Value
    } else if guess.unique && key_like && guess.kind != CellType::Date {
        Says::Key
    } else {
        let found = by_name.iter().filter(|(words, _)| hints(&guess.name, words));
        let mut found = found.map(|(_, says)| *says).filter(|says| fits(says) && typed(*says));
        found.find(|says| !taken.contains(says)).unwrap_or(Says::Keep)
    };
    if !matches!(said, Says::Value | Says::Keep | Says::Key | Says::Label | Says::Alias) {
        taken.insert(said);
    }
    json!(said).as_str().unwrap_or("keep").to_owned()
}

/// A text in the quotes of TOML, whatever is in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let number = u32::from(c);
                // WHY: writing to a text cannot fail.
                let _ = write!(out, "\\u{number:04X}");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text inside a comment: one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Writes a map with comments: of a table called `source`, in the edition of `day`, whose rows
/// become `record`. Where a column has no choice, what was guessed stands.
#[must_use]
pub fn write_map(
    survey: &Survey,
    (source, day): (&str, &str),
    record: &str,
    choices: &[Option<Choice>],
) -> String {
    let mut lines = vec![
        "# How this table becomes records. Read it and correct it: what stands here is a guess"
            .to_owned(),
        "# until you have. `?` must be settled; nothing is guessed when the table is read."
            .to_owned(),
        "format = 1".to_owned(),
        String::new(),
        "[file]".to_owned(),
        format!("delimiter = {}", quoted(&survey.delimiter.to_string())),
        "# utf-8, utf-16le, utf-16be, latin-1 or windows-1252".to_owned(),
        format!("encoding = {}", quoted(&survey.encoding)),
        format!("header = {}", survey.header),
        String::new(),
        "[source]".to_owned(),
        "# stable from edition to edition: the identifiers of records come from it".to_owned(),
        format!("name = {}", quoted(source)),
        "# of this edition; a later one makes later versions of the same records".to_owned(),
        format!("date = {}", quoted(day)),
        "# originator = \"whose words these are\"".to_owned(),
        String::new(),
        "[marking]".to_owned(),
        "# red is for this agency alone; clear, green, amber and amber+strict reach further"
            .to_owned(),
        "tlp = \"red\"".to_owned(),
        "# recipients = [\"xb.police.ct\"]  # of red".to_owned(),
        "# rel_to = [\"XA\", \"XB\"]".to_owned(),
        "# caveats = [\"NO_ONWARD\"]".to_owned(),
        "# grade = \"C3\"".to_owned(),
        "# retention = \"P1Y\"  # from the date of the edition".to_owned(),
        String::new(),
        "[record]".to_owned(),
        "# indicator, observed-data, account, person, organisation, location, sighting or note"
            .to_owned(),
        format!("kind = {}", quoted(record)),
    ];
    if matches!(record, "person" | "account") {
        lines.push("# any other category needs `basis` here and `originator` above".to_owned());
        lines.push("subject = \"unknown\"".to_owned());
    }
    let mut taken = BTreeSet::new();
    for (at, guess) in survey.columns.iter().enumerate() {
        let choice = choices.get(at).and_then(Option::as_ref);
        lines.push(String::new());
        lines.extend(column(guess, choice, record, &mut taken));
    }
    if survey.ragged > 0 {
        lines.push(String::new());
        let number = survey.ragged;
        lines.push(format!("# {number} rows have another number of cells; they will be rejected"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn column(
    guess: &Guess,
    choice: Option<&Choice>,
    record: &str,
    taken: &mut BTreeSet<Says>,
) -> Vec<String> {
    let mut lines = vec!["[[column]]".to_owned()];
    let samples: Vec<String> = guess.samples.iter().map(|text| comment(text)).collect();
    lines.push(format!("# {} filled, such as: {}", guess.filled, samples.join(" | ")));
    if guess.odd > 0 {
        lines.push(format!(
            "# {} cells are of another type; their rows will be rejected",
            guess.odd
        ));
    }
    if guess.formulas > 0 {
        lines.push(format!("# {} cells look like formulas; they stay texts", guess.formulas));
    }
    if !guess.name.is_empty() {
        lines.push(format!("name = {}", quoted(&guess.name)));
    }
    lines.push(format!("at = {}", guess.at));
    let kind = choice.map_or(guess.kind, |choice| choice.kind);
    let says = match choice {
        Some(choice) => choice.says.clone(),
        None => propose(guess, record, taken),
    };
    lines.push(format!("type = {}", quoted(kind.word())));
    lines.push(format!("as = {}", quoted(&says)));
    if kind == CellType::Date {
        lines.push("# year-month-day, day-month-year, month-day-year or unix-seconds".to_owned());
        lines.push(format!("dates = {}", quoted(guess.dates.as_deref().unwrap_or(OPEN))));
        if guess.zone_open {
            lines.push("# times without a zone: \"Z\" or an offset such as \"+02:00\"".to_owned());
            lines.push(format!("zone = {}", quoted(OPEN)));
        }
    }
    if guess.defanged {
        lines.push("# values such as hxxp://bad[.]example are read as they are meant".to_owned());
        lines.push("defanged = true".to_owned());
    }
    lines
}
