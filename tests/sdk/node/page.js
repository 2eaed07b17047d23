// Prepares the browser's scenarios: a page calls `runScenario(setting, name)` and gets null, or what was wrong.
"use strict";

let made = 0;

function encodeBase64(content) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(content)));
}

async function signPolicy({ accessKeyId, accessKeySecret }, policy) {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(accessKeySecret), hmac, false, ["sign"]);
  const encoded = encodeBase64(JSON.stringify(policy));
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(encoded)));
  return { OSSAccessKeyId: accessKeyId, policy: encoded, Signature: btoa(String.fromCharCode(...digest)) };
}

window.runScenario = async (setting, name) => {
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
  const same = (left, right) => {
    const [a, b] = [new Uint8Array(left), new Uint8Array(right)];
    return a.length === b.length && a.every((value, at) => value === b[at]);
  };
  const t = {
    ...setting,
    OSS,
    make,
    client: make(),
    receiver: (answer) => `${setting.receiver}/${setting.run}-${(made += 1)}/${answer}`,
    keys: setting.cleanKeys,
    content: Uint8Array.from(atob(setting.content), (letter) => letter.charCodeAt(0)),
    buffer: (content) => OSS.Buffer(content),
    file: (content) => new File([content], "file.bin"),
    same,
    base64: encodeBase64,
    signPolicy: (policy) => signPolicy(setting.keys, policy),
    fetch: (url, options) => fetch(url, options),
    received: async (url) => (await fetch(url)).json(),
  };
  try {
    await window.ossScenarios.scenarios[name](t);
    return null;
  } catch (error) {
    return `${error.stack}\n${JSON.stringify({ ...error, params: undefined })}`;
  }
};
