//! The files an export writes: where bytes go, and the frame each format puts around objects.

use crate::edge::SystemEntropy;
use crate::failure::Failure;
use model::ids::RecordId;
use node::Entropy;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where bytes go: a file that appears when it is whole, or standard output.
pub struct Output {
    out: Box<dyn Write>,
    /// The file while it is written, and its name afterwards.
    file: Option<(PathBuf, PathBuf)>,
}

impl Output {
    /// Opens a file for writing, or standard output.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { out: Box::new(std::io::stdout().lock()), file: None });
        };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).map_err(|e| unwritable(path, &e))?;
        let out = Box::new(BufWriter::with_capacity(1 << 16, file));
        Ok(Self { out, file: Some((unfinished, path.to_owned())) })
    }

    fn wrong(&self, error: &std::io::Error) -> Failure {
        match &self.file {
            Some((_, path)) => unwritable(path, error),
            None if error.kind() == ErrorKind::BrokenPipe => Failure::input(
                "output_closed",
                "whoever reads the output closed it before the end",
                "write to a file with --out; releases up to there are in the log",
            ),
            None => Failure::input(
                "output_unwritable",
                format!("standard output cannot be written: {error}"),
                "write to a file with --out; releases up to there are in the log",
            ),
        }
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|e| self.wrong(&e))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(text.as_bytes())?;
        self.write(b"\n")
    }

    /// Ends the output; a file gets its name.
    ///
    /// # Errors
    /// The last bytes cannot be written.
    pub fn end(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|e| self.wrong(&e))?;
        if let Some((unfinished, path)) = &self.file {
            std::fs::rename(unfinished, path).map_err(|e| unwritable(path, &e))?;
        }
        Ok(())
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(
        "file_unwritable",
        format!("`{}` cannot be written: {error}", path.display()),
        "choose a folder you may write to, with room for the file",
    )
}

/// Tells what left where standard output is the file itself.
pub fn tell(text: &str) {
    // WHY: nobody reads standard error; what was done stands in the log.
    let _closed = writeln!(std::io::stderr(), "{text}");
}

/// A file in some format, object by object.
pub trait Sheet {
    /// Takes one object, as it stands in its STIX bytes.
    ///
    /// # Errors
    /// It cannot be written.
    fn object(&mut self, stix: &str) -> Result<(), Failure>;

    /// Takes note of records that only this agency asserts, before they come.
    fn ours(&mut self, _records: &[RecordId]) {}

    /// Takes note of records of the next portion that go redacted, before they come.
    fn redacted(&mut self, _records: Vec<RecordId>) {}

    /// Ends the file.
    ///
    /// # Errors
    /// The rest cannot be written.
    fn end(self: Box<Self>) -> Result<(), Failure>;
}

/// STIX: a bundle, or a line an object.
///
/// # Errors
/// The file cannot be written.
pub fn stix(lines: bool, mut out: Output) -> Result<Box<dyn Sheet>, Failure> {
    if lines {
        return Ok(Box::new(Lines(out)));
    }
    let head = format!("{{\"type\":\"bundle\",\"id\":\"bundle--{}\"", random_uuid());
    out.write(head.as_bytes())?;
    Ok(Box::new(Bundle { out, any: false }))
}

/// One object a line.
struct Lines(Output);

impl Sheet for Lines {
    fn object(&mut self, stix: &str) -> Result<(), Failure> {
        // WHY: in JSON a line break stands only between tokens, where a blank means the same.
        let broken = stix.contains(['\n', '\r']);
        if broken { self.0.line(&stix.replace(['\n', '\r'], " ")) } else { self.0.line(stix) }
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        self.0.end()
    }
}

/// One bundle. SOURCE: STIX 2.1 section 8: without objects it has no list of them.
struct Bundle {
    out: Output,
    any: bool,
}

impl Sheet for Bundle {
    fn object(&mut self, stix: &str) -> Result<(), Failure> {
        let before: &[u8] = if self.any { b",\n" } else { b",\"objects\":[\n" };
        self.any = true;
        self.out.write(before)?;
        self.out.write(stix.as_bytes())
    }

    fn end(mut self: Box<Self>) -> Result<(), Failure> {
        self.out.write(if self.any { b"\n]}\n" } else { b"}\n" })?;
        self.out.end()
    }
}

/// A random UUID. SOURCE: RFC 9562 section 5.4.
fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    SystemEntropy.fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) | (4 << 76);
    let number = number & !(0x3 << 62) | (2 << 62);
    let hex = format!("{number:032x}");
    let mut out = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}
