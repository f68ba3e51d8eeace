// A partner's service: sells crypto through orderkeep, and hears of it by webhooks. Node 18, one package.
//
//     npm install && npm run build
//     npm start -- --engine http://127.0.0.1:7070 --payer http://127.0.0.1:7071 --sales 3
//
// Kill the engine while it runs: every sale ends once. (`--payer` is the sandbox; there, payers are played by a request.)

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { Webhook } from "standardwebhooks";

interface Event {
  type: string;
  subject: string;
}
interface Order {
  id: string;
  reference: string;
  address: string;
}

const { values } = parseArgs({
  options: { engine: { type: "string" }, payer: { type: "string" }, sales: { type: "string", default: "1" } },
});
const { engine, payer } = values;
const sales = Number(values.sales);
const secret = "whsec_" + randomBytes(32).toString("base64");
const handled = new Map<string, Promise<void>>(); // by webhook id: each may come more than once
const sold: Record<string, string> = {}; // our sale -> how it ended
const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

/** One request, until there is an answer: while the engine is restarted there is none. */
async function call<T>(method: string, url: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
  for (;;) {
    try {
      const text = body && JSON.stringify(body);
      const answer = await fetch(url, { method, headers, body: text, signal: AbortSignal.timeout(30_000) });
      if (answer.ok) return (await answer.json()) as T;
      if (answer.status !== 429 && answer.status < 500) {
        throw new RangeError(`${method} ${url}: ${await answer.text()}`);
      }
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
    await pause(200);
  }
}

/** Sells under our own key: asked twice, it is one order. */
async function sell(sale: string): Promise<void> {
  const wanted = { amount: "100", currency: "usdc", network: "polygon" };
  const { lockId } = await call<{ lockId: string }>("POST", `${engine}/v1/locks`, wanted);
  await call("POST", `${engine}/v1/orders`, { lockId, reference: sale }, { "idempotency-key": sale });
}

async function handle(event: Event): Promise<void> {
  const order = await call<Order>("GET", `${engine}/v1/orders/${event.subject}`);
  if (event.type === "orderkeep.order.wallet_given") {
    // Here a shop shows the address to its customer; the sandbox's payer pays at once.
    await call("POST", `${payer}/_control/pay`, { address: order.address });
  } else {
    if (order.reference in sold) throw new Error(`${order.reference} ended twice`);
    sold[order.reference] = event.type.replace("orderkeep.order.", "");
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
const types = ["wallet_given", "executed", "failed"].map((name) => `orderkeep.order.${name}`);
await call("POST", `${engine}/v1/webhook-endpoints`, { url, secret, types });
for (let number = 0; number < sales; number++) {
  await sell(`sale-${process.pid}-${number}`);
  console.log(JSON.stringify({ submitted: number + 1 }));
}
while (Object.keys(sold).length < sales) await pause(50);
console.log(JSON.stringify({ sold }));
process.exit(0);
