//! The HTTP gateway: market data as JSON, a WebSocket, an order ticket, the past, and the console page.
//!
//! It has a thread of its own and knows nothing of stages: what it shows is handed to it as text by whoever follows the
//! market ([`Services::pictures`]), and what it is asked to do it hands on to a [`Desk`], an [`Archive`] or an [`Office`]. A slow or
//! hostile browser costs this thread and nobody else. It holds no order, no book and no position.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | the console |
//! | `GET /health`, `GET /healthz` | `200` while pictures come and all followers follow, `503` with which lags, and by how much |
//! | `GET /try` | the OpenAPI document as a page to try it |
//! | `GET /metrics` | counters in the Prometheus text format; with the key those of each firm too |
//! | `GET /api/v1/picture` | the market now |
//! | `GET /api/v1/stream` | WebSocket: `{"picture":..}` as it changes; to who says `{"key":..}` `{"orders":..}` as they change; who says `{"drawn":..}` of each picture gets the next only then |
//! | `GET /api/v1/at/{seq}` | the market behind command `seq` |
//! | `GET /api/v1/at/{seq}/chart/{symbol}` | one instrument's book and trades at some of the commands before |
//! | `GET /api/v1/orders` | the desk's orders |
//! | `POST /api/v1/orders` | enters an order: `{"symbol","side","quantity","price","tif"}` |
//! | `DELETE /api/v1/orders/{order}` | cancels one |
//! | `POST /api/v1/ask` | a question or an operator's act, as the administration socket takes it |
//! | `GET /api/v1/portfolio` | what the key's firm holds of each instrument: `after`, `limit` |
//! | `GET /api/v1/member/positions`, `/orders`, `/fills` | what the key's firm holds, ordered and traded: `account`, `after`, `limit` |
//! | `GET /api/v1/openapi.json` | these paths as an OpenAPI 3.1 document |
//!
//! | `GET /api/v1/member/limits`, `PUT` | the firm's limits; a risk key changes them: `{"limits":{..},"why":..}` |
//! | `POST /api/v1/member/kill` | a risk key of the whole firm switches it off: its orders go, and only cancels are taken; the venue alone switches it on again: `{"why":..}` |
//! | `GET /api/v1/member/executions` | what the key's firm was told of its orders: `after`, `limit` |
//! | `GET /api/v1/member/stream` | WebSocket: the same as it comes, `{"executions":{"rows":[..],"missed":..,"last":..}}`, from behind the number `after` |
//! | `POST /api/v1/member/orders` | enters an order as the key's firm: as the desk's, with an `Idempotency-Key` |
//! | `PUT /api/v1/member/orders/{user_ref}` | replaces one: `{"quantity","price"}`, with an `Idempotency-Key` |
//! | `DELETE /api/v1/member/orders/{user_ref}` | cancels one |
//! | `POST /ofrep/v1/evaluate/flags/{key}`, `POST /ofrep/v1/evaluate/flags`, `GET /ofrep/v1/configuration` | flags of the edge, for OpenFeature SDKs |
//!
//! What is a member's own needs a key of its own: `Authorization: Bearer NAME:SECRET`, or `X-Rialto-Name`, `X-Rialto-Time`
//! (ms since 1970) and `X-Rialto-Signature`, the HMAC-SHA256 of method, path with query and time, each followed by a line
//! feed; where the method is not `GET`, then of the idempotency key, a line feed, and the body.
//!
//! Executions are numbered from 1 without a gap, by the firm, or by the account for a key of one account alone. The number is of the
//! stream, so who lost a connection goes on behind its last number on any gateway of the exchange, also after a restart. What is
//! forgotten by then is stated as `missed`: from where to where.
//!
//! | | read-only | trader | risk | operator | the venue's key |
//! |---|---|---|---|---|---|
//! | read what is the firm's | yes | yes | yes | 403 | 401 |
//! | enter, replace, cancel orders | 403 | yes | 403 | 403 | 401 |
//! | change the firm's limits, switch it off | 403 | 403 | yes | 403 | 401 |
//! | ask, act, faults | 403 | 403 | 403 | yes, in its name | yes |
//! | the desk's orders | 401 | 401 | 401 | 401 | yes |
//!
//! An `Idempotency-Key` is 1 to 64 visible ASCII characters, chosen by the client, and holds for the key's name and the trading day. The
//! same wish under it is carried out once, and answered as it was first (`Idempotent-Replayed: true`), also after a restart;
//! another wish under it is answered by 422.
//!
//! What changes something, or tells of members, needs the key in `X-Rialto-Key` (or `X-API-Key`, or as a bearer's token). Every error is a `application/problem+json` (RFC 9457) whose
//! `detail` names the cause and whose `mend` says what to do. Only requests addressed to a loopback name are answered, and
//! only pages of this server may open the WebSocket: a page elsewhere that resolves its name to this machine gets nothing.
#![forbid(unsafe_code)]

mod guard;
pub mod limits;
mod members;
mod ofrep;
mod problem;
mod routes;
mod server;
mod services;
mod stream;

pub use ofrep::{Evaluated, Flags, NoAnswer};
pub use server::{Server, StartError};
pub use services::{
    Answered, Archive, Change, Deed, Desk, Executions, Follower, Health, Key, Kill, Limits, Members, Office, Presented,
    Question, Refusal, Services, Ticket,
};
