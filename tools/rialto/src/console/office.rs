//! The administration socket's questions and acts, over HTTP for who has the key.

use crate::ask::{Request, World};
use rialto_web::Refusal;
use std::sync::Arc;

/// Hands requests on.
pub(super) struct Office(pub(super) Arc<World>);

impl rialto_web::Office for Office {
    fn ask(&self, request: &[u8]) -> Result<String, Refusal> {
        let request: Request = serde_json::from_slice(request).map_err(|error| Refusal {
            status: 400,
            detail: format!("this is no request: {error}"),
            mend: "send one such as {\"ask\":\"explain\",\"order\":17}".to_owned(),
        })?;
        let answer = self.0.answer(&request).map_err(|error| Refusal {
            status: 422,
            detail: format!("{error:#}"),
            mend: "ask for something that is there".to_owned(),
        })?;
        Ok(serde_json::to_string(&answer).unwrap_or_default())
    }
}
