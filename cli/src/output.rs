//! The only way out: text and JSON to stdout, complaints to stderr.

use std::ffi::OsStr;
use std::fs;
use std::io::{IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

use crate::error::{Context, Result};

/// Writes all of `text` to stdout; a full disk is an error, not a panic.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output")
}

pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    print(&json(value)?)
}

pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").context("JSON")
}

/// One line on stderr. Where that fails there is nobody left to tell.
pub(crate) fn complain(message: &str) {
    note(&format!("hakmem: {message}\n"));
}

/// Text on stderr as it is.
pub(crate) fn note(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

pub(crate) fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(path.display())
}

/// Fails now instead of after an hour's work. Leaves what is in the file alone.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    fs::OpenOptions::new().append(true).create(true).open(path).map(drop).context(path.display())
}

/// Whether stdout shows colours.
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A command line as a shell would read it, control characters made visible.
pub(crate) fn quote<S: AsRef<OsStr>>(words: &[S]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote_word(word.as_ref())).collect();
    words.join(" ")
}

fn quote_word(word: &OsStr) -> String {
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"_-./=:,+@%^".contains(&byte);
    let text = word.to_string_lossy();
    if !word.is_empty() && word.as_bytes().iter().all(plain) {
        text.into_owned()
    } else if text.chars().any(char::is_control) || text.contains(char::REPLACEMENT_CHARACTER) {
        let escaped: String = word.as_bytes().escape_ascii().to_string().replace("\\\"", "\"");
        format!("$'{escaped}'")
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// For a line of a heading: not longer than `width`.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_reads_them() {
        for (word, quoted) in [
            ("ls", "ls"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("<b>", "'<b>'"),
            ("a\nb", "$'a\\nb'"),
            ("é x", "'é x'"),
        ] {
            assert_eq!(quote(&[word]), quoted);
        }
        assert_eq!(quote(&["echo", "$HOME"]), "echo '$HOME'");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("héllo", 5), "héllo");
        assert_eq!(shorten("héllo!", 5), "héll…");
    }
}
