//! One WebSocket: the newest picture as often as the browser takes it, and to who shows the venue's key the desk's orders as
//! they change.
//!
//! Nothing is queued for a slow browser: a picture that it had no time for is replaced by the next. One that says of each
//! picture that it has drawn it is never sent more than [`UNDRAWN_MAX`] that it has not: what lies in the buffers of both
//! sockets would otherwise be shown first, seconds late.

use crate::limits::{KEY_LOOK, SEND_PATIENCE, UNDRAWN_MAX};
use crate::services::{Executions, Key, Services};
use axum::extract::ws::{Message, WebSocket};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::timeout;

pub(crate) async fn serve(mut socket: WebSocket, key: &Key, services: Services) {
    let Services {
        mut pictures,
        mut orders,
        ..
    } = services;
    pictures.mark_changed();
    orders.mark_changed();
    let mut shown = false;
    let mut undrawn = 0_usize;
    let mut says_what_it_drew = false;
    loop {
        let text = tokio::select! {
            changed = pictures.changed(), if !says_what_it_drew || undrawn < UNDRAWN_MAX => changed.map(|()| {
                undrawn += 1;
                wrap("picture", &mut pictures)
            }),
            changed = orders.changed(), if shown => changed.map(|()| wrap("orders", &mut orders)),
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    match Said::of(&text, key) {
                        Said::Key => shown = true,
                        Said::Drawn => {
                            says_what_it_drew = true;
                            undrawn = undrawn.saturating_sub(1);
                        }
                        Said::Nothing => {}
                    }
                    continue;
                }
                // Nothing else that a browser says means anything here; pings are answered by the library.
                Some(Ok(message)) if !matches!(message, Message::Close(_)) => continue,
                _ => return,
            },
        };
        let Ok(text) = text else { return };
        match timeout(SEND_PATIENCE, socket.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// What a browser says.
enum Said {
    /// The venue's key: `{"key":..}`.
    Key,
    /// It has drawn a picture: `{"drawn":..}`, whatever stands there.
    Drawn,
    Nothing,
}

impl Said {
    fn of(text: &str, key: &Key) -> Self {
        let said: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let shown = said.get("key").and_then(serde_json::Value::as_str);
        if shown.is_some_and(|shown| key.is(shown.as_bytes())) {
            Self::Key
        } else if said.get("drawn").is_some() {
            Self::Drawn
        } else {
            Self::Nothing
        }
    }
}

/// What a firm is told of its orders, as it comes. A client that is slow is told later, from where it is: nothing is queued for it.
pub(crate) async fn tell(mut socket: WebSocket, mut told: Box<dyn Executions>) {
    let mut news = told.news();
    // The first word always comes, so that a client knows where it stands.
    let mut first = true;
    loop {
        news.mark_unchanged();
        let (text, more) = match told.next() {
            Ok((rows, more)) => (format!("{{\"executions\":{rows}}}"), more),
            Err(refusal) => {
                let words = serde_json::json!({ "problem": { "detail": refusal.detail, "mend": refusal.mend } });
                let _ = timeout(SEND_PATIENCE, socket.send(Message::Text(words.to_string().into()))).await;
                return;
            }
        };
        if more || first {
            first = false;
            match timeout(SEND_PATIENCE, socket.send(Message::Text(text.into()))).await {
                Ok(Ok(())) => continue,
                _ => return,
            }
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(KEY_LOOK) => {}
            heard = socket.recv() => match heard {
                Some(Ok(message)) if !matches!(message, Message::Close(_)) => {}
                _ => return,
            },
        }
    }
}

fn wrap(name: &str, newest: &mut watch::Receiver<Arc<str>>) -> String {
    format!("{{\"{name}\":{}}}", &*newest.borrow_and_update())
}
