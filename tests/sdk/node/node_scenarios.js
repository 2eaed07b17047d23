// What only Node can do: streams, files, buckets, other endpoints, and STS.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Readable } = require("node:stream");
const { equal, refused, text, callbackTo, called } = globalThis.ossScenarios;

async function drain(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

module.exports = {
  async "streams up in chunks, and down"(t) {
    const key = `${t.folder}流 stream`;
    await t.client.putStream(key, Readable.from([t.content.subarray(0, 1000), t.content.subarray(1000)]));
    equal(t.same(await drain((await t.client.getStream(key)).stream), t.content), true);
    const url = t.receiver("ok");
    const result = await t.client.putStream(key, Readable.from([Buffer.from("hello")]), { callback: callbackTo(url) });
    equal(result.data, { Status: "OK", note: "你好" });
    equal((await called(t, url)).size, "5");
  },

  // Where the path is folded, what was signed is another key.
  async "cannot use a key with dots between slashes"(t) {
    const error = await refused(t.client.put(`${t.folder}a/../b`, Buffer.from("x")));
    equal(error.code, "SignatureDoesNotMatch");
  },

  async "puts and gets files"(t) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ali-oss-"));
    const [source, target] = [path.join(folder, "源.png"), path.join(folder, "target")];
    fs.writeFileSync(source, t.content);
    await t.client.put(`${t.folder}a.png`, source);
    equal((await t.client.head(`${t.folder}a.png`)).res.headers["content-type"], "image/png");
    await t.client.get(`${t.folder}a.png`, target);
    equal(t.same(fs.readFileSync(target), t.content), true);
    await t.client.multipartUpload(`${t.folder}b.png`, source, { partSize: 100 * 1024, parallel: 2 });
    equal(t.same((await t.client.get(`${t.folder}b.png`)).content, t.content), true);
    fs.rmSync(folder, { recursive: true });
  },

  async "puts, reads and deletes CORS rules of a bucket of its own"(t) {
    const bucket = `cors-${t.folder.slice(0, -1)}`;
    await t.client.putBucket(bucket);
    const rule = {
      allowedOrigin: ["https://a.example", "https://*.b.example"],
      allowedMethod: ["PUT", "GET"],
      allowedHeader: "x-oss-*",
      exposeHeader: "ETag",
      maxAgeSeconds: "60",
    };
    await t.client.putBucketCORS(bucket, [rule]);
    equal((await t.client.getBucketCORS(bucket)).rules, [rule]);
    const preflight = async (origin) =>
      (
        await t.fetch(`${t.endpoint}/${bucket}/a`, {
          method: "OPTIONS",
          headers: { Origin: origin, "Access-Control-Request-Method": "PUT" },
        })
      ).status;
    equal([await preflight("https://x.b.example"), await preflight("https://c.example")], [200, 403]);
    await t.client.deleteBucketCORS(bucket);
    equal((await refused(t.client.getBucketCORS(bucket))).code, "NoSuchCORSConfiguration");
    equal((await t.client.deleteBucket(bucket)).res.status, 204);
  },

  async "describes buckets"(t) {
    const { bucket } = await t.client.getBucketInfo(t.bucket);
    equal([bucket.Name, bucket.Location], [t.bucket, "oss-cn-hangzhou"]);
    equal((await t.client.getBucketLocation(t.bucket)).location, "oss-cn-hangzhou");
    equal((await t.client.getBucketACL(t.bucket)).acl, "private");
    equal((await t.client.listBuckets()).buckets.some((found) => found.name === t.bucket), true);
  },

  async "reaches the bucket by an address, with the Host that it makes up"(t) {
    const endpoint = t.endpoint.replace("localhost", "127.0.0.1");
    for (const sldEnable of [true, false]) {
      const client = t.make({ endpoint, sldEnable });
      const key = `${t.folder}a b ${sldEnable}`;
      await client.put(key, Buffer.from("hello"));
      equal(text((await client.get(key)).content), "hello");
      equal(text((await t.client.get(key)).content), "hello");
      equal((await client.listV2({ prefix: key })).keyCount, 1);
    }
    const error = await refused((async () => t.make({ endpoint }).signatureUrl("a"))());
    equal(error.message, "can not get the object URL when endpoint is IP");
  },

  async "assumes a role by its own STS, and uses what it gets"(t) {
    const sts = new t.OSS.STS({ accessKeyId: t.longTerm.id, accessKeySecret: t.longTerm.secret, endpoint: t.endpoint });
    const policy = {
      Version: "1",
      Statement: [{ Effect: "Allow", Action: ["oss:PutObject"], Resource: [`acs:oss:*:*:${t.bucket}/${t.folder}*`] }],
    };
    const { credentials } = await sts.assumeRole(t.role, policy, 900, "node");
    const client = t.make({
      accessKeyId: credentials.AccessKeyId,
      accessKeySecret: credentials.AccessKeySecret,
      stsToken: credentials.SecurityToken,
    });
    await client.put(`${t.folder}mine`, Buffer.from("x"));
    equal((await refused(client.get(`${t.folder}mine`))).code, "AccessDenied");
    const error = await refused(sts.assumeRole(t.role, "{}", 900, "node"));
    equal([error.status, error.code], [400, "InvalidParameter.PolicyGrammar"]);
    const wrong = new t.OSS.STS({ accessKeyId: t.longTerm.id, accessKeySecret: "wrong", endpoint: t.endpoint });
    equal((await refused(wrong.assumeRole(t.role))).code, "SignatureDoesNotMatch");
  },

  // The example of the documentation's page on upload callbacks for Node.
  async "example: puts a local file and calls back with two variables"(t) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ali-oss-"));
    const source = path.join(folder, "examplefile.txt");
    fs.writeFileSync(source, "hello");
    const url = t.receiver("ok");
    const key = `${t.folder}exampleobject.txt`;
    const result = await t.client.put(key, path.normalize(source), {
      callback: {
        url,
        body: "bucket=${bucket}&object=${object}&var1=${x:var1}&var2=${x:var2}",
        contentType: "application/x-www-form-urlencoded",
        callbackSNI: true,
        customValue: { var1: "value1", var2: "value2" },
      },
    });
    equal([result.res.status, result.data.Status], [200, "OK"]);
    equal(await called(t, url), { bucket: t.bucket, object: key, var1: "value1", var2: "value2" });
    fs.rmSync(folder, { recursive: true });
  },

  // The SDK's README: headers that are made by hand, for put and for uploads in parts.
  async "example: callback headers of one's own"(t) {
    const headersTo = (url) => ({
      "x-oss-callback": Buffer.from(
        JSON.stringify({
          callbackUrl: url,
          callbackHost: "callback.example.com",
          callbackBody: '{"object":${object},"mimeType":${mimeType},"size":${size},"var1":${x:var1}}',
          callbackBodyType: "application/json",
        }),
      ).toString("base64"),
      "x-oss-callback-var": Buffer.from(JSON.stringify({ "x:var1": 'say "hi"' })).toString("base64"),
    });
    for (const [name, upload] of [
      ["put", (key, headers) => t.client.put(key, Buffer.from(t.content), { mime: "text/plain", headers })],
      [
        "parts",
        (key, headers) =>
          t.client.multipartUpload(key, Buffer.from(t.content), { partSize: 100 * 1024, mime: "text/plain", headers }),
      ],
    ]) {
      const [key, url] = [`${t.folder}${name}`, t.receiver("ok")];
      const result = await upload(key, headersTo(url));
      equal(result.data, { Status: "OK", note: "你好" });
      const [body] = await t.received(url);
      equal(JSON.parse(body), { object: key, mimeType: "text/plain", size: t.content.length, var1: 'say "hi"' });
    }
  },
};
