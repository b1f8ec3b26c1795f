//! The thread, its runtime and its socket.

use crate::routes::{App, router};
use crate::services::{Key, Services};
use std::net::{SocketAddr, TcpListener};
use std::thread::{Builder, JoinHandle};
use tokio::sync::oneshot;

/// Why the gateway did not open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not to be had.
    #[error("the HTTP gateway cannot listen on {address}: {cause}; choose another port, or 0 for a free one")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The system gives no thread or no event queue.
    #[error("the HTTP gateway cannot start: {0}")]
    Thread(#[from] std::io::Error),
}

/// A gateway that answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens and answers on a thread of its own.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(address: SocketAddr, key: Key, services: Services) -> Result<Self, StartError> {
        let listen = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let bound = listener.local_addr()?;
            Ok((listener, bound))
        };
        let (listener, bound) = listen().map_err(|cause| StartError::Listen { address, cause })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(crate::limits::BLOCKING_MAX)
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let app = App::new(key, services);
        let body = move || {
            // The threads that questions occupy are made by this one, and are as nice.
            rialto_ring::layout::beside_the_path();
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                let serve = axum::serve(listener, router(app)).into_future();
                // Connections that are open end with the runtime: a browser comes back by itself.
                tokio::select! {
                    _ = serve => {}
                    _ = stopped => {}
                }
            });
            // A question that still waits for the exchange is not waited for.
            runtime.shutdown_background();
        };
        let thread = Builder::new().name("web".to_owned()).spawn(body)?;
        Ok(Self {
            address: bound,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
