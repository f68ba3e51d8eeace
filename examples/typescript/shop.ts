// A partner's service: sells crypto through orderkeep, and hears of it by webhooks. Node 18, two packages.
//
// It knows the engine by its OpenAPI document alone: `api.d.ts` is made from it by the build, so that a path, a field or
// an event that the document does not have does not compile.
//
//     npm install && npm run build
//     npm start -- --engine http://127.0.0.1:7070 --payer http://127.0.0.1:7071 --sales 3
//
// Kill the engine while it runs: every sale ends once. (`--payer` is the sandbox; there, payers are played by a request.)

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import createClient from "openapi-fetch";
import { Webhook } from "standardwebhooks";
import type { components, paths, webhooks } from "./api.js";

type Event = components["schemas"]["CloudEvent"];

const { values } = parseArgs({
  options: { engine: { type: "string" }, payer: { type: "string" }, sales: { type: "string", default: "1" } },
});
const { payer } = values;
const engine = createClient<paths>({ baseUrl: values.engine });
const sales = Number(values.sales);
const secret = "whsec_" + randomBytes(32).toString("base64");
const handled = new Map<string, Promise<void>>(); // by webhook id: each may come more than once
const sold: Record<string, string> = {}; // our sale -> how it ended
const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

/** One request, until there is an answer: while the engine is restarted there is none. */
async function answer<T>(ask: () => Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  for (;;) {
    try {
      const { data, error, response } = await ask();
      if (response.ok) return data as T;
      if (response.status !== 429 && response.status < 500) throw new RangeError(JSON.stringify(error));
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
    await pause(200);
  }
}

/** Sells under our own key: asked twice, it is one order. */
async function sell(sale: string): Promise<void> {
  const wanted = { amount: "100", currency: "usdc", network: "polygon" };
  const { lockId } = await answer(() => engine.POST("/v1/locks", { body: wanted }));
  const body = { lockId, reference: sale, metadata: { shop: "typescript" } };
  await answer(() => engine.POST("/v1/orders", { body, params: { header: { "Idempotency-Key": sale } } }));
}

async function handle(event: Event): Promise<void> {
  const path = { id: event.subject };
  const order = await answer(() => engine.GET("/v1/orders/{id}", { params: { path } }));
  if (event.type === "orderkeep.order.wallet_given") {
    // Here a shop shows the address to its customer; the sandbox's payer pays at once.
    await fetch(`${payer}/_control/pay`, { method: "POST", body: JSON.stringify({ address: order.address }) });
  } else {
    const sale = order.reference ?? "";
    if (sale in sold) throw new Error(`${sale} ended twice`);
    sold[sale] = event.type.replace("orderkeep.order.", "");
  }
}

async function body(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

const server = createServer(async (request, response) => {
  let event: Event;
  try {
    event = new Webhook(secret).verify(await body(request), request.headers as Record<string, string>) as Event;
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers["webhook-id"] as string;
  try {
    if (!handled.has(id)) handled.set(id, handle(event));
    await handled.get(id);
    response.writeHead(204).end();
  } catch (error) {
    handled.delete(id); // Not handled: it comes again.
    console.error(error);
    response.writeHead(500).end();
  }
});

await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
const types = [
  "orderkeep.order.wallet_given",
  "orderkeep.order.executed",
  "orderkeep.order.failed",
] satisfies (keyof webhooks)[];
await answer(() => engine.POST("/v1/webhook-endpoints", { body: { url, secret, types } }));
for (let number = 0; number < sales; number++) {
  await sell(`sale-${process.pid}-${number}`);
  console.log(JSON.stringify({ submitted: number + 1 }));
}
while (Object.keys(sold).length < sales) await pause(50);
console.log(JSON.stringify({ sold }));
process.exit(0);
