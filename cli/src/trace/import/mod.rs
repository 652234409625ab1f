//! `hakmem trace import`: traces that others wrote.

mod android;
mod glibc;
mod numbering;

use std::fs::File;
use std::io::{BufReader, Read};

use numbering::Numbering;

use super::args::{Form, TraceImportArgs};
use super::event::About;
use super::file;
use super::transform;
use crate::error::{Context, Error, Result};

pub(super) fn import(args: &TraceImportArgs) -> Result<u8> {
    let name = args.input.display().to_string();
    let mut input = BufReader::new(File::open(&args.input).context(&name)?);
    let of_file = |error: Error| Error::with(error.status, format!("{name}: {}", error.message));
    let totals = match args.form {
        Form::Android => {
            let about =
                About { source: "android".to_owned(), timed: android::is_timed(&args.input)?, ..About::default() };
            file::write(&args.output, &about, |writer| android::read(input, Numbering::new(writer)).map_err(of_file))?
        }
        Form::Glibc => {
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes).context(&name)?;
            let about = About { source: "glibc".to_owned(), ..About::default() };
            file::write(&args.output, &about, |writer| glibc::read(&bytes, Numbering::new(writer)).map_err(of_file))?
        }
    };
    transform::report(&args.output, &totals);
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::{Op, Totals};
    use crate::trace::hkt::{Reader, Writer};

    fn events(read: impl FnOnce(Numbering<'_, Vec<u8>>) -> Result<Totals>) -> Result<(Vec<(u64, u32, Op)>, Totals)> {
        let mut writer = Writer::new(Vec::new(), &About::default()).unwrap();
        let totals = read(Numbering::new(&mut writer))?;
        let bytes = writer.finish(totals).unwrap().0;
        let mut reader = Reader::new(&bytes[..]).unwrap();
        let mut events = Vec::new();
        while let Some(event) = reader.next()? {
            events.push((event.at, event.thread, event.op));
        }
        Ok((events, reader.totals))
    }

    fn malloc(object: u64, size: u64) -> Op {
        Op::Allocate { object, size, align: 0, zeroed: false }
    }

    #[test]
    fn androids_text_is_read() {
        let text = "187: malloc 0x1000 20\n188: calloc 0x2000 3 7 50 60\n187: realloc 0x3000 0x1000 40\n187: realloc 0x9000 0x0 1\n\
                    188: free 0x3000 70 80\n188: memalign 0x4000 64 100\n187: malloc 0x0 5\n187: realloc 0x0 0x9000 0\n188: thread_done 0x0\n";
        let (events, totals) = events(|to| android::read(text.as_bytes(), to)).unwrap();
        let expected = [
            (0, 0, malloc(0, 20)),
            (60, 1, Op::Allocate { object: 1, size: 21, align: 0, zeroed: true }),
            (60, 0, Op::Reallocate { object: 0, new: 2, size: 40 }),
            (60, 0, malloc(3, 1)),
            (70, 1, Op::Free { object: 2 }),
            (70, 1, Op::Allocate { object: 4, size: 100, align: 6, zeroed: false }),
            (70, 0, Op::Failed { size: 5 }),
            (70, 0, Op::Free { object: 3 }),
            (70, 1, Op::ThreadEnd),
        ];
        assert_eq!(events, expected);
        assert_eq!((totals.events, totals.lost_frees, totals.unknown_frees), (9, 0, 0));
    }

    #[test]
    fn what_is_no_line_of_androids_is_an_error_with_its_number() {
        for wrong in [
            "x",
            "1: malloc",
            "1: malloc 0x10",
            "1: malloc 10 x",
            "1: sing 0x10",
            "1 malloc 0x10 1",
            "1: memalign 0x10 3 8",
        ] {
            let text = format!("1: malloc 0x20 1\n{wrong}\n");
            let error = events(|to| android::read(text.as_bytes(), to)).unwrap_err();
            assert!(error.message.starts_with("line 2: "), "{wrong}: {}", error.message);
        }
    }

    /// As trace_run reads it: a start, then each thread's part.
    fn workload() -> Vec<u8> {
        let one = [2, 1, 0x81, 0x00, 6, 1, 3, 2, 5, 1]; // malloc 1 of 128, signal 1, calloc 2 of 5
        let two = [7, 1, 5, 1, 4, 2, 0, 9, 12, 1, 16, 33, 1]; // wait 1, free 1, realloc 2 from nothing, memalign 1
        let mut all = vec![8, 3, 9, 2, 10, 2, 11, 14, 11, 24, 1, 0, 0, 0];
        all.extend(one);
        all.extend(two);
        all
    }

    #[test]
    fn glibcs_workload_is_read_with_its_signals() {
        let bytes = workload();
        let (events, _) = events(|to| glibc::read(&bytes, to)).unwrap();
        let ops: Vec<_> = events.iter().map(|(_, thread, op)| (*thread, *op)).collect();
        assert_eq!(
            ops.iter().filter(|(thread, _)| *thread == 0).map(|(_, op)| *op).collect::<Vec<_>>()[..1],
            [malloc(0, 128)]
        );
        let birth = ops.iter().position(|(_, op)| *op == malloc(0, 128)).unwrap();
        let end = ops.iter().position(|(_, op)| *op == Op::Free { object: 0 }).unwrap();
        assert!(birth < end && ops.contains(&(1, Op::Free { object: 0 })), "{ops:?}");
        for length in 0..bytes.len() {
            let _ = self::events(|to| glibc::read(&bytes[..length], to));
        }
        for at in 0..bytes.len() {
            for byte in [0, 1, 0x0b, 0x7f, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = byte;
                let _ = self::events(|to| glibc::read(&damaged, to));
            }
        }
    }
}
