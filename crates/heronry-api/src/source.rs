//! Foreign sources: attaching a bridge, leaving one, and what is missing.

use heronry_pool::decide::{self, SourceClaim};
use heronry_types::{OnAttached, RunId, SourceId};
use heronry_wire::{AttachSource, Changed, DetachSource, SourceAttached, TellGap};

use crate::{Access, Identity, Key, Recorded, Refusal, changed};

/// Attaches a bridge to a source.
///
/// # Errors
/// [`Refusal`]; nothing was changed then.
pub async fn attach(
    access: &Access,
    source: SourceId,
    body: AttachSource,
) -> Result<Recorded<SourceAttached>, Refusal> {
    let attach = decide::AttachSource {
        caller: access.caller(),
        run: own_run(access, body.run_id)?,
        source,
        instance: body.instance,
        on_attached: body.on_attached.unwrap_or(OnAttached::Refuse),
    };
    let attached = access.call(attach).await?;
    let answer = SourceAttached {
        generation: attached.generation,
        last_number: attached.last_number,
        cursor: attached.done.cursor,
        durability: attached.done.durability,
    };
    Ok(if attached.repeated {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

/// Leaves a source. Leaving an attachment that has ended changes nothing.
///
/// # Errors
/// [`Refusal`].
pub async fn detach(
    access: &Access,
    source: SourceId,
    body: DetachSource,
) -> Result<Changed, Refusal> {
    let detach = decide::DetachSource {
        caller: access.caller(),
        source,
        generation: body.generation,
    };
    Ok(changed(access.call(detach).await?))
}

/// Tells that events of a source are missing.
///
/// # Errors
/// [`Refusal`]; nothing was recorded then.
pub async fn tell_gap(
    access: &Access,
    source: SourceId,
    mut body: TellGap,
    key: Key,
) -> Result<Recorded<Changed>, Refusal> {
    let run = own_run(access, body.run_id.take())?;
    let named = key.needed(body.idempotency_key.take())?;
    let claim = SourceClaim {
        source,
        generation: body.generation,
    };
    let record = decide::RecordSourceGap::new(access.caller(), run, claim, body.gap, named);
    let recorded = access.call(record).await?;
    let answer = changed(recorded.done);
    Ok(if recorded.repeated {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

/// Returns the run that is named, or the token's own; none for an operator that names none.
fn own_run(access: &Access, named: Option<RunId>) -> Result<Option<RunId>, Refusal> {
    match (access.identity(), named) {
        (Identity::Operator, named) => Ok(named),
        (Identity::Member { .. }, named) => access.identity().acting(named, "run_id").map(Some),
    }
}
