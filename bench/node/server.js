// The servers from npm that do a like signature: `node server.js companion|ali-oss PORT`. Each ends with its parent.
import fs from "node:fs";
import process from "node:process";
import express from "express";

const [kind, port] = process.argv.slice(2);
const ID = "bench-access-key-id";
const SECRET = "s".repeat(30);
const BUCKET = "demo-bucket";
const REGION = "oss-cn-hangzhou";
const LARGEST = 20_000_000;

const parent = fs.createReadStream(null, { fd: Number(process.env.OSSGATE_PARENT_FD) });
parent.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();

const app = express();
app.get("/", (request, response) => response.json({ status: "ok" }));
await { companion: addCompanion, "ali-oss": addAliOss }[kind]();
// As long as ours keeps connections; Node's five seconds can end while another server has its turn.
app.listen(Number(port), "127.0.0.1").keepAliveTimeout = 75_000;

async function addCompanion() {
  const companion = await import("@uppy/companion");
  const { app: routes } = companion.app({
    secret: "x".repeat(32),
    filePath: process.cwd(),
    server: { host: `127.0.0.1:${port}`, protocol: "http" },
    corsOrigins: true,
    uploadUrls: [`https://${BUCKET}.${REGION}.aliyuncs.com`],
    s3: {
      key: ID, secret: SECRET, bucket: BUCKET, region: "cn-hangzhou", expires: 460,
      conditions: [["content-length-range", 1, LARGEST]],
    },
  });
  app.use(routes);
}

async function addAliOss() {
  const { default: OSS } = await import("ali-oss");
  const client = new OSS({ accessKeyId: ID, accessKeySecret: SECRET, bucket: BUCKET, region: REGION, authorizationV4: true });
  app.post("/v1/uploads", express.json(), (request, response) => {
    const now = new Date();
    const date = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
    const key = `photos/${request.body.subject}/${crypto.randomUUID()}.jpg`;
    const fields = {
      key,
      "x-oss-content-type": request.body.content_type,
      success_action_status: "200",
      "x-oss-forbid-overwrite": "true",
      callback: Buffer.from(JSON.stringify({
        callbackUrl: "http://127.0.0.1/callback",
        callbackBody: '{"object":${object},"size":${size},"etag":${etag}}',
        callbackBodyType: "application/json",
      })).toString("base64"),
      "x-oss-signature-version": "OSS4-HMAC-SHA256",
      "x-oss-credential": `${ID}/${date.slice(0, 8)}/cn-hangzhou/oss/aliyun_v4_request`,
      "x-oss-date": date,
    };
    const policy = {
      expiration: new Date(now.getTime() + 460_000).toISOString(),
      conditions: [
        { bucket: BUCKET },
        ["content-length-range", request.body.size, request.body.size],
        ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
      ],
    };
    fields.policy = Buffer.from(JSON.stringify(policy)).toString("base64");
    fields["x-oss-signature"] = client.signPostObjectPolicyV4(policy, now);
    response.status(201).json({ method: "POST", url: `https://${BUCKET}.${REGION}.aliyuncs.com`, fields });
  });
}
