//! `Error`: what the user is told, and the exit status.

use std::fmt::Display;

/// Wrong arguments that only the program can see: as clap's own.
pub(crate) const USAGE: u8 = 2;
/// Of a command that looks at a process or a file of it: there is none of this number.
pub(crate) const NO_PROCESS: u8 = 3;
/// It may not be looked at.
pub(crate) const NO_PERMISSION: u8 = 4;
/// It is another malloc's.
pub(crate) const NOT_SERVED: u8 = 5;

#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) message: String,
    pub(crate) status: u8,
}

/// `u8`: the exit status of a subcommand that did its work.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Error {
        Error::with(1, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Error {
        Error::with(USAGE, message)
    }

    pub(crate) fn with(status: u8, message: impl Into<String>) -> Error {
        Error { message: message.into(), status }
    }
}

/// `.context("what was tried")` for any error that can be shown.
pub(crate) trait Context<T> {
    fn context(self, what: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl Display) -> Result<T> {
        self.map_err(|error| Error::new(format!("{what}: {error}")))
    }
}
