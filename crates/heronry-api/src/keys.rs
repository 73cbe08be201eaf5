//! The idempotency key and the trace of a request, which may stand beside its body.

use heronry_types::{IdempotencyKey, Trace};

use crate::Refusal;

/// The name of the idempotency key in refusals, wherever the key stands in a request.
const KEY_FIELD: &str = "idempotency_key";

/// The parts of a request that a surface may carry beside its body: over HTTP, in headers.
#[derive(Clone, Debug, Default)]
pub struct Key {
    /// The idempotency key; absent: the body may name one.
    pub key: Option<IdempotencyKey>,
    /// The W3C trace that the request belongs to.
    pub trace: Option<Trace>,
}

impl Key {
    /// Returns a key without a trace.
    pub fn new(key: IdempotencyKey) -> Self {
        Self {
            key: Some(key),
            trace: None,
        }
    }

    /// Returns the one key that stands beside the body or in it.
    ///
    /// # Errors
    /// [`Refusal`] `invalid-request` for `idempotency_key`, when there is none, or two that differ.
    pub(crate) fn needed(&self, field: Option<IdempotencyKey>) -> Result<IdempotencyKey, Refusal> {
        self.named(field)?.ok_or_else(|| {
            Refusal::invalid(
                KEY_FIELD,
                "missing; give a key of your own, so that a repeat is harmless",
            )
        })
    }

    /// Returns the one key that stands beside the body or in it, if any does.
    ///
    /// # Errors
    /// [`Refusal`] `invalid-request` for `idempotency_key`, when there are two that differ.
    pub fn named(&self, field: Option<IdempotencyKey>) -> Result<Option<IdempotencyKey>, Refusal> {
        match (self.key.clone(), field) {
            (Some(beside), Some(field)) if beside != field => Err(Refusal::invalid(
                KEY_FIELD,
                "header and field name different keys; give one",
            )),
            (Some(key), _) | (None, Some(key)) => Ok(Some(key)),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_given_once() {
        let key = |text: &str| IdempotencyKey::parse(text).unwrap();
        let nowhere = Key::default();
        let beside = Key::new(key("k"));
        assert_eq!(nowhere.needed(Some(key("k"))).unwrap(), key("k"));
        assert_eq!(beside.needed(None).unwrap(), key("k"));
        assert_eq!(beside.needed(Some(key("k"))).unwrap(), key("k"));
        assert_eq!(nowhere.named(None).unwrap(), None);
        for refusal in [nowhere.needed(None), beside.needed(Some(key("other")))] {
            let refusal = refusal.unwrap_err();
            assert_eq!(refusal.problem().text("field"), Some(KEY_FIELD));
        }
    }
}
