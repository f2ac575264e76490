//! What the command line accepts. The help texts are the manual's short form.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Cooperate against terrorism without giving up control of what you know.
#[derive(Debug, Parser)]
#[command(
    name = "entente",
    version,
    after_help = "Exit status: 0 done, 1 the rules refuse, 2 the input is wrong, 3 a partner \
                  erred, 4 this node failed.\n\nA newcomer starts with `entente init --help`."
)]
pub struct Arguments {
    /// The node's directory
    #[arg(short, long, global = true, env = "ENTENTE_NODE", value_name = "DIR")]
    pub node: Option<PathBuf>,
    /// Your name, for the log
    #[arg(long, global = true, env = "ENTENTE_OFFICER", value_name = "NAME")]
    pub officer: Option<String>,
    /// Answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// To whom, for what, on what grounds.
#[derive(Debug, Args)]
pub struct Release {
    /// The agency that would receive
    #[arg(long, value_name = "AGENCY")]
    pub to: String,
    /// The purpose of use, such as ct.investigation
    #[arg(long)]
    pub purpose: String,
    /// The act concerned, by its neutral code, such as financing
    #[arg(long, value_name = "ACT")]
    pub offence: Option<String>,
    /// A fact you state, such as human_review; may be repeated
    #[arg(long = "fact", value_name = "FACT")]
    pub facts: Vec<String>,
    /// A flag of the case, such as political_character; may be repeated
    #[arg(long = "flag", value_name = "FLAG")]
    pub flags: Vec<String>,
}

/// A format to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// STIX 2.1 bundles, arrays or lines of objects
    Stix,
    /// The UN Security Council consolidated list, XML
    UnList,
    /// UCDP Georeferenced Event Dataset, CSV
    Ucdp,
    /// MISP events, JSON
    Misp,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        entente -n DIR import stix report.json\n  \
        entente -n DIR import ucdp ged.csv.zst --tlp clear\n\n\
        Files ending in .zst are unpacked. Importing twice changes nothing.")]
pub struct Import {
    /// The format of the files
    pub format: Format,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The marking that counts where a record carries none: clear, green, amber, amber+strict, red
    #[arg(long, default_value = "amber", value_name = "LABEL")]
    pub tlp: String,
    /// Who MISP's community and sharing groups are here (TOML); without it a group is nobody
    #[arg(long, value_name = "MAP")]
    pub audiences: Option<PathBuf>,
    /// Keep STIX 2.0 as it is, without its 2.1 form beside it
    #[arg(long)]
    pub as_it_is: bool,
    /// Read and check, store nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A format to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// STIX objects as their originators wrote them, in one bundle or in lines
    Stix,
    /// MISP events, in one `response`; what MISP has no form for as an attribute with its text
    Misp,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        entente -n DIR export stix --own --out mine.json\n  \
        entente -n DIR export stix --to xb.police.ct --purpose ct.investigation --offence \
        financing --out for-xb.json --terms for-xb.terms.jsonl\n\n\
        A release in a file is a release: each record is decided on and logged. Its terms bind the \
        recipient: hand them over with the file.")]
pub struct Export {
    /// The format of the file
    pub format: ExportFormat,
    /// Only these records [default: all that are held]
    #[arg(value_name = "RECORD")]
    pub records: Vec<String>,
    /// The agency that receives the file
    #[arg(long, value_name = "AGENCY", required_unless_present = "own", requires = "purpose")]
    pub to: Option<String>,
    /// The purpose of use, such as ct.investigation
    #[arg(long, requires = "to", conflicts_with = "own")]
    pub purpose: Option<String>,
    /// The act concerned, by its neutral code, such as financing
    #[arg(long, value_name = "ACT", requires = "to", conflicts_with = "own")]
    pub offence: Option<String>,
    /// A fact you state, such as human_review; may be repeated
    #[arg(long = "fact", value_name = "FACT", requires = "to", conflicts_with = "own")]
    pub facts: Vec<String>,
    /// A flag of the case, such as political_character; may be repeated
    #[arg(long = "flag", value_name = "FLAG", requires = "to", conflicts_with = "own")]
    pub flags: Vec<String>,
    /// Your own copy, as far as you are cleared; it goes to nobody else
    #[arg(long, conflicts_with = "to")]
    pub own: bool,
    /// Only records of this type, such as indicator
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "records")]
    pub kind: Option<String>,
    /// Of your own copy: every version held, such as the STIX 2.0 original of an upgraded object
    #[arg(long, requires = "own")]
    pub every_version: bool,
    /// Where to write [default: standard output, and the summary to standard error]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write events as a MISP feed: a folder with manifest.json, hashes.csv and a file an event
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "lines"])]
    pub feed: Option<PathBuf>,
    /// Write the terms of each release here, a line of JSON each
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with = "own")]
    pub terms: Option<PathBuf>,
    /// One object a line instead of one bundle
    #[arg(long)]
    pub lines: bool,
    /// Only say what would go; nothing is written or logged as released
    #[arg(long)]
    pub dry_run: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a new node: keys, settings, an empty store
    #[command(after_help = "Example:\n  entente init nodes/xa --agency xa.police.ct --party XA \
                            --listen 127.0.0.1:7101")]
    Init {
        /// The directory to make
        dir: PathBuf,
        /// The agency that runs the node
        #[arg(long)]
        agency: String,
        /// The party it acts for
        #[arg(long)]
        party: String,
        /// The address to listen on
        #[arg(long, default_value = "127.0.0.1:7101", value_name = "ADDRESS")]
        listen: String,
        /// The address partners reach it at [default: http:// and --listen]
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// Years the member document is valid
        #[arg(long, default_value_t = 5)]
        years: u16,
    },
    /// Serve partners, TAXII clients and the officer's pages until Ctrl-C
    Serve,
    /// Serve a file as a TAXII 2.1 server on this machine, for trying clients and suites
    #[command(after_help = "Example:\n  entente taxii-fixture fixture.json --port 5000 \
                            --page-max 20\n\nThe file has the form of the reference server's data \
                            file; see docs/reference/taxii.md.")]
    TaxiiFixture {
        /// The file (JSON)
        file: PathBuf,
        /// The port; 0 takes a free one and says which
        #[arg(long, default_value_t = 5000)]
        port: u16,
        /// Objects on a page at most [default: what the file says, else 100]
        #[arg(long, value_name = "N")]
        page_max: Option<usize>,
        /// Speak TLS with this certificate (PEM)
        #[arg(long, value_name = "FILE", requires = "tls_key")]
        tls_certificate: Option<PathBuf>,
        /// The certificate's private key (PEM)
        #[arg(long, value_name = "FILE", requires = "tls_certificate")]
        tls_key: Option<PathBuf>,
    },
    /// Who this node is and what it holds
    Status,
    /// Adopt the vocabulary decisions look things up in
    Vocabulary {
        /// The document (JSON)
        file: PathBuf,
    },
    /// Members: pin, list, export, give access
    Member {
        /// What to do
        #[command(subcommand)]
        verb: MemberVerb,
    },
    /// Agreements: add, sign, list, show, lint, compare
    Agreement {
        /// What to do
        #[command(subcommand)]
        verb: AgreementVerb,
    },
    /// Standing orders: what is stored is offered to a partner for a purpose
    Order {
        /// What to do
        #[command(subcommand)]
        verb: OrderVerb,
    },
    /// Import records from files
    Import(Import),
    /// Take records out as a file: for a partner through the gate, or your own copy
    Export(Export),
    /// List records held
    List {
        /// Only this type, such as indicator
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// How many to show
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Only records after this one: the next page
        #[arg(long, value_name = "RECORD")]
        after: Option<String>,
    },
    /// Show one record: who gave it, under which article, what may be done with it, until when
    Show {
        /// The record
        record: String,
    },
    /// Explain what a partner may have of a record, and why
    #[command(after_help = "Example:\n  entente -n DIR explain indicator--… --to xb.police.ct \
                            --purpose ct.investigation --offence financing")]
    Explain {
        /// The record
        record: String,
        /// To whom, for what
        #[command(flatten)]
        release: Release,
    },
    /// Release records to a partner, as far as the agreements let them go
    Share {
        /// The records
        #[arg(required = true)]
        records: Vec<String>,
        /// To whom, for what
        #[command(flatten)]
        release: Release,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Which stored records may a partner have for a purpose?
    Audience {
        /// To whom, for what
        #[command(flatten)]
        release: Release,
        /// How many to name
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Take a record of this node back from everyone it went to
    Recall {
        /// The record
        record: String,
        /// Why, as far as it may be told
        #[arg(long)]
        reason: String,
    },
    /// Which records are about one subject: link, unlink, show
    SameAs {
        /// What to do
        #[command(subcommand)]
        verb: SameAsVerb,
    },
    /// Permit holders to pass records of this node on to an agency
    Consent {
        /// The record
        #[arg(long)]
        record: String,
        /// The agency that may receive
        #[arg(long, value_name = "AGENCY")]
        to: String,
        /// Only for this purpose
        #[arg(long)]
        purpose: Option<String>,
        /// Only before this instant, such as 2027-01-01T00:00:00Z
        #[arg(long)]
        until: Option<String>,
    },
    /// What waits for partners, what was given up, and what they answered
    Outbox,
    /// Try once to deliver what waits (a serving node does this by itself)
    #[command(after_help = "A message its partner keeps refusing is given up, so that the next \
                            goes on: see entente outbox. What fails for a while never is.")]
    Deliver {
        /// Send a message that was given up again: its digest, or `all`
        #[arg(long, value_name = "DIGEST", conflicts_with = "give_up")]
        again: Option<String>,
        /// Give a waiting message up, so that those behind it go on
        #[arg(long, value_name = "DIGEST")]
        give_up: Option<String>,
    },
    /// Word that holders passed records of this node on, and that this node gave or owes
    Notices {
        /// How many of each to show
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// The transparency log: verify, show, prove, export, audit
    Log {
        /// What to do
        #[command(subcommand)]
        verb: LogVerb,
    },
    /// Delete what has reached the end of its retention (a serving node does this by itself)
    Tick,
    /// STIX patterns: check, match
    Pattern {
        /// What to do
        #[command(subcommand)]
        verb: PatternVerb,
    },
    /// Answer a file of decision cases
    #[command(
        after_help = "Example:\n  entente decide --vocab vocab.json --agreements DIR --cases \
                            cases.json --out answers.json"
    )]
    Decide {
        /// The vocabulary
        #[arg(long, value_name = "FILE")]
        vocab: PathBuf,
        /// The folder of agreements (TOML)
        #[arg(long, value_name = "DIR")]
        agreements: PathBuf,
        /// The cases
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
        /// Where to write the answers
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// The address of the officer's pages, with the token that opens them
    PageAddress,
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The names of all verbs, a line each
    #[command(hide = true)]
    Verbs,
}

/// Verbs on members.
#[derive(Debug, Subcommand)]
pub enum MemberVerb {
    /// Pin a partner's document after comparing its fingerprint by another channel
    Add {
        /// The document
        file: PathBuf,
        /// The fingerprint the partner's officer read out
        #[arg(long, value_name = "DIGEST")]
        fingerprint: String,
    },
    /// List pinned members
    List,
    /// Print this node's own document
    Export,
    /// Give a partner's TAXII client a new access token
    Token {
        /// The partner
        agency: String,
    },
    /// Say how what a partner's TAXII client posts is regarded from now on
    Appraise {
        /// The partner
        agency: String,
        /// The marking that counts where a posted object carries none
        #[arg(long, default_value = "amber", value_name = "LABEL")]
        floor: String,
        /// The poster's grade, such as B2; no grade in a posted object betters it
        #[arg(long, value_name = "GRADE")]
        grade: Option<String>,
    },
}

/// Verbs on agreements.
#[derive(Debug, Subcommand)]
pub enum AgreementVerb {
    /// Adopt an agreement
    Add {
        /// The document (TOML)
        file: PathBuf,
    },
    /// Sign an adopted agreement for this node's party and print the signature
    Sign {
        /// The agreement
        agreement: String,
    },
    /// Store another party's signature
    Signature {
        /// The signed document
        file: PathBuf,
    },
    /// List adopted agreements with their signatures
    List,
    /// Show one agreement
    Show {
        /// The agreement
        agreement: String,
    },
    /// Find weaknesses in agreement documents
    Lint {
        /// The documents
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The vocabulary to check words against
        #[arg(long, value_name = "FILE")]
        vocab: PathBuf,
    },
    /// Say in sentences what a new version changes, with stored records as examples
    Diff {
        /// The new document
        file: PathBuf,
        /// The earlier document; the adopted version when absent
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
}

/// Verbs on links between records; a link merges nothing and never leaves the node.
#[derive(Debug, Subcommand)]
pub enum SameAsVerb {
    /// Say that two records are about the same subject
    Link {
        /// One record
        one: String,
        /// The other
        other: String,
        /// Why you hold them to be the same
        #[arg(long)]
        reason: String,
    },
    /// Take a link back; the records are as they were
    Unlink {
        /// One record
        one: String,
        /// The other
        other: String,
        /// Why they are not the same after all
        #[arg(long)]
        reason: String,
    },
    /// Show the records that links make one subject, who linked them and why
    Show {
        /// One of them
        record: String,
    },
}

/// Verbs on patterns; they work on files, without a node.
#[derive(Debug, Subcommand)]
pub enum PatternVerb {
    /// Check patterns: one a line, or those of the indicators in a STIX file
    #[command(after_help = "Example:\n  entente pattern check patterns.txt bundle.json\n\n\
                            Empty lines and lines that begin with # are passed over.")]
    Check {
        /// Files of patterns, or of STIX objects
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Match patterns against observed data and say which observations are bound
    #[command(after_help = "Example:\n  entente pattern match indicators.json observed.json\n\n\
                            Exit status 1: no pattern matches.")]
    Match {
        /// Patterns, one a line, or STIX objects with indicators
        patterns: PathBuf,
        /// STIX objects: observed-data and their observables
        #[arg(required = true, value_name = "FILE")]
        observed: Vec<PathBuf>,
    },
}

/// Verbs on standing orders.
#[derive(Debug, Subcommand)]
pub enum OrderVerb {
    /// Give an order and offer what is held already
    Add(Release),
    /// Withdraw an order
    Remove(Release),
    /// List the orders
    List,
}

/// Verbs on the log.
#[derive(Debug, Subcommand)]
pub enum LogVerb {
    /// Recompute the root from all entries and open every commitment
    Verify,
    /// Show entries
    Show {
        /// From this index
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// The newest checkpoint this node saw of each partner's log
    Seen,
    /// Check that a checkpoint of this node's log, as somebody saw it, is a prefix of it today
    Against {
        /// The signed checkpoint
        file: PathBuf,
    },
    /// Prove that an entry stands in the newest checkpoint
    Prove {
        /// Its index
        index: u64,
    },
    /// Write the log to a folder, for anyone to check without this node
    #[command(
        after_help = "Example:\n  entente --node xa log export audit-2026\n  entente log audit \
                      audit-2026 --member xa.member"
    )]
    Export {
        /// The folder; files that are there and full are kept
        dir: PathBuf,
        /// Only hashes: they prove that the log grew, and say nothing about any entry
        #[arg(long)]
        hashes_only: bool,
    },
    /// Check an exported log: signature, entries, root (works on files, needs no node)
    Audit {
        /// The folder an export wrote
        dir: PathBuf,
        /// The member document of the agency whose log it is
        #[arg(long, value_name = "FILE")]
        member: PathBuf,
        /// A checkpoint seen earlier, which must be a prefix of this log
        #[arg(long, value_name = "FILE")]
        earlier: Option<PathBuf>,
    },
}
