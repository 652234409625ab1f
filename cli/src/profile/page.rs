//! The page: one file that opens without a network. The data as JSON, and the program that shows it (`page/`).

use serde::Serialize;
use serde_json::{Value, json};

use super::book::{Book, Numbered, Snapshot};
use super::sites::{passes_on, site};
use super::timeline::Timeline;
use crate::chart::escape;
use crate::error::{Context, Result};
use crate::output::shorten;

const STYLE: &str = include_str!("page/page.css");
const BODY: &str = include_str!("page/page.html");
const SCRIPTS: [&str; 5] = [
    include_str!("page/model.js"),
    include_str!("page/views.js"),
    include_str!("page/flame.js"),
    include_str!("page/timeline.js"),
    include_str!("page/main.js"),
];

/// What the page says besides the figures.
pub(crate) struct Page<'a> {
    pub(crate) book: &'a Book,
    /// The command line, or the files.
    pub(crate) title: &'a str,
    pub(crate) about: String,
    /// `at exit`, `when asked`.
    pub(crate) when: &'static str,
    pub(crate) notes: Vec<String>,
    pub(crate) timeline: Option<&'a Timeline>,
    /// What is shown first, and what it is compared with.
    pub(crate) chosen: usize,
    pub(crate) kind: &'static str,
    pub(crate) base: Option<usize>,
    /// The path of the program's own file.
    pub(crate) program: Option<String>,
}

impl Page<'_> {
    pub(crate) fn html(&self) -> Result<String> {
        let title = escape(&shorten(self.title, 60));
        let heading = format!("Heap profile of <code>{}</code>", escape(&shorten(self.title, 400)));
        let body = BODY.replace("@heading@", &heading);
        // `<` would end the script where a function's name says so.
        let data = serde_json::to_string(&self.data()).context("JSON")?.replace('<', "\\u003c");
        // Each by itself: names of one are names of all.
        let scripts: String = SCRIPTS.iter().map(|script| format!("<script>\n{script}</script>\n")).collect();
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Heap profile: {title}</title>\n\
             <style>\n{STYLE}</style></head>\n<body>\n{body}\
             <script type=\"application/json\" id=\"data\">{data}</script>\n{scripts}</body></html>\n"
        ))
    }

    fn data(&self) -> Value {
        let book = self.book;
        let (mut objects, mut files) = (Numbered::new(), Numbered::new());
        let functions = &book.functions.all;
        let object: Vec<u32> = functions.iter().map(|function| objects.number(function.object.clone())).collect();
        let file: Vec<u32> = functions.iter().map(|function| files.number(function.file.clone())).collect();
        let program = self.program.as_ref().map(|path| objects.number(path.clone()));
        json!({
            "about": self.about,
            "when": self.when,
            "notes": self.notes,
            "chosen": self.chosen,
            "kind": self.kind,
            "base": self.base.map_or(-1, |base| base as i64),
            "program": program,
            "objects": objects.all,
            "files": files.all,
            "threads": book.threads.all,
            "functions": {
                "name": column(functions, |function| &function.name),
                "object": object,
                "file": file,
                "passing": column(functions, |function| u8::from(passes_on(function))),
            },
            "frames": {
                "function": column(&book.frames.all, |frame| frame.function),
                "line": column(&book.frames.all, |frame| frame.line),
                "inlined": column(&book.frames.all, |frame| u8::from(frame.inlined)),
            },
            "nodes": {
                "parent": column(&book.nodes.all, |node| node.parent),
                "frame": column(&book.nodes.all, |node| node.frame),
            },
            "stacks": {
                "node": column(&book.stacks.all, |stack| stack.node),
                "thread": column(&book.stacks.all, |stack| stack.thread),
                "site": column(&book.stacks.all, |&stack| site(book, stack).map(|(number, _)| number)),
            },
            "snapshots": column(&book.snapshots, snapshot),
            "timeline": self.timeline,
        })
    }
}

/// Tables are written column by column: names of fields once, not in each row.
fn column<'a, T, V: Serialize>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

fn snapshot(snapshot: &Snapshot) -> Value {
    let mut stacks: Vec<_> = snapshot.values.iter().collect();
    stacks.sort();
    let rows: Vec<u64> =
        stacks.into_iter().flat_map(|(&stack, values)| [u64::from(stack)].into_iter().chain(*values)).collect();
    json!({
        "title": snapshot.title,
        "process": snapshot.process,
        "time": snapshot.time,
        "period": snapshot.period,
        "peak": snapshot.has_peak,
        "rows": rows,
    })
}
