//! The totals in Prometheus's text exposition format, version 0.0.4.
#![forbid(unsafe_code)]

use super::table::{BY_CLASS, Kind, TABLE};
use super::totals::Totals;
use crate::os;
use crate::stats::text::Text;

pub(crate) fn write_prometheus(text: &mut Text) {
    let totals = Totals::take();
    head(text, "", "info", Kind::Gauge, "which allocator serves which process");
    text.str("hakmem_info{version=\"")
        .str(env!("CARGO_PKG_VERSION"))
        .str("\",pid=\"")
        .num(os::process_id())
        .str("\"} 1\n");
    for row in &TABLE {
        head(text, "", row.name(), row.kind, row.help());
        name(text, "", row.name(), row.kind).str(" ").num(row.value(&totals)).str("\n");
    }
    for column in &BY_CLASS {
        head(text, "class_", column.name(), column.kind, column.help());
        for (class, total) in totals.in_use() {
            name(text, "class_", column.name(), column.kind).str("{class=\"").num(class.index() as u64);
            text.str("\",block_size=\"").num(class.block_size() as u64).str("\"} ");
            text.num(column.of_class(total)).str("\n");
        }
    }
}

fn head(text: &mut Text, prefix: &str, plain: &str, kind: Kind, help: &str) {
    name(text.str("# HELP "), prefix, plain, kind).str(" ").str(help).str("\n");
    let of_type = if kind == Kind::Counter { " counter\n" } else { " gauge\n" };
    name(text.str("# TYPE "), prefix, plain, kind).str(of_type);
}

fn name<'a, 't>(text: &'a mut Text<'t>, prefix: &str, plain: &str, kind: Kind) -> &'a mut Text<'t> {
    text.str("hakmem_").str(prefix).str(plain).str(if kind == Kind::Counter { "_total" } else { "" })
}
