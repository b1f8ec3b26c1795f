//! One WebSocket: the newest picture as often as the browser takes it, and the desk's orders as they change.
//!
//! Nothing is queued for a slow browser: a picture that it had no time for is replaced by the next.

use crate::limits::SEND_PATIENCE;
use crate::services::Services;
use axum::extract::ws::{Message, WebSocket};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::timeout;

pub(crate) async fn serve(mut socket: WebSocket, services: Services) {
    let Services {
        mut pictures,
        mut orders,
        ..
    } = services;
    pictures.mark_changed();
    orders.mark_changed();
    loop {
        let text = tokio::select! {
            changed = pictures.changed() => changed.map(|()| wrap("picture", &mut pictures)),
            changed = orders.changed() => changed.map(|()| wrap("orders", &mut orders)),
            heard = socket.recv() => match heard {
                // Nothing that a browser says means anything here; pings are answered by the library.
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

fn wrap(name: &str, newest: &mut watch::Receiver<Arc<str>>) -> String {
    format!("{{\"{name}\":{}}}", &*newest.borrow_and_update())
}
