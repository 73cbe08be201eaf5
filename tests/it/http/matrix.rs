//! The matrix of rights: every route of the contract with every identity and every target.
//!
//! The routes are those of the server's own table, by its contract; one that has no row here fails
//! the test. A request that is refused changes nothing.

mod cells;
mod rows;

use self::{
    cells::{Expected, MatrixScene, TARGETS, WHO, expected},
    rows::{Class, ROWS, RouteRow},
};
use heronry_tests::server::{OPERATOR, Server};

/// The routes of the server, as `GET /v1/pools`.
async fn routes() -> Vec<String> {
    let server = Server::on_memory();
    let contract = server.get(OPERATOR, "/openapi.json").await.is(200);
    let paths = contract["paths"].as_object().unwrap().iter();
    let mut routes: Vec<_> = paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    routes.sort_unstable();
    routes
}

#[tokio::test]
async fn every_route_has_a_row_and_every_row_a_route() {
    let mut rows: Vec<_> = ROWS.iter().map(|row| row.route.to_owned()).collect();
    rows.sort_unstable();
    assert_eq!(rows, routes().await);
}

#[tokio::test]
async fn what_is_refused_is_refused_as_the_contract_says_and_changes_nothing() {
    let scene = MatrixScene::open().await;
    let head = scene.heads().await;
    let mut refused = 0;
    for (row, who, target) in cells() {
        let Expected::Refused(status, slug) = expected(row, who, target) else {
            continue;
        };
        let reply = scene.ask(row, who, target).await;
        let cell = format!("{} as {who:?} to {target:?}: {}", row.route, reply.text);
        assert_eq!(reply.status.as_u16(), status, "{cell}");
        assert_eq!(reply.json()["type"], format!("/problems/{slug}"), "{cell}");
        assert_eq!(scene.heads().await, head, "{cell}");
        refused += 1;
    }
    assert!(refused > 700, "{refused} cells are refused");
}

#[tokio::test]
async fn what_is_allowed_is_done() {
    let reading = MatrixScene::open().await;
    for (row, who, target) in cells() {
        if expected(row, who, target) != Expected::Done {
            continue;
        }
        // What changes something may end what another cell needs.
        let reads = row.class == Class::Open || row.route.starts_with("GET ");
        let changing = if reads {
            None
        } else {
            Some(MatrixScene::open().await)
        };
        let scene = changing.as_ref().unwrap_or(&reading);
        let reply = scene.ask(row, who, target).await;
        let cell = format!("{} as {who:?} to {target:?}: {}", row.route, reply.text);
        assert_eq!(reply.status.as_u16(), row.done, "{cell}");
    }
}

fn cells() -> impl Iterator<Item = (&'static RouteRow, cells::Who, cells::Target)> {
    let each = |row| WHO.iter().map(move |who| (row, *who));
    let pairs = ROWS.iter().flat_map(each);
    pairs.flat_map(|(row, who)| TARGETS.iter().map(move |target| (row, who, *target)))
}
