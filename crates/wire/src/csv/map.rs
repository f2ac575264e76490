//! The map: what each column of a table is, whose table it is, and who may have it. Pure.
//!
//! INVARIANT: what the map leaves open (`?`) is an error, never a guess.

use super::COLUMNS_MAX;
use super::cell::CellType;
use super::dates::{Order, is_zone};
use super::encoding::Encoding;
use crate::stix::convert::deterministic_id;
use model::grading::Grade;
use model::ids::{AgencyId, PartyId};
use model::marking::Tlp;
use model::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a map that an officer has not finished says.
pub(super) const OPEN: &str = "?";
const GUIDE: &str = "see docs/guides/spreadsheets.md, or make a map with `entente map FILE`";

/// Why a map is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct MapProblem {
    /// The line of the map, where one is at fault.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// How to cure it.
    pub cure: String,
}

fn problem(reason: impl Into<String>, cure: impl Into<String>) -> MapProblem {
    MapProblem { line: None, reason: reason.into(), cure: cure.into() }
}

/// What one row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Becomes {
    Indicator,
    ObservedData,
    Account,
    Person,
    Organisation,
    Location,
    Sighting,
    Note,
}

/// What a column says of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Says {
    Key,
    Value,
    Name,
    Description,
    Content,
    About,
    SightingOf,
    FirstSeen,
    LastSeen,
    ValidUntil,
    Count,
    Confidence,
    Label,
    Alias,
    BirthDate,
    Nationality,
    Address,
    Document,
    Contact,
    Country,
    Latitude,
    Longitude,
    Subject,
    Tlp,
    Grade,
    RetentionUntil,
    Keep,
    Skip,
}

impl Says {
    /// Whether several columns may say it.
    fn is_many(self) -> bool {
        matches!(
            self,
            Self::Key
                | Self::Value
                | Self::About
                | Self::Label
                | Self::Alias
                | Self::Nationality
                | Self::Address
                | Self::Document
                | Self::Contact
                | Self::Keep
                | Self::Skip
        )
    }

    /// Whether a record of this kind has a place for it.
    pub(super) fn fits(self, becomes: Becomes) -> bool {
        use Becomes::{Account, Indicator, Location, Note, ObservedData, Organisation, Person};
        let named = matches!(becomes, Person | Organisation);
        match self {
            Self::Key
            | Self::Description
            | Self::Label
            | Self::Confidence
            | Self::Tlp
            | Self::Grade
            | Self::RetentionUntil
            | Self::Keep
            | Self::Skip => true,
            Self::Value => matches!(becomes, Indicator | ObservedData | Account),
            Self::Name => matches!(becomes, Indicator | Location | Note | Account) || named,
            Self::Content | Self::About => becomes == Note,
            Self::SightingOf => becomes == Becomes::Sighting,
            Self::FirstSeen => matches!(becomes, Indicator | ObservedData | Becomes::Sighting),
            Self::LastSeen | Self::Count => matches!(becomes, ObservedData | Becomes::Sighting),
            Self::ValidUntil => becomes == Indicator,
            Self::Alias | Self::Address | Self::Document | Self::Contact => named,
            Self::BirthDate | Self::Nationality | Self::Subject => becomes == Person,
            Self::Country => becomes == Location,
            Self::Latitude | Self::Longitude => becomes == Location,
        }
    }
}

/// One column of the map.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    /// Its name in the header; its number where there is none.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Its number, from 1.
    #[serde(default)]
    pub(super) at: Option<usize>,
    #[serde(rename = "type")]
    pub(super) kind: CellType,
    #[serde(rename = "as")]
    pub(super) says: Says,
    #[serde(default)]
    dates: Option<String>,
    #[serde(default)]
    pub(super) zone: Option<String>,
    /// Whether values were made harmless, as `hxxp://bad[.]example`.
    #[serde(default)]
    pub(super) defanged: bool,
    /// The sign between several values of one cell.
    #[serde(default)]
    pub(super) split: Option<String>,
    #[serde(skip)]
    pub(super) order: Option<Order>,
}

impl Column {
    /// What to call it in messages and fields.
    pub(super) fn title(&self) -> String {
        match (&self.name, self.at) {
            (Some(name), _) => name.clone(),
            (None, at) => format!("column-{}", at.unwrap_or_default()),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    delimiter: String,
    pub(super) encoding: Encoding,
    pub(super) header: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// The name of the table, stable from edition to edition.
    pub(super) name: String,
    /// The date of this edition.
    date: String,
    /// Whose words these are.
    #[serde(default)]
    pub(super) originator: Option<String>,
    #[serde(skip)]
    pub(super) at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Marks {
    tlp: Option<String>,
    pub(super) recipients: BTreeSet<AgencyId>,
    pub(super) rel_to: Option<BTreeSet<PartyId>>,
    pub(super) caveats: BTreeSet<String>,
    pub(super) noforn: bool,
    pub(super) orcon: bool,
    grade: Option<String>,
    retention: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordForm {
    kind: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    basis: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    file: FileForm,
    source: Source,
    #[serde(default)]
    marking: Marks,
    record: RecordForm,
    column: Vec<Column>,
}

/// A finished map.
#[derive(Debug, Clone)]
pub struct Map {
    pub(super) file: FileForm,
    pub(super) delimiter: u8,
    pub(super) source: Source,
    pub(super) marking: Marks,
    pub(super) tlp: Tlp,
    pub(super) grade: Option<Grade>,
    pub(super) retention: Option<Timestamp>,
    pub(super) becomes: Becomes,
    pub(super) subject: String,
    pub(super) basis: Option<String>,
    pub(super) columns: Vec<Column>,
    /// When this edition was made.
    pub(super) at: Timestamp,
}

impl Map {
    /// Reads a map (TOML).
    ///
    /// # Errors
    /// The first thing that is wrong or left open.
    pub fn parse(document: &str) -> Result<Self, MapProblem> {
        let written: Written = toml::from_str(document).map_err(|error| MapProblem {
            line: error
                .span()
                .and_then(|span| document.get(..span.start))
                .map(|before| before.matches('\n').count().saturating_add(1)),
            reason: error.message().replace('\n', " "),
            cure: GUIDE.to_owned(),
        })?;
        if written.format != 1 {
            let reason = format!("`format = {}` is not a form of map known here", written.format);
            return Err(problem(reason, "write `format = 1`"));
        }
        let delimiter = delimiter(&written.file.delimiter)?;
        let at = date(&written.source.date, "[source] date")?;
        text("[source] name", &written.source.name)?;
        let becomes = becomes(&written.record.kind)?;
        let subject = subject(becomes, &written.record, &written.source)?;
        let (tlp, grade, retention) = marks(&written.marking, at)?;
        let columns = columns(written.column, &written.file)?;
        complete(becomes, &columns)?;
        let mut source = written.source;
        source.at = Some(at);
        Ok(Self {
            file: written.file,
            delimiter,
            source,
            marking: written.marking,
            tlp,
            grade,
            retention,
            becomes,
            subject,
            basis: written.record.basis,
            columns,
            at,
        })
    }

    /// The identifier of what a key of this table names.
    pub(super) fn id(&self, kind: &str, key: &str) -> String {
        deterministic_id(kind, &format!("csv\u{1}{}", self.source.name), key)
    }
}

fn text(place: &str, text: &str) -> Result<(), MapProblem> {
    let good = !text.trim().is_empty() && text != OPEN && text.len() <= 200;
    if good && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(problem(format!("`{place}` is left open, empty or too long"), "write a short text there"))
}

fn delimiter(text: &str) -> Result<u8, MapProblem> {
    match text.as_bytes() {
        [sign] if matches!(sign, b',' | b';' | b'\t' | b'|' | b':') => Ok(*sign),
        _ => {
            let reason = format!("`{text}` is not a delimiter");
            Err(problem(reason, "write \",\", \";\", \"|\", \":\" or \"\\t\""))
        }
    }
}

fn date(text: &str, place: &str) -> Result<Timestamp, MapProblem> {
    super::dates::instant(text, Order::YearMonthDay, None).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        problem(
            format!("`{place}` is `{shown}`, not a date"),
            "write a day such as \"2026-11-24\" or an instant such as \"2026-11-24T12:00:00Z\"",
        )
    })
}

fn becomes(word: &str) -> Result<Becomes, MapProblem> {
    const KINDS: [(&str, Becomes); 8] = [
        ("indicator", Becomes::Indicator),
        ("observed-data", Becomes::ObservedData),
        ("account", Becomes::Account),
        ("person", Becomes::Person),
        ("organisation", Becomes::Organisation),
        ("location", Becomes::Location),
        ("sighting", Becomes::Sighting),
        ("note", Becomes::Note),
    ];
    let found = KINDS.iter().find(|(name, _)| *name == word);
    found.map(|(_, becomes)| *becomes).ok_or_else(|| {
        let words: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let reason = format!("`[record] kind` is `{word}`, which no row can become");
        problem(reason, format!("write one of {}", words.join(", ")))
    })
}

/// Whose data a row is. WHY the basis: no record says what somebody is without naming who asserts
/// it, when and on what basis.
fn subject(becomes: Becomes, record: &RecordForm, source: &Source) -> Result<String, MapProblem> {
    let Some(subject) = &record.subject else {
        return match becomes {
            Becomes::Person => Err(problem(
                "the map does not say whose data the rows are: `[record] subject` is absent",
                "write `subject = \"unknown\"`, or a category of your vocabulary with `basis`",
            )),
            Becomes::Account => Ok("unknown".to_owned()),
            Becomes::Indicator
            | Becomes::ObservedData
            | Becomes::Organisation
            | Becomes::Location
            | Becomes::Sighting
            | Becomes::Note => Ok(model::record::SUBJECT_NONE.to_owned()),
        };
    };
    text("[record] subject", subject)?;
    let plain = matches!(subject.as_str(), "unknown" | model::record::SUBJECT_NONE);
    if becomes == Becomes::Person && subject == model::record::SUBJECT_NONE {
        let reason = "`[record] subject` is `none`, but a row is a person";
        return Err(problem(reason, "write \"unknown\" where nobody has said"));
    }
    if !plain && (record.basis.is_none() || source.originator.is_none()) {
        return Err(problem(
            format!(
                "the map says that each row is `{subject}`, but not who asserts it on what basis"
            ),
            "write `originator` under [source] and `basis` under [record], or `subject = \
             \"unknown\"`",
        ));
    }
    Ok(subject.clone())
}

type Limits = (Tlp, Option<Grade>, Option<Timestamp>);

fn marks(marks: &Marks, at: Timestamp) -> Result<Limits, MapProblem> {
    // INVARIANT: a map that says nothing shares nothing.
    let word = marks.tlp.as_deref().unwrap_or("red");
    let tlp = Tlp::parse(word).ok_or_else(|| {
        problem(
            format!("`[marking] tlp` is `{word}`, which is no label"),
            "write clear, green, amber, amber+strict or red",
        )
    })?;
    if !marks.recipients.is_empty() && tlp != Tlp::Red {
        let reason = "`[marking] recipients` are named, but only TLP:RED names recipients";
        return Err(problem(reason, "write `tlp = \"red\"`, or leave `recipients` out"));
    }
    let grade = marks.grade.as_deref().map(|text| {
        let wrong = |_| problem(format!("`{text}` is no grade"), "write a grade such as \"C3\"");
        text.parse::<Grade>().map_err(wrong)
    });
    let retention = marks.retention.as_deref().map(|text| {
        let wrong = || problem(format!("`{text}` is no span of time"), "write one such as \"P1Y\"");
        let period: Period = text.parse().map_err(|_| wrong())?;
        at.plus(&period).map_err(|_| wrong())
    });
    Ok((tlp, grade.transpose()?, retention.transpose()?))
}

fn columns(mut columns: Vec<Column>, file: &FileForm) -> Result<Vec<Column>, MapProblem> {
    if columns.is_empty() || columns.len() > COLUMNS_MAX {
        let reason = format!("the map has {} columns", columns.len());
        return Err(problem(reason, format!("name 1 to {COLUMNS_MAX} columns")));
    }
    let mut seen = BTreeSet::new();
    for column in &mut columns {
        let title = column.title();
        if column.name.is_none() && column.at.is_none() {
            let cure = "write `name`, or `at` with its number from 1";
            return Err(problem("a column has neither a name nor a number", cure));
        }
        if !file.header && column.at.is_none() {
            let reason = format!("the column `{title}` has no number, and the file no header");
            return Err(problem(reason, "write `at` with its number from 1"));
        }
        if column.at == Some(0) {
            let reason = format!("the column `{title}` has the number 0");
            return Err(problem(reason, "count columns from 1"));
        }
        if !seen.insert((column.name.clone(), column.at)) {
            let reason = format!("the map names the column `{title}` twice");
            return Err(problem(reason, "keep one of the two"));
        }
        settle(column)?;
    }
    Ok(columns)
}

/// Checks what a column says beside its type.
fn settle(column: &mut Column) -> Result<(), MapProblem> {
    let title = column.title();
    let skipped = column.says == Says::Skip;
    let dated = column.kind == CellType::Date && !skipped;
    if dated {
        let words: Vec<&str> = Order::ALL.iter().map(|(word, _)| *word).collect();
        let cure = format!("write `dates` as one of {}", words.join(", "));
        let written = column.dates.as_deref().unwrap_or(OPEN);
        let order = Order::ALL.iter().find(|(word, _)| *word == written);
        column.order = Some(order.map(|(_, order)| *order).ok_or_else(|| {
            problem(format!("the map leaves open how dates in `{title}` are written"), cure)
        })?);
    }
    if let Some(zone) = column.zone.as_deref().filter(|zone| !is_zone(zone)) {
        return Err(problem(
            format!("the zone `{zone}` of the column `{title}` is left open or no zone"),
            "write \"Z\" for UTC, or an offset such as \"+02:00\"",
        ));
    }
    if column.split.as_deref().is_some_and(|sign| sign.is_empty() || sign.len() > 3) {
        let reason = format!("the sign that splits cells of `{title}` is empty or too long");
        return Err(problem(reason, "write one sign, such as \"|\""));
    }
    let wanted: Option<&[CellType]> = match column.says {
        Says::FirstSeen
        | Says::LastSeen
        | Says::ValidUntil
        | Says::BirthDate
        | Says::RetentionUntil => Some(&[CellType::Date]),
        Says::Count | Says::Confidence => Some(&[CellType::Number]),
        Says::About | Says::SightingOf => Some(&[CellType::StixId]),
        Says::Country => Some(&[CellType::Country]),
        Says::Key
        | Says::Value
        | Says::Name
        | Says::Description
        | Says::Content
        | Says::Label
        | Says::Alias
        | Says::Nationality
        | Says::Address
        | Says::Document
        | Says::Contact
        | Says::Latitude
        | Says::Longitude
        | Says::Subject
        | Says::Tlp
        | Says::Grade
        | Says::Keep
        | Says::Skip => None,
    };
    match wanted {
        Some(types) if !types.contains(&column.kind) => {
            let words: Vec<&str> = types.iter().map(|kind| kind.word()).collect();
            let reason = format!("the column `{title}` has the type `{}`", column.kind.word());
            Err(problem(reason, format!("what it says needs type {}", words.join(" or "))))
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks that a row can become what the map says.
fn complete(becomes: Becomes, columns: &[Column]) -> Result<(), MapProblem> {
    let mut count: BTreeMap<Says, usize> = BTreeMap::new();
    for column in columns {
        if !column.says.fits(becomes) {
            let title = column.title();
            let reason = format!("a record of this kind has no place for the column `{title}`");
            return Err(problem(reason, "write `as = \"keep\"` to keep it, or `as = \"skip\"`"));
        }
        let number = count.entry(column.says).or_default();
        *number = number.saturating_add(1);
        if *number > 1 && !column.says.is_many() {
            let reason = format!("the column `{}` says what another column says", column.title());
            return Err(problem(reason, "write `as = \"keep\"` for one of the two"));
        }
        let fits = match becomes {
            Becomes::Indicator | Becomes::ObservedData => column.kind.is_observable(),
            Becomes::Account => column.kind.is_account() || column.kind == CellType::Text,
            Becomes::Person
            | Becomes::Organisation
            | Becomes::Location
            | Becomes::Sighting
            | Becomes::Note => true,
        };
        if column.says == Says::Value && !fits {
            let (title, word) = (column.title(), column.kind.word());
            let reason = format!("the column `{title}` of type `{word}` cannot be the value");
            let cure = "an indicator or observed-data needs an observable type, an account an \
                        iban, phone, wallet or text";
            return Err(problem(reason, cure));
        }
    }
    let needed: &[Says] = match becomes {
        Becomes::Indicator | Becomes::ObservedData | Becomes::Account => &[Says::Value],
        Becomes::Person | Becomes::Organisation => &[Says::Name],
        Becomes::Location => &[],
        Becomes::Sighting => &[Says::SightingOf],
        Becomes::Note => &[Says::Content, Says::About],
    };
    let located = |says| count.contains_key(&says);
    let place = located(Says::Country) || (located(Says::Latitude) && located(Says::Longitude));
    let absent = needed.iter().any(|says| !count.contains_key(says));
    if absent || (becomes == Becomes::Location && !place) {
        let needs = match becomes {
            Becomes::Indicator | Becomes::ObservedData | Becomes::Account => "`value`",
            Becomes::Person | Becomes::Organisation => "`name`",
            Becomes::Location => "`country`, or `latitude` and `longitude`",
            Becomes::Sighting => "`sighting-of`",
            Becomes::Note => "`content` and `about`",
        };
        let reason = format!("no column is {needs}, which such a record needs");
        return Err(problem(reason, "say so at the column that holds it: `as = …`"));
    }
    Ok(())
}
