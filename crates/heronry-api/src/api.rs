//! The parts that every use case of a process works with.

use std::{fmt::Write as _, sync::Arc};

use heronry_pool::Caller;
use heronry_runtime::{Joining, MemberClaim, OpenError, Runtime};
use heronry_types::Durability;

use crate::{Auth, Identity, Keepers, Refusal, Stop, auth::ShownToken, shares::Shares};

/// The use cases of the pools of one runtime: what all surfaces of a process share. Cheap to clone; all
/// clones are the same.
#[derive(Clone, Debug)]
pub struct Api(Arc<ApiParts>);

#[derive(Debug)]
struct ApiParts {
    runtime: Runtime,
    auth: Auth,
    streams: Arc<Shares>,
    long_polls: Arc<Shares>,
    stop: Stop,
    keepers: Keepers,
}

impl Api {
    /// Returns the use cases over a runtime, for callers that these secrets prove. No pool of it is kept.
    pub fn new(runtime: Runtime, auth: Auth) -> Self {
        Self::keeping(runtime, auth, Keepers::default())
    }

    /// Returns the use cases over a runtime, some of whose pools are kept as they were declared.
    pub fn keeping(runtime: Runtime, auth: Auth, keepers: Keepers) -> Self {
        Self(Arc::new(ApiParts {
            runtime,
            auth,
            streams: Shares::of_streams(),
            long_polls: Shares::of_long_polls(),
            stop: Stop::default(),
            keepers,
        }))
    }

    /// Returns the runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// Returns the switch that ends every waiting.
    pub fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Returns the shares of event streams that are open.
    pub fn streams(&self) -> &Arc<Shares> {
        &self.0.streams
    }

    /// Returns the runtimes that keep pools.
    pub fn keepers(&self) -> &Keepers {
        &self.0.keepers
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn long_polls(&self) -> &Arc<Shares> {
        &self.0.long_polls
    }

    /// Returns whose token was shown.
    ///
    /// The hash of a member token is checked before anything is done for it: a token that this process
    /// did not make opens no pool.
    ///
    /// # Errors
    /// [`Refusal`] `unauthorized`, with one text for all causes; or the failure of the store, which could
    /// not say more about a token that is good.
    pub async fn identify(&self, shown: Option<&str>) -> Result<Identity, Refusal> {
        match self.auth().read(shown) {
            ShownToken::Operator => Ok(Identity::Operator),
            ShownToken::Nothing => Err(Refusal::unauthorized()),
            ShownToken::Member(claim) => self.believe(&claim).await,
        }
    }

    async fn believe(&self, claim: &MemberClaim) -> Result<Identity, Refusal> {
        // The token outlives the timeline that it was issued in, and is of no other pool.
        // Nobody has been authenticated when this is asked, so it opens no pool.
        if !self.runtime().has_minted(claim).await? {
            return Err(Refusal::unauthorized());
        }
        let Joining {
            pool,
            run,
            generation,
        } = claim.joining().clone();
        let pool = match self.runtime().find(&pool).await {
            Ok(pool) => pool,
            // It was deleted since: its tokens are as good as those of a pool that never was.
            Err(OpenError::NotFound) => return Err(Refusal::unauthorized()),
            // The token is good; it is the store that cannot say more.
            Err(error) => return Err(error.into()),
        };
        let caller = Caller::Member {
            run: run.clone(),
            generation,
        };
        Ok(Identity::Member {
            pool: pool.telling_unread(caller),
            run,
            generation,
        })
    }

    /// Returns how safely the store keeps records.
    pub(crate) fn durability(&self) -> Durability {
        self.runtime().durability()
    }

    /// Returns a name that nobody has, for a caller that left it out.
    pub(crate) fn fresh_name(&self, prefix: &str) -> String {
        let bits = self.runtime().ids().draw();
        bits.iter().fold(prefix.to_owned(), |mut name, byte| {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        })
    }
}
