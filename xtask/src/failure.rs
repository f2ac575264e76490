//! Why a task stopped. Pure.

/// Why a task stopped; the message says what to do where that is known.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The words after `cargo xtask` make no sense.
    #[error("{0}; `cargo xtask help` lists the tasks")]
    Usage(String),
    /// A file could not be read or a program not started.
    #[error("{place}: {cause}")]
    Io {
        /// The path or program.
        place: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Something a task needs is not there.
    #[error("{0}")]
    Absent(String),
    /// A program answered with failure.
    #[error("`{0}` failed")]
    Program(String),
    /// A program answered with something that cannot be read.
    #[error("{place}: {cause}")]
    Answer {
        /// The program.
        place: String,
        /// What is wrong with the answer.
        cause: String,
    },
    /// Checks ran and some failed.
    #[error("{0} failed")]
    Checks(u64),
}

impl Failure {
    /// Wraps an input or output error at `place`.
    pub fn io(place: impl ToString) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.to_string();
        move |cause| Self::Io { place, cause }
    }
}
