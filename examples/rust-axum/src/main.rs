//! An axum API whose tokens Postern issues: cargo run

mod keys;

use axum::{
    Json, Router,
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use keys::{Failure, Keys};
use serde::Deserialize;
use serde_json::json;

#[derive(Clone, Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: String,
}

// region extract
/// Whoever writes `Claims` into a handler's arguments has them checked first.
impl FromRequestParts<Keys> for Claims {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, keys: &Keys) -> Result<Self, Response> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token);
        let Some(token) = token else {
            return Err(refuse(StatusCode::UNAUTHORIZED, "Bearer", "no token"));
        };
        keys.verify(token).await.map_err(|failure| match failure {
            Failure::Token(reason) => refuse(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"", &reason),
            Failure::NoKeys => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        })
    }
}

// endregion

fn refuse(status: StatusCode, challenge: &str, reason: &str) -> Response {
    (status, [(header::WWW_AUTHENTICATE, challenge)], Json(json!({ "error": reason }))).into_response()
}

async fn protected(claims: Claims) -> Json<serde_json::Value> {
    Json(json!({ "sub": claims.sub }))
}

// region scope
impl Claims {
    fn require(&self, scope: &str) -> Result<(), Response> {
        if self.scope.split(' ').any(|granted| granted == scope) {
            return Ok(());
        }
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Err(refuse(StatusCode::FORBIDDEN, &challenge, "insufficient_scope"))
    }
}

async fn read_files(claims: Claims) -> Result<Json<serde_json::Value>, Response> {
    claims.require("files.read")?;
    Ok(Json(json!({ "files": ["a.txt", "b.txt"] })))
}

async fn write_file(claims: Claims) -> Result<StatusCode, Response> {
    claims.require("files.write")?;
    Ok(StatusCode::CREATED)
}
// endregion

#[tokio::main]
async fn main() {
    let environment = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let keys = Keys::new(environment("ISSUER"), environment("AUDIENCE"));
    let app = Router::new()
        .route("/protected", get(protected))
        .route("/files", get(read_files).post(write_file))
        .with_state(keys);
    let port = std::env::var("PORT").unwrap_or("8000".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port is free");
    axum::serve(listener, app).await.expect("it serves");
}
