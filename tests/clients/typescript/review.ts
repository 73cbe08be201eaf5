// A question and its answer over types that were generated from the contract.
//
// It joins two members, sends, receives, acknowledges, waits for the receipt and for a wake. Nothing in it
// is cast, and `tsc` checks it in strict mode.

import assert from "node:assert/strict";
import { env } from "node:process";

import createClient from "openapi-fetch";

import type { components, paths } from "./contract.js";

type Problem = components["schemas"]["Problem"];

const pool = "clients-typescript";
const baseUrl = env["HERONRY_URL"] ?? "";

/** Returns a client that shows this token. */
function client(token: string) {
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
}

/** Returns the answer, unless it is a refusal. */
function done<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) {
    throw new Error(`refused: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const operator = client(env["HERONRY_TOKEN"] ?? "");
done(await operator.PUT("/v1/pools/{pool}", { params: { path: { pool } }, body: {} }));

async function join(run: string) {
  const path = { pool };
  const body = { run_id: run, agent_id: run };
  const joined = done(await operator.POST("/v1/pools/{pool}/members", { params: { path }, body }));
  return client(joined.member_token);
}

const lead = await join("lead");
const scanner = await join("scanner");

const wake: components["schemas"]["RegisterWake"] = {
  filter: 'kind == "run_message_acked"',
  timeout_ms: 60_000,
  idempotency_key: "acked",
};
const registered = done(await lead.POST("/v1/pools/{pool}/wakes", { params: { path: { pool } }, body: wake }));
assert.equal(registered.status, "registered");

const sent = done(
  await lead.POST("/v1/pools/{pool}/messages", {
    params: { path: { pool }, header: { "idempotency-key": "question" } },
    body: { to: { type: "run", run_id: "scanner" }, body: "Is src/lib.rs safe to merge?" },
  }),
);
assert.equal(sent.status, "delivered");

const inbox = { path: { pool, run: "scanner" } };
const page = done(
  await scanner.POST("/v1/pools/{pool}/members/{run}/inbox/receive", {
    params: inbox,
    body: { max: 1, wait_ms: 10_000, bodies: true },
  }),
);
const [item] = page.items;
assert.ok(item?.claim !== undefined);
assert.equal(item.body, "Is src/lib.rs safe to merge?");

done(
  await scanner.POST("/v1/pools/{pool}/members/{run}/inbox/ack", {
    params: inbox,
    body: { claims: [item.claim], outcome: "done" },
  }),
);

const receipt = done(
  await lead.GET("/v1/pools/{pool}/messages/{id}", {
    params: { path: { pool, id: sent.message_id }, query: { wait_ms: 10_000, until: "acked" } },
  }),
);
assert.deepEqual(
  receipt.recipients.map((recipient) => recipient.outcome),
  ["done"],
);

const woken = done(
  await lead.POST("/v1/pools/{pool}/wakes", {
    params: { path: { pool } },
    body: { ...wake, wait_ms: 10_000 },
  }),
);
assert.equal(woken.status, "triggered");
assert.deepEqual(
  woken.matches.map((match) => match.kind),
  ["run_message_acked"],
);
console.log(`typescript: ${receipt.message_id} acked by ${receipt.recipients[0]?.run_id}, wake ${woken.status}`);
