//! `View`: what the screen shows and how, and what the keys do to it. Knows of no terminal.

use super::report::Report;
use super::rows::{Kind, Row, arrange};

/// Looks that a spark line remembers.
const HISTORY: usize = 240;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    Char(char),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Tab,
    Enter,
    Escape,
    Backspace,
}

pub(crate) struct Order {
    pub(crate) column: usize,
    pub(crate) rising: bool,
}

pub(crate) struct View {
    pub(crate) report: Report,
    pub(crate) kind: Kind,
    orders: [Order; 2],
    pub(crate) filter: String,
    /// Whether keys go into the filter.
    pub(crate) typing: bool,
    pub(crate) paused: bool,
    pub(crate) help: bool,
    pub(crate) scroll: usize,
    pub(crate) delay: f64,
    pub(crate) rss: Vec<u64>,
    pub(crate) live: Vec<u64>,
    pub(crate) rate: Vec<u64>,
    /// What the last look failed with: the process is gone, say.
    pub(crate) trouble: Option<String>,
}

impl View {
    pub(crate) fn new(report: Report, delay: f64) -> View {
        let order = |kind: Kind| Order { column: kind.first_order(), rising: false };
        let mut view = View {
            report: Report::default(),
            kind: Kind::Classes,
            orders: [order(Kind::Classes), order(Kind::Threads)],
            filter: String::new(),
            typing: false,
            paused: false,
            help: false,
            scroll: 0,
            delay,
            rss: Vec::new(),
            live: Vec::new(),
            rate: Vec::new(),
            trouble: None,
        };
        view.take(report);
        view
    }

    pub(crate) fn take(&mut self, report: Report) {
        for (history, figure) in [
            (&mut self.rss, report.resident.rss_bytes),
            (&mut self.live, report.totals.live_bytes),
            (&mut self.rate, report.totals.refilled_bytes_per_second as u64),
        ] {
            history.push(figure);
            if history.len() > HISTORY {
                history.remove(0);
            }
        }
        self.report = report;
        self.trouble = None;
    }

    pub(crate) fn order(&self, kind: Kind) -> &Order {
        let [classes, threads] = &self.orders;
        if kind == Kind::Classes { classes } else { threads }
    }

    fn order_mut(&mut self) -> &mut Order {
        let [classes, threads] = &mut self.orders;
        if self.kind == Kind::Classes { classes } else { threads }
    }

    pub(crate) fn rows(&self, kind: Kind) -> Vec<Row> {
        let order = self.order(kind);
        let filter = if kind == self.kind { self.filter.as_str() } else { "" };
        arrange(kind.rows(&self.report), kind, order.column, order.rising, filter)
    }

    /// What a key does; `page`: rows that are seen at once. `false`: it ends the program.
    pub(crate) fn press(&mut self, key: Key, page: usize) -> bool {
        if self.typing {
            match key {
                Key::Char(char) => self.filter.push(char),
                Key::Backspace => drop(self.filter.pop()),
                Key::Escape => (self.typing, self.filter) = (false, String::new()),
                Key::Enter => self.typing = false,
                _ => {}
            }
            self.scroll = 0;
            return true;
        }
        if self.help && key != Key::Char('q') {
            self.help = false;
            return true;
        }
        let columns = self.kind.headings().len();
        match key {
            Key::Char('q') => return false,
            Key::Char('?' | 'h') => self.help = true,
            Key::Char('p' | ' ') => self.paused = !self.paused,
            Key::Char('/') => self.typing = true,
            Key::Char('r') => self.order_mut().rising ^= true,
            Key::Char('c') => (self.kind, self.scroll) = (Kind::Classes, 0),
            Key::Char('t') => (self.kind, self.scroll) = (Kind::Threads, 0),
            Key::Tab => {
                self.kind = if self.kind == Kind::Classes { Kind::Threads } else { Kind::Classes };
                self.scroll = 0;
            }
            Key::Char('s' | '>') | Key::Right => self.order_mut().column = (self.order_mut().column + 1) % columns,
            Key::Char('<') | Key::Left => self.order_mut().column = (self.order_mut().column + columns - 1) % columns,
            Key::Char('+') => self.delay = (self.delay * 2.0).min(60.0),
            Key::Char('-') => self.delay = (self.delay / 2.0).max(0.25),
            Key::Escape => self.filter.clear(),
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Key::PageDown => self.scroll += page,
            Key::Home => self.scroll = 0,
            Key::End => self.scroll = usize::MAX / 2,
            _ => {}
        }
        let rows = self.rows(self.kind).len();
        self.scroll = self.scroll.min(rows.saturating_sub(page));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::report::Class;

    #[test]
    fn keys_sort_filter_scroll_and_quit() {
        let class = |block_size| Class { block_size, resident_bytes: block_size, ..Class::default() };
        let classes = (1..=30).map(|n| class(n * 16)).collect();
        let mut view = View::new(Report { classes, ..Report::default() }, 1.0);
        let first = |view: &View| view.rows(view.kind).first().map(|row| row.name.clone()).unwrap_or_default();
        assert_eq!(first(&view), "480");
        assert!(view.press(Key::Char('r'), 10));
        assert_eq!(first(&view), "16");
        for key in "/48".chars().map(Key::Char).chain([Key::Enter]) {
            assert!(view.press(key, 10));
        }
        assert_eq!(view.rows(view.kind).len(), 3);
        assert!(view.press(Key::Escape, 10) && view.press(Key::End, 10));
        assert_eq!(view.scroll, 20);
        assert!(view.press(Key::Tab, 10));
        assert_eq!((view.kind, view.scroll), (Kind::Threads, 0));
        assert!(view.press(Key::Left, 10));
        assert_eq!(view.order(Kind::Threads).column, 1);
        assert!(view.press(Key::Char('?'), 10) && view.help && view.press(Key::Char('x'), 10) && !view.help);
        assert!(!view.press(Key::Char('q'), 10));
    }
}
