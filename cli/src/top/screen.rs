//! The screen of `hakmem top`, drawn: figures and spark lines, the bar of what is resident, and the tables.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Row as TableRow, Table};

use super::parts::{PARTS, Part, widths};
use super::rows::{Kind, Row};
use super::view::View;
use crate::units;

/// From this width on both tables are seen.
const WIDE: u16 = 150;

/// Lines above the tables.
const HEAD: u16 = 7;

const KEYS: [(&str, &str); 15] = [
    ("Tab, c, t", "the tables: by class, by thread"),
    ("← →, s", "the column that the table is sorted by"),
    ("r", "the other way round"),
    ("/", "only rows with this in their size or name; Esc: all"),
    ("↑ ↓ PgUp PgDn", "scroll"),
    ("p, space", "pause"),
    ("+ -", "look less, or more, often"),
    ("q", "quit"),
    ("", ""),
    ("rounding", "what blocks are larger than what was asked for; ~: about"),
    ("at hand", "free blocks that threads keep for their next calls, or send home"),
    ("free", "other free blocks, beside such as are in use"),
    ("pinned", "those of them on pages that a block in use keeps"),
    ("dirty", "free memory of no size, kept for what comes"),
    ("refills", "what came to be at hand: allocated at least so much"),
];

fn colour(part: Part) -> Color {
    match part {
        Part::Live => Color::Green,
        Part::Rounding => Color::LightGreen,
        Part::Magazines => Color::Cyan,
        Part::Free => Color::Yellow,
        Part::Dirty => Color::Red,
        Part::Metadata => Color::Magenta,
        Part::Other => Color::DarkGray,
    }
}

pub(crate) fn is_wide(width: u16) -> bool {
    width >= WIDE
}

/// Rows of a table that are seen at once.
pub(crate) fn page(height: u16) -> usize {
    usize::from(height.saturating_sub(HEAD + 3))
}

pub(crate) fn draw(frame: &mut Frame, view: &View, colours: bool) {
    let area = frame.area();
    let [head, tables, foot] =
        Layout::vertical([Constraint::Length(HEAD), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    draw_head(frame, head, view, colours);
    if is_wide(area.width) {
        let [left, right] = Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(tables);
        draw_table(frame, left, view, Kind::Classes, colours);
        draw_table(frame, right, view, Kind::Threads, colours);
    } else {
        draw_table(frame, tables, view, view.kind, colours);
    }
    draw_foot(frame, foot, view);
    if view.help {
        draw_help(frame, area);
    }
}

fn draw_head(frame: &mut Frame, area: Rect, view: &View, colours: bool) {
    let report = &view.report;
    let width = usize::from(area.width);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut title = vec![Span::styled(format!(" {}", report.program), bold)];
    let kind = if report.source == "core" { "core file of process" } else { "process" };
    let threads = if report.totals.threads > 0 {
        format!(" · {}", units::number(report.totals.threads, "thread"))
    } else {
        String::new()
    };
    title.push(Span::raw(format!(
        " · {kind} {}{threads} · {}",
        report.pid,
        units::number(report.totals.heaps, "heap")
    )));
    if report.source == "statistics" {
        title.push(Span::raw(" · by its statistics only"));
    }
    let mut lines = vec![Line::from(title)];
    // Three figures, each with its spark line.
    let each = width / 3;
    let mut sparks = Vec::new();
    for (name, value, history) in [
        ("RSS", units::bytes(report.resident.rss_bytes as f64), &view.rss),
        ("live", units::bytes(report.totals.live_bytes as f64), &view.live),
        ("refills", format!("{}/s", units::bytes(report.totals.refilled_bytes_per_second)), &view.rate),
    ] {
        let label = format!(" {name} ");
        let room = each.saturating_sub(label.chars().count() + 12);
        sparks.push(Span::raw(label));
        sparks.push(Span::styled(format!("{value:<11}"), bold));
        sparks.push(Span::styled(spark(history, room), dim_or(colours, Color::Cyan)));
    }
    lines.push(Line::from(sparks));
    lines.push(Line::default());
    lines.push(bar(view, width, colours));
    lines.extend(legend(view, width, colours));
    frame.render_widget(Paragraph::new(lines), area);
}

fn dim_or(colours: bool, colour: Color) -> Style {
    if colours { Style::new().fg(colour) } else { Style::new() }
}

/// The last values as bars of eight heights, from the lowest to the highest among them, `width` cells wide.
pub(crate) fn spark(history: &[u64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = history.get(history.len().saturating_sub(width)..).unwrap_or_default();
    let (low, high) = (shown.iter().min().copied().unwrap_or(0), shown.iter().max().copied().unwrap_or(0));
    let height =
        |value: u64| if high == low { 0 } else { ((value - low) as f64 / (high - low) as f64 * 7.0).round() as usize };
    let line: String = shown.iter().filter_map(|&value| BARS.get(height(value))).collect();
    format!("{line:<width$}")
}

fn bar(view: &View, width: usize, colours: bool) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (part, cells) in PARTS.into_iter().zip(widths(&view.report.resident, width.saturating_sub(2))) {
        let glyph = if colours { "█" } else { part.glyph() };
        spans.push(Span::styled(glyph.repeat(cells), dim_or(colours, colour(part))));
    }
    Line::from(spans)
}

/// What the bar's parts are: four in a line, or all where there is room.
fn legend(view: &View, width: usize, colours: bool) -> Vec<Line<'static>> {
    let resident = &view.report.resident;
    let rss = resident.rss_bytes.max(1) as f64;
    let per_line = if width >= 110 { 4 } else { 3 };
    let cell = width.saturating_sub(1) / per_line;
    let mut lines = Vec::new();
    for parts in PARTS.chunks(per_line) {
        let mut spans = vec![Span::raw(" ")];
        for &part in parts {
            let bytes = part.bytes(resident) as f64;
            let about = if part == Part::Rounding && !resident.rounding_is_known { "~" } else { "" };
            let figure = format!("{about}{}", units::bytes(bytes));
            let name = if part == Part::Other { part.name() } else { part.word() };
            let text = format!(" {name:<9} {figure:>8} {:>3.0}%", bytes / rss * 100.0);
            let glyph = if colours { "■" } else { part.glyph() };
            spans.push(Span::styled(glyph, dim_or(colours, colour(part))));
            spans.push(Span::raw(format!("{text:<width$}", width = cell.saturating_sub(1))));
        }
        lines.push(Line::from(spans));
    }
    let others = [
        ("stacks", resident.stacks_bytes),
        ("files", resident.files_bytes),
        ("brk", resident.brk_bytes),
        ("other", resident.other_bytes),
    ];
    if let Some(last) = lines.last_mut() {
        let mut gap = "  (";
        for (name, bytes) in others.into_iter().filter(|(_, bytes)| *bytes > 0) {
            let text = format!("{gap}{name} {}", units::bytes(bytes as f64));
            if last.width() + text.chars().count() < width {
                last.push_span(Span::raw(text));
                gap = ", ";
            }
        }
        if gap == ", " {
            last.push_span(Span::raw(")"));
        }
    }
    lines
}

fn draw_table(frame: &mut Frame, area: Rect, view: &View, kind: Kind, colours: bool) {
    let rows = view.rows(kind);
    let order = view.order(kind);
    let is_chosen = kind == view.kind;
    let height = usize::from(area.height.saturating_sub(2));
    let scroll = if is_chosen { view.scroll.min(rows.len().saturating_sub(height)) } else { 0 };
    let (columns, widths) = columns(kind, &rows, usize::from(area.width.saturating_sub(2)));
    let heading = |&column: &usize| {
        let mark = if column != order.column {
            ""
        } else if order.rising {
            "▲"
        } else {
            "▼"
        };
        let name = kind.headings().get(column).copied().unwrap_or_default();
        align(kind, column, format!("{mark}{name}"))
    };
    let head = TableRow::new(columns.iter().map(heading)).style(Style::new().add_modifier(Modifier::REVERSED));
    let cell = |row: &Row, column: usize| {
        let text = row.cells.get(column).map(|cell| cell.text.clone()).unwrap_or_default();
        let style = if column == order.column && colours { Style::new().fg(Color::Yellow) } else { Style::new() };
        align(kind, column, text).style(style)
    };
    let body =
        rows.iter().skip(scroll).take(height).map(|row| TableRow::new(columns.iter().map(|&column| cell(row, column))));
    let mut title = format!(" {} ({})", kind.title(), rows.len());
    if is_chosen && !view.filter.is_empty() {
        title += &format!(", with “{}”", view.filter);
    }
    if height > 0 && rows.len() > scroll + height {
        title += &format!(", {} to {}", scroll + 1, scroll + height);
    }
    title += " ";
    let style = if is_chosen { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    let block = Block::new().borders(Borders::TOP).title(Span::styled(title, style));
    let block = block.padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Table::new(body, widths).header(head).column_spacing(1).block(block), area);
}

/// The columns that fit and how wide they are; the rightmost drop out first.
fn columns(kind: Kind, rows: &[Row], width: usize) -> (Vec<usize>, Vec<Constraint>) {
    let cell = |row: &Row, column: usize| row.cells.get(column).map_or(0, |cell| cell.text.chars().count());
    let wide = |column: usize| {
        let heading = kind.headings().get(column).map_or(0, |name| name.chars().count() + 1);
        rows.iter().map(|row| cell(row, column)).max().unwrap_or(0).max(heading).min(25)
    };
    let mut columns = Vec::new();
    let mut left = width;
    for column in 0..kind.headings().len() {
        let needed = wide(column) + usize::from(column > 0);
        if needed > left {
            break;
        }
        left -= needed;
        columns.push(column);
    }
    // What is left over goes to all, lest the figures stand at the left.
    let more = (left / columns.len().max(1)).min(3);
    let width = |column: usize| wide(column) + if kind.is_name(column) { 0 } else { more };
    let widths = columns.iter().map(|&column| Constraint::Length(width(column) as u16)).collect();
    (columns, widths)
}

fn align(kind: Kind, column: usize, text: String) -> ratatui::text::Text<'static> {
    let text = ratatui::text::Text::from(text);
    if kind.is_name(column) { text.left_aligned() } else { text.right_aligned() }
}

fn draw_foot(frame: &mut Frame, area: Rect, view: &View) {
    let text = match &view.trouble {
        Some(trouble) => format!(" {trouble} · q quits"),
        None if view.typing => format!(" filter: {}_", view.filter),
        None => {
            let pause = if view.paused { "PAUSED · " } else { "" };
            let rest = "Tab table · ← → sort · / filter · p pause · ? help · q quit";
            format!(" {pause}every {} s · {rest}", (view.delay * 100.0).round() / 100.0)
        }
    };
    frame.render_widget(Paragraph::new(text).style(Style::new().add_modifier(Modifier::DIM)), area);
}

fn draw_help(frame: &mut Frame, area: Rect) {
    let width = 76.min(area.width.saturating_sub(2));
    let height = (KEYS.len() as u16 + 2).min(area.height);
    let place = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    let lines: Vec<Line> = KEYS.iter().map(|(key, what)| Line::from(format!(" {key:<13}  {what}"))).collect();
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys, and words ")), place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spark_lines_show_the_last_values() {
        assert_eq!(spark(&[0, 7, 3], 5), "▁█▄  ");
        assert_eq!(spark(&[100, 5, 5], 2), "▁▁");
        assert_eq!(spark(&[], 2), "  ");
    }
}
