//! Foreign sources of events, and the bridges that report from them.

use heronry_types::{
    Cursor, Durability, Generation, IdempotencyKey, InstanceId, NewSourceGap, OnAttached, RunId,
};
use serde::{Deserialize, Serialize};

/// Attaches a bridge to a source. The body of `POST …/sources/{source}/attach`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::attach_source())
)]
pub struct AttachSource {
    /// The instance of the bridge. The instance that has the source already gets the same answer again.
    pub instance: InstanceId,
    /// The run on whose behalf the bridge reports. Absent: the token's run, or none for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The choice what happens when another bridge has the source. Absent: `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_attached: Option<OnAttached>,
}

/// A bridge has its source. The answer of `POST …/sources/{source}/attach`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceAttached {
    /// The attachment: a number that rises with each. What the bridge reports names it.
    pub generation: Generation,
    /// The number of the last event that was taken; absent when nothing was, and of a source without order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_number: Option<u64>,
    /// The cursor of the record of the attachment.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
}

/// Leaves a source. The body of `POST …/sources/{source}/detach`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::detach_source())
)]
pub struct DetachSource {
    /// The attachment that ends.
    pub generation: Generation,
}

/// Tells that events of a source are missing. The body of `POST …/sources/{source}/gaps`. The idempotency key may come as
/// a header instead.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::tell_gap())
)]
pub struct TellGap {
    /// The gap.
    pub gap: NewSourceGap,
    /// The run that the gap is about. Absent: the token's run, or none for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The attachment of the bridge. Absent: no bridge has the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The idempotency key, among those of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
}
