//! The command line: parses, runs here or through the officer's door, prints, sets the exit status.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this module is the terminal: answers go to stdout, failures to stderr"
)]

mod arguments;
mod audit;
mod decide;
mod export;
mod feed;
mod import;
mod map;
mod pattern;
mod remote;

use crate::command::{Answer, Command};
use crate::commands::{Desk, execute};
use crate::edge;
use crate::failure::Failure;
use crate::place::{Place, Settings};
use arguments::{
    AgreementVerb, Arguments, LogVerb, MemberVerb, OrderVerb, Release, SameAsVerb, Verb,
};
use clap::{CommandFactory, Parser};
use model::ids::Digest;
use model::request::{Consent, Grounds, StandingOrder};
use model::time::Timestamp;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    match run(arguments) {
        Ok(answer) => {
            print(&answer, json);
            if answer.refused { ExitCode::from(1) } else { ExitCode::SUCCESS }
        }
        Err(failure) => {
            complain(&failure, json);
            ExitCode::from(failure.exit_status())
        }
    }
}

fn print(answer: &Answer, json: bool) {
    if json && answer.json.is_null() {
        return;
    }
    let text = if json { answer.json.to_string() } else { answer.text.clone() };
    if text.is_empty() {
        return;
    }
    // WHY: a reader that closes the pipe early (`| head`) is not a failure.
    let _closed = writeln!(std::io::stdout(), "{text}");
}

fn complain(failure: &Failure, json: bool) {
    if json {
        let value = json!({"error": failure});
        let _closed = writeln!(std::io::stderr(), "{value}");
        return;
    }
    eprintln!("entente: {}", failure.message);
    if !failure.help.is_empty() {
        eprintln!("  help: {}", failure.help);
    }
}

fn run(arguments: Arguments) -> Result<Answer, Failure> {
    let seat = Seat {
        place: arguments.node.as_deref().map(Place::at),
        officer: arguments.officer.unwrap_or_else(|| "officer".to_owned()),
    };
    match arguments.verb {
        Verb::Init { dir, agency, party, listen, endpoint, years } => {
            init(&dir, Opening { agency, party, listen, endpoint, years })
        }
        Verb::Serve => serve(&seat),
        Verb::TaxiiFixture { file, port, page_max, tls_certificate, tls_key } => {
            let fixture = crate::http::Fixture::read(&file, page_max)?;
            let tls = tls_certificate.zip(tls_key);
            crate::http::serve_fixture(fixture, port, tls)?;
            Ok(Answer::default())
        }
        Verb::Decide { vocab, agreements, cases, out } => {
            decide::decide(&vocab, &agreements, &cases, &out)
        }
        Verb::Pattern { verb } => pattern::answer(&verb),
        Verb::Map(wanted) => map::map(&wanted, arguments.json),
        Verb::Import(import) => import::import(&seat, &import, arguments.json),
        Verb::Feed { verb } => feed::answer(&seat, verb, arguments.json),
        Verb::Export(wanted) => export::export(&seat, wanted, arguments.json),
        Verb::Deliver { again: None, give_up: None } => deliver(&seat),
        Verb::PageAddress => page_address(&seat),
        Verb::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "entente", &mut out);
            let text = String::from_utf8_lossy(&out).into_owned();
            Ok(Answer::new(text.clone(), json!({"completions": text})))
        }
        Verb::Verbs => Ok(verbs()),
        Verb::Agreement { verb: AgreementVerb::Lint { files, vocab } } => {
            decide::lint(&files, &vocab)
        }
        Verb::Log { verb: LogVerb::Export { dir, hashes_only } } => {
            audit::export(&seat, &dir, hashes_only)
        }
        Verb::Log { verb: LogVerb::Audit { dir, member, earlier } } => {
            audit::audit(&dir, &member, earlier.as_deref())
        }
        verb @ (Verb::Status
        | Verb::Vocabulary { .. }
        | Verb::Member { .. }
        | Verb::Agreement { .. }
        | Verb::Order { .. }
        | Verb::Explain { .. }
        | Verb::Share { .. }
        | Verb::Audience { .. }
        | Verb::Recall { .. }
        | Verb::Consent { .. }
        | Verb::SameAs { .. }
        | Verb::List { .. }
        | Verb::Show { .. }
        | Verb::Outbox
        | Verb::Deliver { .. }
        | Verb::Notices { .. }
        | Verb::Log { .. }
        | Verb::Tick) => seat.ask(command(verb)?),
    }
}

/// The node an officer sits at.
pub struct Seat {
    place: Option<Place>,
    officer: String,
}

impl Seat {
    /// The node's directory.
    ///
    /// # Errors
    /// None was named.
    pub fn place(&self) -> Result<&Place, Failure> {
        self.place.as_ref().ok_or_else(|| {
            Failure::input(
                "no_node",
                "no node was named",
                "name its directory: entente --node DIR …, or set ENTENTE_NODE",
            )
        })
    }

    /// The officer's name.
    #[must_use]
    pub fn officer(&self) -> &str {
        &self.officer
    }

    /// Runs a command here, or through the officer's door of the running node.
    ///
    /// # Errors
    /// What the node answers.
    pub fn ask(&self, command: Command) -> Result<Answer, Failure> {
        let place = self.place()?;
        match place.open(edge::now()?) {
            Ok(mut node) => {
                let officer = self.officer.clone();
                execute(&mut Desk { node: &mut node, officer, now: edge::now()? }, command)
            }
            Err(failure) if failure.code == "store_busy" => {
                remote::ask(place, &self.officer, &command)
            }
            Err(failure) => Err(failure),
        }
    }
}

struct Opening {
    agency: String,
    party: String,
    listen: String,
    endpoint: Option<String>,
    years: u16,
}

fn init(dir: &Path, opening: Opening) -> Result<Answer, Failure> {
    let now = edge::now()?;
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::input("bad_argument", error, "see entente init --help")
    };
    let period = format!("P{}Y", opening.years).parse().map_err(|e| wrong(&e))?;
    let endpoint = opening.endpoint.unwrap_or_else(|| format!("http://{}", opening.listen));
    let settings = Settings {
        agency: opening.agency.parse().map_err(|e| wrong(&e))?,
        party: opening.party.parse().map_err(|e| wrong(&e))?,
        listen: opening.listen,
        endpoint,
        valid_from: now,
        valid_until: now.plus(&period).map_err(|e| wrong(&e))?,
        tls: None,
    };
    let place = Place::at(dir);
    place.create(&settings)?;
    let node = place.open(now)?;
    let signed = node.identity().document()?;
    let text = format!(
        "{} is ready in {}\nmember document fingerprint {}\nhand the document to partners: entente \
         --node {} member export",
        settings.agency,
        dir.display(),
        signed.digest,
        dir.display()
    );
    Ok(Answer::new(text, json!({"agency": settings.agency, "fingerprint": signed.digest})))
}

fn serve(seat: &Seat) -> Result<Answer, Failure> {
    crate::http::serve(seat.place()?)?;
    Ok(Answer::default())
}

fn deliver(seat: &Seat) -> Result<Answer, Failure> {
    let now = edge::now()?;
    let mut node = seat.place()?.open(now)?;
    let reports = crate::courier::deliver_once(&mut node, now)?;
    let lines: Vec<String> = reports.iter().map(ToString::to_string).collect();
    let text = if lines.is_empty() { "nothing waits".to_owned() } else { lines.join("\n") };
    Ok(Answer::new(text, json!({"deliveries": lines})))
}

fn page_address(seat: &Seat) -> Result<Answer, Failure> {
    let place = seat.place()?;
    let address = format!("http://{}/?token={}", place.settings()?.listen, place.token()?);
    Ok(Answer::new(address.clone(), json!({"address": address})))
}

fn verbs() -> Answer {
    let command = Arguments::command();
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    Answer::new(names.join("\n"), json!({"verbs": names}))
}

/// Reads a text file an argument names.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn text_file(path: &Path) -> Result<String, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::input(
            "file_unreadable",
            format!("`{}` cannot be read: {error}", path.display()),
            "check the path, its permissions and that it is UTF-8 text",
        )
    };
    let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
    String::from_utf8(bytes).map_err(|e| wrong(&e))
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|e| Failure::input("bad_argument", e, "correct the argument"))
}

fn order(release: Release) -> Result<StandingOrder, Failure> {
    Ok(StandingOrder {
        recipient: id(&release.to)?,
        purpose: release.purpose,
        grounds: Grounds {
            offence: release.offence,
            facts: release.facts.into_iter().collect(),
            consents: Vec::new(),
            flags: release.flags.into_iter().collect(),
        },
    })
}

fn command(verb: Verb) -> Result<Command, Failure> {
    Ok(match verb {
        Verb::Status => Command::Status,
        Verb::Vocabulary { file } => Command::Vocabulary { document: text_file(&file)? },
        Verb::Member { verb } => member(verb)?,
        Verb::Agreement { verb } => agreement(verb)?,
        Verb::Order { verb } => match verb {
            OrderVerb::Add(release) => Command::OrderAdd { order: order(release)? },
            OrderVerb::Remove(release) => Command::OrderRemove { order: order(release)? },
            OrderVerb::List => Command::OrderList,
        },
        Verb::Explain { record, release } => {
            Command::Explain { record: id(&record)?, order: order(release)? }
        }
        Verb::Share { records, release, dry_run } => Command::Share {
            records: records.iter().map(|r| id(r)).collect::<Result<_, _>>()?,
            order: order(release)?,
            dry_run,
        },
        Verb::Audience { release, limit } => Command::Audience { order: order(release)?, limit },
        Verb::Recall { record, reason } => Command::Recall { record: id(&record)?, reason },
        Verb::SameAs { verb } => same_as(verb)?,
        Verb::Consent { record, to, purpose, until } => consent(&record, &to, purpose, until)?,
        Verb::List { kind, limit, after } => {
            Command::List { kind, limit, after: after.as_deref().map(id).transpose()? }
        }
        Verb::Show { record } => Command::Show { record: id(&record)? },
        Verb::Outbox => Command::Outbox,
        Verb::Deliver { again: Some(word), .. } if word == "all" => {
            Command::DeliverAgain { message: None }
        }
        Verb::Deliver { again: Some(digest), .. } => {
            Command::DeliverAgain { message: Some(id(&digest)?) }
        }
        Verb::Deliver { give_up: Some(digest), .. } => {
            Command::DeliverGiveUp { message: id(&digest)? }
        }
        Verb::Notices { limit } => Command::Notices { limit },
        Verb::Log { verb } => match verb {
            LogVerb::Verify => Command::LogVerify,
            LogVerb::Show { from, limit } => Command::LogShow { from, limit },
            LogVerb::Seen => Command::LogSeen,
            LogVerb::Against { file } => Command::LogAgainst { checkpoint: text_file(&file)? },
            LogVerb::Prove { index } => Command::LogProve { index },
            LogVerb::Export { .. } | LogVerb::Audit { .. } => {
                let help = "see entente log --help";
                return Err(Failure::input("bad_argument", "not a command for a node", help));
            }
        },
        Verb::Tick => Command::Tick,
        Verb::Init { .. }
        | Verb::Serve
        | Verb::TaxiiFixture { .. }
        | Verb::Decide { .. }
        | Verb::Import(_)
        | Verb::Map(_)
        | Verb::Export(_)
        | Verb::Feed { .. }
        | Verb::Pattern { .. }
        | Verb::Deliver { again: None, give_up: None }
        | Verb::PageAddress
        | Verb::Completions { .. }
        | Verb::Verbs => {
            let help = "see entente --help";
            return Err(Failure::input("bad_argument", "not a command for a node", help));
        }
    })
}

fn same_as(verb: SameAsVerb) -> Result<Command, Failure> {
    use model::event::Linking;
    let pair = |one: &str, other: &str, linking: Linking, reason: String| {
        Ok(Command::SameAs { one: id(one)?, other: id(other)?, linking, reason })
    };
    match verb {
        SameAsVerb::Link { one, other, reason } => pair(&one, &other, Linking::Link, reason),
        SameAsVerb::Unlink { one, other, reason } => pair(&one, &other, Linking::Unlink, reason),
        SameAsVerb::Show { record } => Ok(Command::SameAsShow { record: id(&record)? }),
    }
}

fn consent(
    record: &str,
    to: &str,
    purpose: Option<String>,
    until: Option<String>,
) -> Result<Command, Failure> {
    let recipient: model::ids::AgencyId = id(to)?;
    let until = until.as_deref().map(id::<Timestamp>).transpose()?;
    let object = Some(id(record)?);
    // WHY: the node puts its own agency as originator; nobody consents for another.
    let originator = recipient.clone();
    let consent =
        Consent { originator, recipient, object, purpose, from: None, until, agreement: None };
    Ok(Command::Consent { consent })
}

fn member(verb: MemberVerb) -> Result<Command, Failure> {
    Ok(match verb {
        MemberVerb::Add { file, fingerprint } => Command::MemberAdd {
            document: text_file(&file)?,
            fingerprint: id::<Digest>(&fingerprint)?,
        },
        MemberVerb::List => Command::MemberList,
        MemberVerb::Export => Command::MemberExport,
        MemberVerb::Token { agency } => Command::MemberToken { agency: id(&agency)? },
        MemberVerb::Appraise { agency, floor, grade } => appraise(&agency, &floor, grade)?,
    })
}

fn appraise(agency: &str, floor: &str, grade: Option<String>) -> Result<Command, Failure> {
    let label = model::marking::Tlp::parse(floor).ok_or_else(|| {
        let text = format!("`{floor}` is no TLP label");
        Failure::input("bad_argument", text, "use clear, green, amber, amber+strict or red")
    })?;
    let grade: Result<Option<model::grading::Grade>, _> =
        grade.map(|grade| grade.parse()).transpose();
    let grade = grade.map_err(|e: model::grading::GradeError| {
        Failure::input("bad_argument", e.to_string(), "use a letter A to F or X and a digit 1 to 6")
    })?;
    Ok(Command::MemberAppraise { agency: id(agency)?, floor: label, grade })
}

fn agreement(verb: AgreementVerb) -> Result<Command, Failure> {
    Ok(match verb {
        AgreementVerb::Add { file } => Command::AgreementAdd { document: text_file(&file)? },
        AgreementVerb::Sign { agreement } => Command::AgreementSign { agreement: id(&agreement)? },
        AgreementVerb::Signature { file } => {
            Command::AgreementSignature { document: text_file(&file)? }
        }
        AgreementVerb::List => Command::AgreementList,
        AgreementVerb::Show { agreement } => Command::AgreementShow { agreement: id(&agreement)? },
        AgreementVerb::Diff { file, against } => Command::AgreementDiff {
            document: text_file(&file)?,
            against: against.as_deref().map(text_file).transpose()?,
        },
        AgreementVerb::Lint { .. } => {
            let help = "see entente agreement lint --help";
            return Err(Failure::input("bad_argument", "lint works on files", help));
        }
    })
}
