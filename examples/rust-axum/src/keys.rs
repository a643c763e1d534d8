//! Checking access tokens with the keys their issuer publishes.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde::de::DeserializeOwned;
use tokio::{sync::RwLock, task::spawn_blocking, time::Instant};

pub enum Failure {
    Token(String),
    /// They could not be fetched: nobody's token is at fault.
    NoKeys,
}

#[derive(Clone)]
pub struct Keys {
    url: String,
    validation: Arc<Validation>,
    fetched: Arc<RwLock<Option<(Instant, JwkSet)>>>,
}

impl Keys {
    // region verify
    // Before: decode::<Claims>(token, &DecodingKey::from_secret(secret.as_ref()), &Validation::default())
    pub fn new(issuer: String, audience: String) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let url = format!("{issuer}/.well-known/jwks.json");
        Self { url, validation: Arc::new(validation), fetched: Arc::default() }
    }

    pub async fn verify<C: DeserializeOwned + Clone>(&self, token: &str) -> Result<C, Failure> {
        let refused = |error: jsonwebtoken::errors::Error| Failure::Token(error.to_string());
        let header = decode_header(token).map_err(refused)?;
        // An ID token is signed with the same keys, and no key to any API (RFC 9068 §4).
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(Failure::Token("not an access token".into()));
        }
        let kid = header.kid.ok_or(Failure::Token("no kid".into()))?;
        let key = self.find(&kid).await?.ok_or(Failure::Token("unknown key".into()))?;
        Ok(decode::<C>(token, &key, &self.validation).map_err(refused)?.claims)
    }
    // endregion

    // region keys
    /// Keys rotate: one that is not known is looked for once more, but not more often than every few seconds.
    async fn find(&self, kid: &str) -> Result<Option<DecodingKey>, Failure> {
        let known = |set: &JwkSet| set.find(kid).and_then(|jwk| DecodingKey::from_jwk(jwk).ok());
        let before = self.fetched.read().await.clone();
        if let Some((at, set)) = before {
            match known(&set) {
                Some(key) => return Ok(Some(key)),
                None if at.elapsed().as_secs() < 5 => return Ok(None),
                None => {}
            }
        }
        let set = self.fetch().await.ok_or(Failure::NoKeys)?;
        let key = known(&set);
        *self.fetched.write().await = Some((Instant::now(), set));
        Ok(key)
    }

    async fn fetch(&self) -> Option<JwkSet> {
        let url = self.url.clone();
        spawn_blocking(move || ureq::get(&url).call().ok()?.body_mut().read_json().ok()).await.ok()?
    }
    // endregion
}
