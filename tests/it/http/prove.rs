//! The server proves that it knows a token before a client sends it.

use heronry_wire::{Proof, ProofKey, Prove};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server};

const HERE: &str = "127.0.0.1:7171";

async fn asked(server: &Server, question: &Prove) -> Proof {
    let question = serde_json::to_value(question).unwrap();
    let reply = server.post("", "/v1/prove", question).await;
    serde_json::from_value(reply.is(200)).unwrap()
}

#[tokio::test]
async fn a_server_proves_that_it_knows_the_tokens_that_it_takes() {
    let server = Server::on_memory();
    let (member, _) = server.with_pair().await;
    for token in [OPERATOR, member.as_str()] {
        let question = Prove::new([7; 32], HERE, token);
        let answer = asked(&server, &question).await;
        assert!(
            ProofKey::of(token).accepts(&question, &answer),
            "{question:?}"
        );
        assert_eq!(answer.pid, std::process::id());
        let other = Prove::new([8; 32], HERE, token);
        assert!(!ProofKey::of(token).accepts(&other, &answer));
    }
}

#[tokio::test]
async fn who_has_no_such_token_learns_nothing_from_an_answer() {
    let server = Server::on_memory();
    let (member, _) = server.with_pair().await;
    let other = Server::on_another();
    other.with_pair().await;
    // Another server of the same key, another pool, a token that nobody made: answers of one form.
    let stranger = member.replace("hm1.", "hm1.eyJ4Ijox");
    for token in [member.as_str(), stranger.as_str()] {
        let question = Prove::new([7; 32], HERE, token);
        let answer = asked(&other, &question).await;
        assert!(
            !ProofKey::of(token).accepts(&question, &answer),
            "{question:?}"
        );
        assert_eq!(answer.proof.len(), 64);
    }
    let none = Server::on_memory();
    let question = Prove::new([7; 32], HERE, &member);
    let answer = asked(&none, &question).await;
    assert!(!ProofKey::of(&member).accepts(&question, &answer));
}

#[tokio::test]
async fn a_question_for_another_address_or_without_a_nonce_is_refused() {
    let server = Server::on_memory();
    let good = || serde_json::to_value(Prove::new([7; 32], HERE, OPERATOR)).unwrap();
    let changed = |field: &str, value: Value| {
        let mut question = good();
        question[field] = value;
        question
    };
    // A program on another port could have its own questions answered here.
    for address in ["127.0.0.1:7172", "[::1]:7171", "localhost:7171", "", "x"] {
        let question = changed("address", json!(address));
        let refused = server.post("", "/v1/prove", question).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], "address");
    }
    for nonce in ["", "07", &"g".repeat(64), &"0".repeat(66)] {
        let refused = server
            .post("", "/v1/prove", changed("nonce", json!(nonce)))
            .await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], "nonce");
    }
    server.post("", "/v1/prove", good()).await.is(200);
}
