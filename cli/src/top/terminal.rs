//! The terminal: what is on it while `hakmem top` runs, and the keys.

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::report::Report;
use super::screen;
use super::view::{Key, View};
use crate::error::{Context, Result};

/// At most so much of one processor: where a look takes long there are fewer.
const SHARE: f64 = 0.015;

/// Shows what `look` gives until somebody quits.
pub(crate) fn run(first: Report, delay: f64, colours: bool, mut look: impl FnMut() -> Result<Report>) -> Result<u8> {
    let mut terminal = ratatui::try_init().context("the terminal")?;
    let mut view = View::new(first, delay);
    let result = show(&mut terminal, &mut view, colours, &mut look);
    ratatui::restore();
    result.context("the terminal").map(|()| 0)
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    view: &mut View,
    colours: bool,
    look: &mut impl FnMut() -> Result<Report>,
) -> io::Result<()> {
    let (mut last, mut used) = (Instant::now(), cpu_time());
    loop {
        terminal.draw(|frame| screen::draw(frame, view, colours))?;
        let due = last + pause(view.delay, used);
        let wait = if view.paused { Duration::from_secs(3600) } else { due.saturating_duration_since(Instant::now()) };
        if event::poll(wait)? {
            let page = screen::page(terminal.size()?.height);
            match event::read()? {
                Event::Key(pressed) if pressed.kind != KeyEventKind::Release => {
                    let ends = pressed.code == KeyCode::Char('c') && pressed.modifiers.contains(KeyModifiers::CONTROL);
                    if ends || key(pressed.code).is_some_and(|key| !view.press(key, page)) {
                        return Ok(());
                    }
                }
                _ => {}
            }
            continue;
        }
        (last, used) = (Instant::now(), cpu_time());
        match look() {
            Ok(report) => view.take(report),
            // It stays on the screen as it was last seen.
            Err(error) => (view.trouble, view.paused) = (Some(error.message), true),
        }
    }
}

fn key(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char(char) => Key::Char(char),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab | KeyCode::BackTab => Key::Tab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

/// How long from one look to the next, if `delay` is wanted; `used`: what was used of processors when this one began.
pub(super) fn pause(delay: f64, used: Duration) -> Duration {
    let spent = cpu_time().saturating_sub(used);
    Duration::from_secs_f64(delay.max(spent.as_secs_f64() / SHARE))
}

/// What this process has used of processors.
pub(super) fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
