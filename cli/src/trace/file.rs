//! Opening a trace, of either kind, and making the kind that is kept.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek};
use std::path::Path;

use super::event::{About, Event, Totals};
use super::hkt::{Reader, Writer};
use super::merge::Merge;
use super::raw::{self, Raw};
use crate::error::{Context, Error, Result};

/// A trace that is read from its beginning to its end.
pub(crate) struct Trace {
    kind: Kind,
    name: String,
}

enum Kind {
    Raw(Merge<File>),
    Kept(Reader<BufReader<File>>),
}

impl Trace {
    pub(crate) fn open(path: &Path) -> Result<Trace> {
        let name = path.display().to_string();
        let mut file = File::open(path).context(&name)?;
        let mut magic = Vec::new();
        (&mut file).take(raw::MAGIC.len() as u64).read_to_end(&mut magic).context(&name)?;
        let kind = if magic.get(..7) == raw::MAGIC.get(..7) {
            Raw::open(file).map(|raw| Kind::Raw(Merge::new(raw)))
        } else {
            file.rewind().context(&name)?;
            Reader::new(BufReader::new(file)).map(Kind::Kept)
        };
        let kind = kind.map_err(|error| of_file(&name, error))?;
        Ok(Trace { kind, name })
    }

    pub(crate) fn about(&self) -> &About {
        match &self.kind {
            Kind::Raw(merge) => &merge.raw.about,
            Kind::Kept(reader) => &reader.about,
        }
    }

    /// Complete when there are no more events.
    pub(crate) fn totals(&self) -> &Totals {
        match &self.kind {
            Kind::Raw(merge) => &merge.totals,
            Kind::Kept(reader) => &reader.totals,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        let next = match &mut self.kind {
            Kind::Raw(merge) => merge.next(),
            Kind::Kept(reader) => reader.next(),
        };
        next.map_err(|error| of_file(&self.name, error))
    }
}

fn of_file(name: &str, error: Error) -> Error {
    Error::with(error.status, format!("{name}: {}", error.message))
}

/// Writes the trace at `from`, of either kind, as one of the kind that is kept, and tells what is in it. Where it fails nothing is left
/// at `to`.
pub(crate) fn convert(from: &Path, to: &Path) -> Result<Totals> {
    let mut trace = Trace::open(from)?;
    let about = trace.about().clone();
    write(to, &about, |writer| {
        while let Some(event) = trace.next()? {
            writer.event(event)?;
        }
        Ok(trace.totals().clone())
    })
}

/// Writes a trace through a file beside `to`, which becomes it when all is well. `events` gives the totals that are not counted.
pub(crate) fn write(
    to: &Path,
    about: &About,
    events: impl FnOnce(&mut Writer<BufWriter<&File>>) -> Result<Totals>,
) -> Result<Totals> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".hakmem-").tempfile_in(folder).context(to.display())?;
    let mut writer = Writer::new(BufWriter::new(file.as_file()), about)?;
    let known = events(&mut writer)?;
    let (_, totals) = writer.finish(known)?;
    let file = file.into_temp_path();
    // What a file gets that is made in the ordinary way.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, mode).context(to.display())?;
    file.persist(to).map_err(|error| error.error).context(to.display())?;
    Ok(totals)
}
