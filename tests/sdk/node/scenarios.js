// What ali-oss is asked to do, in Node and in a browser alike; each scenario throws when something is not as it should be.
"use strict";

(function (root) {
  const PART = 100 * 1024;
  const FORM = "bucket=${bucket}&object=${object}&size=${size}&uid=${x:uid}";

  function equal(actual, expected, what = "") {
    const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (left !== right) throw new Error(`${what} ${left} is not ${right}`);
  }

  async function refused(promise) {
    try {
      await promise;
    } catch (error) {
      return error;
    }
    throw new Error("nothing was refused");
  }

  const text = (body) => new TextDecoder().decode(body);

  // ${x:uid} must go to OSS as it stands.
  const callbackTo = (url, uid = "张 三+1") => ({
    url,
    body: FORM,
    contentType: "application/x-www-form-urlencoded",
    customValue: { uid },
  });

  async function called(t, url) {
    const [only, ...more] = await t.received(url);
    equal(more.length, 0, "callbacks too many:");
    return Object.fromEntries(new URLSearchParams(only));
  }

  async function uploadParts(t, key, send) {
    const { uploadId } = await t.client.initMultipartUpload(key);
    const content = t.file(t.content);
    const parts = [];
    for (let start = 0, number = 1; start < t.content.length; start += PART, number += 1) {
      const end = Math.min(start + PART, t.content.length);
      const etag = send
        ? await send(uploadId, number, t.content.subarray(start, end))
        : (await t.client.uploadPart(key, uploadId, number, content, start, end)).etag;
      parts.push({ number, etag });
    }
    return { uploadId, parts };
  }

  function signUrl(t, method, key, { headers = {}, queries = {}, response } = {}) {
    if (t.version === "v4") {
      const more = Object.fromEntries(Object.entries(response || {}).map(([k, v]) => [`response-${k}`, v]));
      return t.client.signatureUrlV4(method, 60, { headers, queries: { ...queries, ...more } }, key);
    }
    const own = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
    return t.client.asyncSignatureUrl(key, { method, expires: 60, ...own, subResource: queries, response });
  }

  const scenarios = {
    async "puts, gets, describes and deletes odd keys"(t) {
      for (const name of t.keys) {
        const key = t.folder + name;
        const put = await t.client.put(key, t.buffer(t.content), { mime: "text/plain", meta: { author: "x" } });
        const got = await t.client.get(key);
        const head = await t.client.head(key);

        equal(put.res.status, 200);
        equal(t.same(got.content, t.content), true, key);
        equal([head.meta.author, head.res.headers["content-type"]], ["x", "text/plain"], key);
        equal(head.res.headers["x-oss-hash-crc64ecma"], t.crc);
        equal((await t.client.getObjectMeta(key)).res.headers["content-length"], String(t.content.length));
        equal((await t.client.delete(key)).res.status, 204);
        const error = await refused(t.client.get(key));
        equal([error.name, error.status, error.code], ["NoSuchKeyError", 404, "NoSuchKey"]);
      }
    },

    async "reads ranges, and what has not changed"(t) {
      const { res } = await t.client.put(`${t.folder}a`, t.buffer(t.content));
      for (const [range, slice] of [
        ["bytes=0-9", t.content.subarray(0, 10)],
        ["bytes=100-", t.content.subarray(100)],
        ["bytes=-7", t.content.subarray(-7)],
      ]) {
        const got = await t.client.get(`${t.folder}a`, { headers: { Range: range } });
        equal([got.res.status, t.same(got.content, slice)], [206, true], range);
      }
      const same = await t.client.head(`${t.folder}a`, { headers: { "If-None-Match": res.headers.etag } });
      equal(same.status, 304);
      const error = await refused(t.client.head(`${t.folder}a`, { headers: { "If-Match": '"other"' } }));
      equal([error.name, error.status], ["PreconditionFailedError", 412]);
    },

    async "appends"(t) {
      const first = await t.client.append(`${t.folder}log`, t.buffer("hello"));
      equal(first.nextAppendPosition, "5");
      await t.client.append(`${t.folder}log`, t.buffer(" world"), { position: "5" });
      equal(text((await t.client.get(`${t.folder}log`)).content), "hello world");
      const error = await refused(t.client.append(`${t.folder}log`, t.buffer("x"), { position: "3" }));
      equal([error.status, error.code], [409, "PositionNotEqualToLength"]);
    },

    async "copies odd keys"(t) {
      for (const name of t.keys) {
        await t.client.put(t.folder + name, t.buffer(name));
        const copied = await t.client.copy(`${t.folder}copy of/${name}`, t.folder + name);
        equal([copied.res.status, Boolean(copied.data.etag)], [200, true]);
        equal(text((await t.client.get(`${t.folder}copy of/${name}`)).content), name);
      }
      await t.client.put(`${t.folder}large 大`, t.buffer(t.content));
      await t.client.multipartUploadCopy(
        `${t.folder}parts`,
        { sourceKey: `${t.folder}large 大`, sourceBucketName: t.bucket },
        { partSize: PART },
      );
      equal(t.same((await t.client.get(`${t.folder}parts`)).content, t.content), true);
    },

    async "lists odd keys by both listings, and deletes several"(t) {
      const keys = t.keys.map((name) => t.folder + name);
      for (const key of keys) await t.client.put(key, t.buffer("x"));
      const [first, second] = [[], []];
      let marker = null;
      do {
        const page = await t.client.list({ prefix: t.folder, "max-keys": 3, marker });
        first.push(...page.objects.map((found) => found.name));
        marker = page.nextMarker;
      } while (marker);
      let continuationToken;
      do {
        const page = await t.client.listV2({ prefix: t.folder, "max-keys": "3", continuationToken });
        second.push(...page.objects.map((found) => found.name));
        continuationToken = page.nextContinuationToken;
      } while (continuationToken);

      equal([first.length, [...first].sort()], [keys.length, [...keys].sort()]);
      equal(second, first);
      const rolled = await t.client.listV2({ prefix: t.folder, delimiter: "/" });
      const folders = keys.map((key) => key.slice(0, key.indexOf("/", t.folder.length) + 1)).filter(Boolean);
      equal([...rolled.prefixes].sort(), [...new Set(folders)].sort());
      const { deleted } = await t.client.deleteMulti(keys);
      equal(deleted.map((found) => found.Key).sort(), [...keys].sort());
      equal((await t.client.listV2({ prefix: t.folder })).keyCount, 0);
    },

    async "uploads in parts by hand"(t) {
      const key = `${t.folder}键 +%.bin`;
      const { uploadId, parts } = await uploadParts(t, key);
      const listed = await t.client.listParts(key, uploadId);
      equal(listed.parts.map((part) => part.PartNumber), ["1", "2", "3"]);
      const { uploads } = await t.client.listUploads({ prefix: t.folder, "max-uploads": 10 });
      equal(uploads.map((found) => [found.name, found.uploadId]), [[key, uploadId]]);
      const done = await t.client.completeMultipartUpload(key, uploadId, parts);
      equal(done.etag.endsWith('-3"'), true, done.etag);
      equal(t.same((await t.client.get(key)).content, t.content), true);
      const other = await t.client.initMultipartUpload(key);
      equal((await t.client.abortMultipartUpload(key, other.uploadId)).res.status, 204);
      const error = await refused(t.client.completeMultipartUpload(key, other.uploadId, parts));
      equal([error.status, error.code], [404, "NoSuchUpload"]);
    },

    async "goes on with a large upload where it was broken off"(t) {
      const key = `${t.folder}大 file`;
      let kept;
      const cancelled = await refused(
        t.client.multipartUpload(key, t.file(t.content), {
          partSize: PART,
          parallel: 1,
          progress: (done, checkpoint) => {
            kept = checkpoint;
            if (checkpoint.doneParts.length === 1) t.client.cancel();
          },
        }),
      );
      equal([cancelled.name, kept.doneParts.length], ["cancel", 1]);
      const seen = [];
      const result = await t.client.multipartUpload(key, t.file(t.content), {
        partSize: PART,
        checkpoint: kept,
        progress: (done) => seen.push(done),
      });
      // Two parts that were left, and the end.
      equal([result.res.status, seen.length], [200, 3]);
      const head = await t.client.head(key);
      equal([head.res.headers["x-oss-object-type"], head.res.headers["x-oss-hash-crc64ecma"]], ["Multipart", t.crc]);
      equal(t.same((await t.client.get(key)).content, t.content), true);
    },

    async "makes URLs to put and to get odd keys"(t) {
      for (const name of t.keys) {
        const key = t.folder + name;
        const headers = { "Content-Type": "text/plain", "x-oss-meta-a": "1" };
        const target = await signUrl(t, "PUT", key, { headers });
        equal((await t.fetch(target, { method: "PUT", headers, body: "hello" })).status, 200, key);
        const other = { ...headers, "Content-Type": "a/b" };
        equal((await t.fetch(target, { method: "PUT", headers: other, body: "hello" })).status, 403, key);
        const got = await t.fetch(await signUrl(t, "GET", key, { response: { "content-type": "text/x-a" } }));
        equal([got.status, await got.text(), got.headers.get("content-type")], [200, "hello", "text/x-a"], key);
      }
    },

    async "makes URLs of parts and of their completion"(t) {
      const key = `${t.folder}部 分`;
      const { uploadId, parts } = await uploadParts(t, key, async (id, partNumber, body) => {
        const target = await signUrl(t, "PUT", key, { queries: { partNumber: String(partNumber), uploadId: id } });
        return (await t.fetch(target, { method: "PUT", body })).headers.get("etag");
      });
      const inner = parts.map((p) => `<Part><PartNumber>${p.number}</PartNumber><ETag>${p.etag}</ETag></Part>`);
      const body = new TextEncoder().encode(
        `<CompleteMultipartUpload>${inner.join("")}</CompleteMultipartUpload>`,
      );
      const answer = await t.fetch(await signUrl(t, "POST", key, { queries: { uploadId } }), { method: "POST", body });
      equal(answer.status, 200, await answer.text());
      equal(t.same((await t.client.get(key)).content, t.content), true);
    },

    async "calls back with variables from put, parts and completion"(t) {
      const uploads = {
        put: (key, callback) => t.client.put(key, t.buffer(t.content), { callback }),
        parts: (key, callback) => t.client.multipartUpload(key, t.file(t.content), { partSize: PART, callback }),
        complete: async (key, callback) => {
          const { uploadId, parts } = await uploadParts(t, key);
          return t.client.completeMultipartUpload(key, uploadId, parts, { callback });
        },
      };
      for (const [name, upload] of Object.entries(uploads)) {
        const [key, url] = [`${t.folder}中 ${name}`, t.receiver("ok")];
        const result = await upload(key, callbackTo(url));
        equal(result.data, { Status: "OK", note: "你好" });
        equal(await called(t, url), { bucket: t.bucket, object: key, size: String(t.content.length), uid: "张 三+1" });
      }
    },

    async "throws when a callback fails, though the object is there"(t) {
      for (const answer of ["refuse", "text"]) {
        const [put, complete] = [`${t.folder}put ${answer}`, `${t.folder}complete ${answer}`];
        const errors = [await refused(t.client.put(put, t.buffer("hello"), { callback: callbackTo(t.receiver(answer)) }))];
        errors.push(
          await refused(
            t.client.multipartUpload(complete, t.file(t.content), {
              partSize: PART,
              callback: callbackTo(t.receiver(answer)),
            }),
          ),
        );
        for (const error of errors) {
          equal([error.name, error.status, error.code], ["CallbackFailedError", 203, "CallbackFailed"]);
          equal(error.ecCode, answer === "text" ? "0007-00000205" : "0007-00000203");
        }
        equal(text((await t.client.get(put)).content), "hello");
        equal(t.same((await t.client.get(complete)).content, t.content), true);
      }
    },

    async "makes URLs that call back"(t) {
      const url = t.receiver("ok");
      const callback = t.base64(JSON.stringify({ callbackUrl: url, callbackBody: FORM }));
      const variables = t.base64(JSON.stringify({ "x:uid": "7" }));
      let [target, headers] = [null, {}];
      if (t.version === "v4") {
        headers = { "x-oss-callback": callback, "x-oss-callback-var": variables };
        target = await signUrl(t, "PUT", `${t.folder}a`, { headers });
      } else {
        target = await t.client.asyncSignatureUrl(`${t.folder}a`, {
          method: "PUT",
          callback: { url, body: FORM, customValue: { uid: "7" } },
        });
      }
      const answer = await t.fetch(target, { method: "PUT", headers, body: t.content });
      equal([answer.status, await answer.json()], [200, { Status: "OK", note: "你好" }]);
      equal((await called(t, url)).uid, "7");
    },

    async "signs post policies whose forms are taken, with callbacks and variables"(t) {
      for (const answer of ["ok", "refuse"]) {
        const [key, url] = [`${t.folder}form ${answer}`, t.receiver(answer)];
        const date = new Date();
        const day = date.toISOString().replace(/[-:]|\.\d+/g, "");
        const fields = { key, callback: t.base64(JSON.stringify({ callbackUrl: url, callbackBody: FORM })), "x:uid": "王" };
        const conditions = [{ bucket: t.bucket }, ["starts-with", "$key", t.folder], { callback: fields.callback }];
        const { options } = t.client;
        if (options.stsToken) fields["x-oss-security-token"] = options.stsToken;
        if (t.version === "v4") {
          fields["x-oss-signature-version"] = "OSS4-HMAC-SHA256";
          fields["x-oss-date"] = day;
          fields["x-oss-credential"] =
            `${options.accessKeyId}/${day.slice(0, 8)}/cn-hangzhou/oss/aliyun_v4_request`;
          for (const [name, value] of Object.entries(fields)) {
            if (/^x-oss-/.test(name)) conditions.push({ [name]: value });
          }
        }
        const policy = { expiration: new Date(Date.now() + 60000).toISOString(), conditions };
        if (t.version === "v4") {
          fields.policy = t.base64(JSON.stringify(policy));
          fields["x-oss-signature"] = t.client.signPostObjectPolicyV4(policy, date);
        } else {
          // The browser build has no helper for version 1.
          Object.assign(fields, await (t.signPolicy || ((text) => t.client.calculatePostSignature(text)))(policy));
        }
        const post = async (changes) => {
          const form = new FormData();
          for (const [name, value] of Object.entries({ ...fields, ...changes })) form.append(name, value);
          form.append("file", new Blob([t.content], { type: "text/plain" }), "f.txt");
          const response = await t.fetch(`${t.endpoint}/${t.bucket}`, { method: "POST", body: form });
          return [response.status, await response.text()];
        };
        const [status, body] = await post({});
        if (answer === "ok") equal([status, JSON.parse(body)], [200, { Status: "OK", note: "你好" }]);
        else equal([status, body.includes("<Code>CallbackFailed</Code>")], [203, true]);
        equal(await called(t, url), { bucket: t.bucket, object: key, size: String(t.content.length), uid: "王" });
        equal((await post({ key: "elsewhere" }))[0], 403);
        equal(t.same((await t.client.get(key)).content, t.content), true);
      }
    },

    async "changes ACL, metadata and tags"(t) {
      const key = `${t.folder}a b`;
      await t.client.put(key, t.buffer("x"), { meta: { a: "1" } });
      await t.client.putACL(key, "public-read");
      equal((await t.client.getACL(key)).acl, "public-read");
      equal((await t.fetch(`${t.endpoint}/${t.bucket}/${t.folder}a%20b`)).status, 200);
      await t.client.putObjectTagging(key, { k: "v" });
      equal((await t.client.getObjectTagging(key)).tag, { k: "v" });
      await t.client.deleteObjectTagging(key);
      equal((await t.client.getObjectTagging(key)).tag, {});
      await t.client.copy(key, key, { meta: { a: "2" } });
      equal((await t.client.head(key)).meta.a, "2");
    },

    async "is refused what a session policy does not allow"(t) {
      const client = t.make(t.limited);
      equal((await client.put(`${t.limitedFolder}a`, t.buffer("x"))).res.status, 200);
      for (const act of [
        () => client.put(`${t.folder}a`, t.buffer("x")),
        () => client.get(`${t.limitedFolder}a`),
        () => client.listV2({ prefix: t.folder }),
      ]) {
        const error = await refused(act());
        equal([error.name, error.status, error.ecCode], ["AccessDeniedError", 403, "0003-00000301"]);
      }
    },

    async "fetches new temporary keys when they are due"(t) {
      let asked = 0;
      const client = t.make({
        ...t.limited,
        refreshSTSTokenInterval: 0,
        refreshSTSToken: async () => {
          asked += 1;
          return t.temporary;
        },
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await client.put(`${t.folder}a`, t.buffer("x"));
      equal(asked, 1);
    },

    async "is told what a wrong signature should have been made of"(t) {
      const client = t.make({ accessKeySecret: "wrong" });
      const error = await refused(client.put(`${t.folder}a`, t.buffer("x")));
      equal([error.name, error.status, error.code], ["SignatureDoesNotMatchError", 403, "SignatureDoesNotMatch"]);
    },
  };

  root.ossScenarios = { scenarios, equal, refused, text, callbackTo, called };
})(typeof globalThis === "undefined" ? window : globalThis);
