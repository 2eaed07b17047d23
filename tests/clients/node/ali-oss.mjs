// ali-oss in Node with credentials from the mobile endpoint: `node ali-oss.mjs SERVER FILE`; tells its outcome as JSON.
import { basename } from "node:path";
import { createRequire } from "node:module";

// The library lies where the tests have installed it, not beside this script.
const OSS = createRequire(process.env.NODE_CLIENTS)("ali-oss");
const [server, file] = process.argv.slice(2);

async function ask(grant = "") {
  const given = await (await fetch(`${server}/sts?grant=${grant}`)).json();
  if (given.StatusCode !== 200) throw new Error(given.ErrorMessage);
  return given;
}

const readKeys = ({ AccessKeyId, AccessKeySecret, SecurityToken }) =>
  ({ accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, stsToken: SecurityToken });
const first = await ask();
const store = new OSS({
  ...readKeys(first),
  region: `oss-${first.region}`,
  bucket: first.bucket,
  // Under an IP address ali-oss sends the Host of the region's own endpoint, which no local OSS can be reached by.
  endpoint: first.endpoint.replace("127.0.0.1", "localhost"),
  sldEnable: true,
  authorizationV4: true,
  refreshSTSToken: async () => readKeys(await ask(first.grant)),
  refreshSTSTokenInterval: 1,
});
const { callbackUrl: url, callbackBody: body, callbackBodyType: contentType } = first.callbackParam;
const callback = { url, body, contentType };
const told = { dir: first.dir };
for (const [way, send] of Object.entries({
  put: (key) => store.put(key, file, { callback }),
  multipartUpload: (key) => store.multipartUpload(key, file, { parallel: 2, partSize: 1024 * 1024, callback }),
  outside: (key) => store.put(`elsewhere/${key}`, file),
})) {
  try {
    const { name, data } = await send(`${first.dir}${way}-${basename(file)}`);
    told[way] = { name, data };
  } catch ({ status, code, message }) {
    told[way] = { status, code, message };
  }
}
console.log(JSON.stringify(told));
