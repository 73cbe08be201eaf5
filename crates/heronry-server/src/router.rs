//! The routes of a server, put together.

use std::{net::SocketAddr, sync::Arc};

use axum::{Extension, Router};
use heronry_api::{Api, Auth, Shares, Stop};
use heronry_runtime::Runtime;

use crate::{
    app::{App, SharedApp},
    connections::{ConnectionLimits, Places},
    extract::BodyRoom,
    health::{Health, StoreWatch},
    hosts::Hosts,
    metrics::Metrics,
    routes,
};

/// The routes of a server, to be served by whoever asked for them.
#[derive(Debug)]
pub struct Routes {
    /// The routes.
    pub router: Router,
    /// The switch that ends their waiting.
    pub stop: Stop,
}

/// The parts of a server that bound what its requests take.
pub(crate) struct Bounds {
    pub(crate) health: Health,
    /// The places of connections; none where somebody else takes them.
    pub(crate) places: Option<Places>,
    pub(crate) bodies: BodyRoom,
}

/// Returns the routes of a server that is bound to `bound`. For tests, and for hosts that serve them
/// beside routes of their own.
pub fn router(runtime: Runtime, auth: Auth, bound: SocketAddr) -> Routes {
    let bounds = Bounds {
        health: Health::new(StoreWatch::default(), &runtime),
        places: None,
        bodies: BodyRoom::new(ConnectionLimits::default().bodies_bytes_max),
    };
    let app = app(Api::new(runtime, auth), bounds);
    Routes {
        router: routes_of(&app).layer(Extension(Arc::new(Hosts::of(bound)))),
        stop: app.api.stop().clone(),
    }
}

/// Returns the state that the requests of a server share.
pub(crate) fn app(api: Api, bounds: Bounds) -> SharedApp {
    let Bounds {
        health,
        places,
        bodies,
    } = bounds;
    Arc::new(App {
        api,
        metrics: Metrics::default(),
        bytes: Shares::of_bytes(),
        contract: routes::openapi_json(),
        health,
        places,
        bodies: Arc::new(bodies),
    })
}

/// Returns the routes of a server whose requests say by themselves, in an extension, which hosts
/// they may name.
pub(crate) fn routes_of(app: &SharedApp) -> Router {
    routes::router(app, routes::table())
}
