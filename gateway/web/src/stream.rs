//! One WebSocket: the newest picture as often as the browser takes it, and to who shows the venue's key the desk's orders as
//! they change.
//!
//! Nothing is queued for a slow browser: a picture that it had no time for is replaced by the next.

use crate::limits::{KEY_LOOK, SEND_PATIENCE};
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
    loop {
        let text = tokio::select! {
            changed = pictures.changed() => changed.map(|()| wrap("picture", &mut pictures)),
            changed = orders.changed(), if shown => changed.map(|()| wrap("orders", &mut orders)),
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    shown |= shows(&text, key);
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

/// Whether a message is the venue's key: `{"key":..}`.
fn shows(text: &str, key: &Key) -> bool {
    let said: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let shown = said.as_ref().and_then(|said| said.get("key")?.as_str());
    shown.is_some_and(|shown| key.is(shown.as_bytes()))
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
