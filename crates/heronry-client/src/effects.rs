//! Effects.

use heronry_types::Cursor;
use heronry_wire::{Changed, EffectList, EffectsQuery, ResolveEffect};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Lists a page of the effects that have no result; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn effects(&self, query: &EffectsQuery) -> Result<EffectList, ClientError> {
        let request = self.request(Method::GET, &["effects"])?.query(query)?;
        self.server.json(request).await
    }

    /// Reports the result of an effect. Only operators do so; the same again changes nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `effect-finished` when it has another result, and with
    /// `effect-not-found` when there is no such effect.
    pub async fn resolve_effect(
        &self,
        effect: Cursor,
        result: &ResolveEffect,
    ) -> Result<Changed, ClientError> {
        let under = ["effects", &effect.to_string(), "resolve"];
        let request = self.request(Method::POST, &under)?.json(result)?;
        self.server.json(request.repeatable()).await
    }
}
