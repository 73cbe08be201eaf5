//! Compiling a filter without using it.

use heronry_wire::{CompileFilter, CompiledFilter};
use tracing::instrument;

use crate::{Api, Identity, Refusal};

/// Checks a filter.
///
/// # Errors
/// [`Refusal`], `filter-invalid` with every error and where it stands.
#[instrument(level = "debug", skip_all)]
pub async fn compile(
    api: &Api,
    identity: &Identity,
    body: &CompileFilter,
) -> Result<CompiledFilter, Refusal> {
    identity.check_standing().await?;
    let filter = api.compile(&identity.party(), &body.filter).await?;
    Ok(CompiledFilter {
        fingerprint: *filter.fingerprint(),
        normal_form: filter.normal_form().to_owned(),
        cost: filter.cost(),
    })
}
