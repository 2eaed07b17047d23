// Runs all scenarios by one way of signing; reads its setting from standard input, and tells each result as a JSON line.
"use strict";

require("./scenarios.js");
const { scenarios } = globalThis.ossScenarios;
const setting = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const OSS = require(setting.package);
const all = { ...scenarios, ...require("./node_scenarios.js") };
let made = 0;

const make = (changes = {}) =>
  new OSS({
    endpoint: setting.endpoint,
    sldEnable: true,
    bucket: setting.bucket,
    region: "oss-cn-hangzhou",
    authorizationV4: setting.version === "v4",
    ...setting.keys,
    ...changes,
  });

async function main() {
  for (const [number, [name, act]] of Object.entries(all).entries()) {
    const receiver = (answer) => `${setting.receiver}/${setting.run}-${(made += 1)}/${answer}`;
    const t = {
      ...setting,
      OSS,
      make,
      receiver,
      client: make(),
      folder: `${setting.run}-${number}/`,
      keys: setting.cleanKeys,
      content: Buffer.from(setting.content, "base64"),
      buffer: (content) => Buffer.from(content),
      file: (content) => Buffer.from(content),
      same: (left, right) => Buffer.compare(left, right) === 0,
      base64: (content) => Buffer.from(content).toString("base64"),
      fetch: (url, options) => fetch(url, options),
      received: async (url) => (await fetch(url)).json(),
    };
    let problem = null;
    try {
      await act(t);
    } catch (error) {
      problem = `${error.stack}\n${JSON.stringify({ ...error, params: undefined })}`;
    }
    process.stdout.write(`${JSON.stringify({ name, problem })}\n`);
  }
}

main().then(() => process.exit(0));
