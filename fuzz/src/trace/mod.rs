//! The command's readers of traces, as they are: whatever a file holds, they say what is wrong with it, or what comes of it is in order.
#![allow(dead_code)]

#[path = "../../../cli/src/trace/columns.rs"]
mod columns;
#[path = "../../../cli/src/trace/event.rs"]
pub(crate) mod event;
#[path = "../../../cli/src/trace/hkt.rs"]
mod hkt;
#[path = "../../../cli/src/trace/merge.rs"]
mod merge;
#[path = "../../../cli/src/trace/raw.rs"]
mod raw;
#[path = "../../../cli/src/trace/varint.rs"]
mod varint;

use event::{About, Event, Totals};
use hkt::{Order, Reader, Writer};
use merge::Merge;
use raw::Raw;

/// A file, of either form, or the contents of a chunk of events: those have a checksum, which no chance finds.
pub fn traces(input: &[u8]) {
    if let Ok(raw) = Raw::open(input) {
        let mut merge = Merge::new(raw);
        let mut events = Vec::new();
        while let Some(event) = merge.next().expect("bytes can be read") {
            events.push(event);
        }
        Order::default().check(&events).expect("merged events are in order");
        assert_eq!(read(&write(&events)).as_ref(), Ok(&events));
    }
    let _ = read(input);
    if let Some(events) = columns::decode(input) {
        if Order::default().check(&events).is_ok() {
            assert_eq!(columns::decode(&columns::encode(&events, 0)), Some(events));
        }
    }
}

fn write(events: &[Event]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &About::default()).expect("it is written");
    events.iter().for_each(|&event| writer.event(event).expect("it is written"));
    writer.finish(Totals::default()).expect("it is written").0
}

fn read(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let mut reader = Reader::new(bytes).map_err(|error| error.message)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next().map_err(|error| error.message)? {
        events.push(event);
    }
    Ok(events)
}
