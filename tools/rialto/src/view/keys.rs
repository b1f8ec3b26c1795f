//! The keys of the view.

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io;
use std::time::Duration;

/// Events taken in one draw: a key that is held down must not keep the market waiting.
const EVENTS_MAX: usize = 32;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    Up,
    Down,
    /// Between the whole screen and what was printed before it.
    Turn,
    /// The terminal has another size.
    Redraw,
}

/// What was pressed since the last time. Does not wait.
pub(crate) fn pressed() -> io::Result<Vec<Action>> {
    let mut actions = Vec::new();
    for _ in 0..EVENTS_MAX {
        if !event::poll(Duration::ZERO)? {
            break;
        }
        actions.extend(action(&event::read()?));
    }
    Ok(actions)
}

/// What an event of the terminal asks for, if anything.
fn action(event: &Event) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_action(*key),
        Event::Resize(..) => Some(Action::Redraw),
        _ => None,
    }
}

fn key_action(key: KeyEvent) -> Option<Action> {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Action::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Action::Quit),
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Down),
        KeyCode::Char('m') | KeyCode::Tab => Some(Action::Turn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_screen_says() {
        let plain = KeyModifiers::NONE;
        let table = [
            (KeyCode::Char('q'), plain, Some(Action::Quit)),
            (KeyCode::Esc, plain, Some(Action::Quit)),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Action::Quit)),
            (KeyCode::Char('c'), plain, None),
            (KeyCode::Up, plain, Some(Action::Up)),
            (KeyCode::Down, plain, Some(Action::Down)),
            (KeyCode::Char('m'), plain, Some(Action::Turn)),
            (KeyCode::Enter, plain, None),
        ];
        for (code, modifiers, expected) in table {
            let mut key = KeyEvent::new(code, modifiers);
            assert_eq!(action(&Event::Key(key)), expected, "{key:?}");
            key.kind = KeyEventKind::Release;
            assert_eq!(action(&Event::Key(key)), None, "{key:?}");
        }
        assert_eq!(action(&Event::Resize(80, 24)), Some(Action::Redraw));
    }
}
