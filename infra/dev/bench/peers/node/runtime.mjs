// The least that the Runtime API asks of a runtime, over one connection that is kept. It stands in for aws-lambda-ric, which is
// compiled with cmake and does more per event: what it would add is in the peer's favour here.

import http from "node:http";
import { handler } from "./handler.mjs";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const base = "/2018-06-01/runtime/invocation";

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, method, path, agent, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function serve() {
  for (;;) {
    const event = await call("GET", `${base}/next`);
    const awsRequestId = event.headers["lambda-runtime-aws-request-id"];
    try {
      const answer = await handler(JSON.parse(event.body), { awsRequestId });
      await call("POST", `${base}/${awsRequestId}/response`, JSON.stringify(answer));
    } catch (error) {
      await call("POST", `${base}/${awsRequestId}/error`, JSON.stringify({ errorMessage: String(error), errorType: error.name }));
    }
  }
}

serve();
