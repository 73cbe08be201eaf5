//! The examples of the contract: the server takes every one, and refuses what the schema calls required
//! when it is missing, and nothing that the schema calls optional.

use axum::{
    body::Body,
    http::{Request, header},
};
use heronry_tests::{
    contract::CONTRACT,
    server::{HttpReply, OPERATOR, Server, request},
};
use heronry_types::Millis;
use serde_json::{Map, Value, json};

/// The pool of the examples.
const POOL: &str = "/v1/pools/review";

/// A server on which the examples are tried.
struct ReviewPool {
    server: Server,
    lead: String,
    scanner: String,
}

/// An operation with its path, its query and its body as the document shows them.
#[derive(Clone, Debug)]
struct Example {
    id: String,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl Example {
    fn of(id: &str) -> Self {
        let paths = CONTRACT.document["paths"].as_object().unwrap();
        let found = paths.iter().find_map(|(path, methods)| {
            let mut methods = methods.as_object().unwrap().iter();
            let found = methods.find(|(_, of)| of["operationId"] == id);
            found.map(|(method, of)| (path.clone(), method.to_uppercase(), of))
        });
        let (mut path, method, of) = found.unwrap();
        let mut query = Vec::new();
        for parameter in of["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let Some(example) = parameter.get("example") else {
                continue;
            };
            let text = example
                .as_str()
                .map_or_else(|| example.to_string(), str::to_owned);
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), &text);
            } else {
                query.push((name.to_owned(), text));
            }
        }
        let body = &of["requestBody"]["content"]["application/json"]["example"];
        Self {
            id: id.to_owned(),
            method,
            path,
            query,
            body: (!body.is_null()).then(|| body.clone()),
        }
    }

    /// Names what only a server can: claims, cursors and references.
    fn with(mut self, name: &str, value: &Value) -> Self {
        if let Some(body) = self.body.as_mut().filter(|body| body.get(name).is_some()) {
            body[name] = value.clone();
            return self;
        }
        let text = value.as_str().unwrap().to_owned();
        let mut query = self.query.iter_mut();
        if let Some((_, known)) = query.find(|(known, _)| known == name) {
            *known = text;
        } else {
            let kept = self.path.rsplit_once('/').unwrap().0;
            self.path = format!("{kept}/{text}");
        }
        self
    }

    fn line(&self) -> String {
        let query = self.query.iter().map(|(name, value)| {
            let value = value
                .replace(' ', "%20")
                .replace('"', "%22")
                .replace('=', "%3D");
            format!("{name}={value}")
        });
        let query = query.collect::<Vec<_>>().join("&");
        format!("{} {}?{query}", self.method, self.path)
    }
}

impl ReviewPool {
    async fn new() -> Self {
        let server = Server::on_memory();
        let mut scene = Self {
            server,
            lead: String::new(),
            scanner: String::new(),
        };
        scene.taken(OPERATOR, Example::of("openPool")).await;
        let mut lead = Example::of("joinPool");
        lead.body = Some(json!({"run_id": "lead", "agent_id": "lead"}));
        let token = |joined: &Value| joined["member_token"].as_str().unwrap().to_owned();
        scene.lead = token(&scene.taken(OPERATOR, lead).await);
        scene.scanner = token(&scene.taken(OPERATOR, Example::of("joinPool")).await);
        scene
    }

    async fn send(&self, token: &str, example: &Example) -> HttpReply {
        let body = example.body.clone().unwrap_or_default();
        self.server.call(token, &example.line(), body).await
    }

    /// Sends an example, which the server takes.
    async fn taken(&self, token: &str, example: Example) -> Value {
        let reply = self.send(token, &example).await;
        let shown = format!("{}: {}: {}", example.id, reply.status, reply.text);
        assert!(reply.status.is_success(), "{shown}");
        serde_json::from_str(&reply.text).unwrap_or_default()
    }
}

/// The examples that were tried, and a scene in which they are.
struct Trial {
    scene: ReviewPool,
    tried: Vec<String>,
}

impl Trial {
    fn example(&mut self, id: &str) -> Example {
        self.tried.push(id.to_owned());
        Example::of(id)
    }

    async fn take(&mut self, token: &str, id: &str) -> Value {
        let example = self.example(id);
        self.scene.taken(token, example).await
    }

    async fn head(&self) -> Value {
        self.scene.server.get(OPERATOR, POOL).await.is(200)["head"].clone()
    }

    async fn what_operators_ask(&mut self) {
        for id in [
            "listPools",
            "getPool",
            "changeSettings",
            "listMembers",
            "showRoster",
            "listModules",
            "wireEdge",
            "listEdges",
            "unwireEdge",
            "setAlias",
            "showAlias",
            "listAliases",
            "removeAlias",
            "setPoolLabels",
            "showPoolLabels",
            "setRunLabels",
            "showRunLabels",
            "compileFilter",
            "proveToken",
            "getHealth",
            "getReadiness",
            "getContract",
            "getVersion",
            "getMetrics",
            "getStatus",
            "listDeadLetters",
            "listEffects",
            "exportPool",
        ] {
            self.take(OPERATOR, id).await;
        }
    }

    async fn what_is_not_there(&mut self) {
        // Nothing over HTTP makes a dead letter or an effect at once: these are read, and there is none.
        let head = self.head().await;
        let epoch = head.as_str().unwrap().split('-').next().unwrap().to_owned();
        for (id, slug) in [
            ("replayDeadLetter", "dead-letter-not-found"),
            ("resolveEffect", "effect-not-found"),
        ] {
            let mut example = self.example(id);
            example.path = example.path.replace(&"07".repeat(16), &epoch);
            self.scene.send(OPERATOR, &example).await.refused(404, slug);
        }
        // No runtime keeps the pool of this server.
        for id in ["reconcile", "startMember", "stopMember"] {
            let example = self.example(id);
            let answer = self.scene.send(OPERATOR, &example).await;
            answer.refused(409, "not-kept");
        }
    }

    async fn messages(&mut self, lead: &str, scanner: &str) {
        self.take(lead, "sendMessage").await;
        self.take(scanner, "peekInbox").await;
        let received = self.take(scanner, "receiveMessages").await;
        let claims = |page: &Value| json!([page["items"][0]["claim"]]);
        for id in ["extendClaims", "releaseClaims"] {
            let example = self.example(id).with("claims", &claims(&received));
            self.scene.taken(scanner, example).await;
        }
        self.scene.server.clock.advance(Millis::from_secs(10));
        let again = self.scene.taken(scanner, Example::of("receiveMessages"));
        let again = claims(&again.await);
        let acked = self.example("ackMessages").with("claims", &again);
        self.scene.taken(scanner, acked).await;
        self.take(lead, "getReceipt").await;
        let mut second = Example::of("sendMessage");
        second.body.as_mut().unwrap()["message_id"] = json!("question-2");
        second.body.as_mut().unwrap()["idempotency_key"] = json!("question-2");
        self.scene.taken(lead, second).await;
        let mut cancelled = self.example("cancelMessage");
        cancelled.path = cancelled.path.replace("question-1", "question-2");
        self.scene.taken(lead, cancelled).await;
    }

    async fn waits_and_events(&mut self, lead: &str, scanner: &str) {
        for id in [
            "registerWake",
            "getWake",
            "listWakes",
            "explainWake",
            "cancelWake",
            "readEvents",
        ] {
            self.take(lead, id).await;
        }
        self.take(scanner, "reportEvents").await;
        for id in ["tellGap", "attachSource", "detachSource"] {
            self.take(scanner, id).await;
        }
    }

    async fn keeping_and_consuming(&mut self, scanner: &str) {
        self.take(scanner, "publishEphemeral").await;
        let claimed = self.take(OPERATOR, "claimConsumer").await;
        let commit = self.example("commitConsumer");
        let commit = commit.with("generation", &claimed["generation"]);
        let commit = commit.with("cursor", &claimed["cursor"]);
        self.scene.taken(OPERATOR, commit).await;
        for id in [
            "listConsumers",
            "resumeConsumer",
            "forgetConsumer",
            "takeSnapshot",
            "trimJournal",
        ] {
            self.take(OPERATOR, id).await;
        }
    }

    async fn contents(&mut self, scanner: &str) {
        let line = self.example("storeContent").line();
        let request = Request::put(line.split_once(' ').unwrap().1)
            .header(header::HOST, "127.0.0.1:7171")
            .header(header::AUTHORIZATION, format!("Bearer {scanner}"))
            .header(header::CONTENT_TYPE, "text/plain");
        let request = request.body(Body::from("report")).unwrap();
        let stored = self.scene.server.send(request).await.is(201);
        for id in ["fetchContent", "eraseContent"] {
            let example = self.example(id).with("ref", &stored["content_ref"]);
            self.scene.taken(OPERATOR, example).await;
        }
    }

    async fn ends(&mut self, lead: &str, scanner: &str) {
        self.take(scanner, "changeMember").await;
        self.take(scanner, "heartbeat").await;
        self.take(scanner, "setRunState").await;
        let mut left = self.example("leavePool");
        left.path = left.path.replace("scanner", "lead");
        self.scene.taken(lead, left).await;
        let last = self.head().await;
        let deleted = self.example("deletePool").with("expected_head", &last);
        self.scene.taken(OPERATOR, deleted).await;
    }
}

#[tokio::test]
async fn every_example_is_taken_by_the_server_as_it_stands() {
    let scene = ReviewPool::new().await;
    let (lead, scanner) = (scene.lead.clone(), scene.scanner.clone());
    let tried = ["openPool", "joinPool"].map(str::to_owned).to_vec();
    let mut trial = Trial { scene, tried };
    trial.what_operators_ask().await;
    trial.messages(&lead, &scanner).await;
    trial.waits_and_events(&lead, &scanner).await;
    trial.keeping_and_consuming(&scanner).await;
    trial.contents(&scanner).await;
    trial.what_is_not_there().await;
    trial.ends(&lead, &scanner).await;
    let all = CONTRACT.document["paths"].as_object().unwrap().values();
    let all: usize = all.map(|methods| methods.as_object().unwrap().len()).sum();
    assert_eq!(trial.tried.len(), all, "{:?}", trial.tried);
}

/// The requests with a JSON body, and who sends them.
const SENT: [(&str, &str); 22] = [
    ("openPool", ""),
    ("changeSettings", ""),
    ("joinPool", ""),
    ("changeMember", "scanner"),
    ("setRunState", "scanner"),
    ("sendMessage", "lead"),
    ("cancelMessage", "lead"),
    ("receiveMessages", "scanner"),
    ("ackMessages", "scanner"),
    ("releaseClaims", "scanner"),
    ("extendClaims", "scanner"),
    ("resolveEffect", ""),
    ("registerWake", "lead"),
    ("reportEvents", "scanner"),
    ("attachSource", "scanner"),
    ("detachSource", "scanner"),
    ("tellGap", "scanner"),
    ("setAlias", ""),
    ("setPoolLabels", ""),
    ("setRunLabels", ""),
    ("compileFilter", ""),
    ("proveToken", ""),
];

/// The fields that a header or another field may stand for.
fn stood_for(schema: &Value) -> Vec<Value> {
    let one_of = schema["x-exactly-one-of"].as_array().cloned();
    let mut fields = one_of.unwrap_or_default();
    fields.push(json!("idempotency_key"));
    fields
}

#[tokio::test]
async fn what_the_contract_requires_is_refused_when_it_is_missing_and_nothing_else() {
    for (id, who) in SENT {
        let example = Example::of(id);
        let whole = example.body.clone().unwrap();
        let mut scene = ReviewPool::new().await;
        let schema = schema_of(id);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let stood_for = stood_for(schema);
        let fields = schema["properties"].as_object().unwrap();
        for field in whole.as_object().unwrap().keys() {
            assert!(fields.contains_key(field), "{id}.{field}");
            let name = Value::from(field.as_str());
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(field);
            let is_needed = required.contains(&name) || stood_for.contains(&name);
            let told = try_body(&mut scene, &example, who, &without).await;
            let missing = told
                .as_ref()
                .is_some_and(|(_, why)| why.contains("missing") || why.contains("one of"));
            assert_eq!(missing, is_needed, "{id} without {field}: {told:?}");
        }
        for field in fields.keys() {
            let mut without = whole.clone();
            without[field] = Value::Null;
            let takes_null = CONTRACT.check(&name_of(id), &without).is_ok();
            let told = try_body(&mut scene, &example, who, &without).await;
            let is_unread = told
                .as_ref()
                .is_some_and(|(named, why)| named == field && why.contains("null"));
            assert_eq!(is_unread, !takes_null, "{id}.{field} null: {told:?}");
        }
        let mut more = whole.clone();
        more["colour"] = json!(1);
        assert_eq!(schema["additionalProperties"], false, "{id}");
        let (named, _) = try_body(&mut scene, &example, who, &more).await.unwrap();
        assert_eq!(named, "colour", "{id}");
    }
}

#[tokio::test]
async fn a_key_that_a_request_needs_may_stand_in_the_header_or_in_the_body() {
    let paths = CONTRACT.document["paths"].as_object().unwrap();
    let all = paths
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values());
    let keyed = all.filter(|of| of["x-one-required"].is_array());
    let ids: Vec<&str> = keyed
        .map(|of| of["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["reportEvents", "sendMessage", "tellGap", "registerWake"]
    );
    for id in ids {
        let scene = ReviewPool::new().await;
        let mut example = Example::of(id);
        let body = example.body.as_mut().unwrap().as_object_mut().unwrap();
        let key = body.remove("idempotency_key").unwrap();
        let token = if body.contains_key("events") {
            &scene.scanner
        } else {
            &scene.lead
        };
        let body = json!(body);
        let mut request = request(token, &example.line(), &body);
        let key = key.as_str().unwrap().parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        scene.server.send(request).await.is(201);
        scene
            .send(token, &example)
            .await
            .refused(400, "invalid-request");
    }
}

#[tokio::test]
async fn one_of_the_fields_that_exclude_each_other_is_needed_and_two_are_refused() {
    let two: [(&str, &str, Map<String, Value>); 3] = [
        (
            "sendMessage",
            "lead",
            fields(json!({"body": "a", "body_base64": "YQ=="})),
        ),
        (
            "registerWake",
            "lead",
            fields(json!({"filter": "true", "any_of": ["true"]})),
        ),
        (
            "ackMessages",
            "scanner",
            fields(json!({"claims": ["1@2"], "up_to": "1@2"})),
        ),
    ];
    for (id, who, two) in two {
        let example = Example::of(id);
        let named = schema_of(id)["x-exactly-one-of"].as_array().unwrap();
        let mut scene = ReviewPool::new().await;
        assert!(
            two.keys().all(|field| named.contains(&json!(field))),
            "{id}"
        );
        let mut body = example.body.clone().unwrap();
        body.as_object_mut()
            .unwrap()
            .retain(|field, _| !named.contains(&json!(field)));
        assert!(
            try_body(&mut scene, &example, who, &body).await.is_some(),
            "{id} with none"
        );
        body.as_object_mut().unwrap().extend(two);
        assert!(
            try_body(&mut scene, &example, who, &body).await.is_some(),
            "{id} with two"
        );
    }
}

fn fields(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn name_of(id: &str) -> String {
    let paths = CONTRACT.document["paths"].as_object().unwrap();
    let mut all = paths
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values());
    let of = all.find(|of| of["operationId"] == id).unwrap();
    let name = &of["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    name.as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

fn schema_of(id: &str) -> &'static Value {
    &CONTRACT.document["components"]["schemas"][name_of(id)]
}

/// Sends a body, in a scene in which none was taken, and returns the field and the detail when it cannot be read.
async fn try_body(
    scene: &mut ReviewPool,
    example: &Example,
    who: &str,
    body: &Value,
) -> Option<(String, String)> {
    let token = match who {
        "lead" => &scene.lead,
        "scanner" => &scene.scanner,
        _ => OPERATOR,
    };
    let mut example = example.clone();
    example.body = Some(body.clone());
    let reply = scene.send(token, &example).await;
    if reply.status.is_success() {
        *scene = ReviewPool::new().await;
    }
    (reply.status == 400).then(|| {
        let problem = reply.json();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        (text("field"), text("detail"))
    })
}
