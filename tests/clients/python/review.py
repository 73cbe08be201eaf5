"""A question and its answer over a client that was generated from the contract.

It joins two members, sends, receives, acknowledges, waits for the receipt and for a wake. Nothing in it is
cast, and `mypy --strict` checks it against the generated client.
"""

import os
from http import HTTPStatus
from typing import TypeVar

from heronry_contract import AuthenticatedClient
from heronry_contract.api.inbox import ack_messages, receive_messages
from heronry_contract.api.members import join_pool
from heronry_contract.api.messages import get_receipt, send_message
from heronry_contract.api.pools import open_pool
from heronry_contract.api.wakes import register_wake
from heronry_contract.models import (
    Ack,
    AckOutcome,
    AddressOfRun,
    Changed,
    InboxPage,
    Join,
    Joined,
    MessageStatus,
    PoolBodyInput,
    PoolOpened,
    Problem,
    Receipt,
    ReceiptUntil,
    Receive,
    RegisterWake,
    SendMessage,
    WakeChanged,
    WakeStatus,
)
from heronry_contract.types import Unset

T = TypeVar("T")
POOL = "clients-python"


def done(answer: T | Problem | None, kind: type[T]) -> T:
    """The answer, unless it is a refusal."""
    if not isinstance(answer, kind):
        raise SystemExit(f"refused: {answer}")
    return answer


def client(token: str) -> AuthenticatedClient:
    """A client that shows this token."""
    return AuthenticatedClient(base_url=os.environ["HERONRY_URL"], token=token)


def main() -> None:
    """Runs the whole exchange."""
    operator = client(os.environ["HERONRY_TOKEN"])
    done(open_pool.sync(POOL, client=operator, body=PoolBodyInput()), PoolOpened)
    tokens = {}
    for run in ("lead", "scanner"):
        body = Join(run_id=run, agent_id=run)
        tokens[run] = done(join_pool.sync(POOL, client=operator, body=body), Joined).member_token
    lead, scanner = client(tokens["lead"]), client(tokens["scanner"])

    wake = RegisterWake(
        filter_='kind == "run_message_acked"', timeout_ms=60_000, idempotency_key="acked"
    )
    registered = done(register_wake.sync(POOL, client=lead, body=wake), WakeChanged)
    assert registered.status == WakeStatus.REGISTERED, registered

    message = SendMessage(
        to=AddressOfRun(type_="run", run_id="scanner"),
        body="Is src/lib.rs safe to merge?",
        idempotency_key="question",
    )
    accepted = send_message.sync_detailed(POOL, client=lead, body=message)
    assert accepted.status_code == HTTPStatus.CREATED, accepted
    sent = done(accepted.parsed, Receipt)
    assert sent.status == MessageStatus.DELIVERED, sent

    wanted = Receive(max_=1, wait_ms=10_000, bodies=True)
    page = done(
        receive_messages.sync(POOL, "scanner", client=scanner, body=wanted), InboxPage
    )
    [item] = page.items
    assert item.body == "Is src/lib.rs safe to merge?" and item.from_ == "lead", item
    assert not isinstance(item.claim, Unset)

    outcome = Ack(claims=[item.claim], outcome=AckOutcome.DONE)
    done(ack_messages.sync(POOL, "scanner", client=scanner, body=outcome), Changed)

    receipt = done(
        get_receipt.sync(
            POOL, sent.message_id, client=lead, wait_ms=10_000, until=ReceiptUntil.ACKED
        ),
        Receipt,
    )
    assert [one.outcome for one in receipt.recipients] == [AckOutcome.DONE], receipt

    wake.wait_ms = 10_000
    again = register_wake.sync_detailed(POOL, client=lead, body=wake)
    assert again.status_code == HTTPStatus.OK, again
    woken = done(again.parsed, WakeChanged)
    assert woken.status == WakeStatus.TRIGGERED, woken
    assert [match.kind.value for match in woken.matches] == ["run_message_acked"], woken
    print(f"python: {receipt.message_id} acked by {receipt.recipients[0].run_id}, wake {woken.status.value}")


if __name__ == "__main__":
    main()
