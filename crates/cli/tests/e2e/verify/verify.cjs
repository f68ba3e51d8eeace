// Verifies webhooks with the published library: one JSON object a line, `true` or `false` a line back.
const { Webhook } = require("standardwebhooks");
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const line of lines) {
  const seen = JSON.parse(line);
  try {
    new Webhook(seen.secret).verify(seen.body, seen.headers);
    console.log("true");
  } catch {
    console.log("false");
  }
}
