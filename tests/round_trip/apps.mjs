// Runs a recipe of docs/clients.md that is made for a phone, with what a phone gives it: `node apps.mjs KIND FILE < recipe`.
import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { basename } from "node:path";

const [kind, filePath] = process.argv.slice(2);
const recipe = readFileSync(0, "utf8");
const tell = (...words) => console.log(JSON.stringify(words));

// https://developers.weixin.qq.com/miniprogram/dev/api/network/upload/wx.uploadFile.html: one form of text fields and one file,
// `success` whatever the status is, `data` a text.
const wx = {
  async request({ url, success }) {
    const answer = await fetch(url);
    success({ statusCode: answer.status, data: await answer.json() });
  },
  async uploadFile({ url, filePath: path, name, formData, success }) {
    const form = new FormData();
    for (const [field, value] of Object.entries(formData)) form.append(field, String(value));
    form.append(name, new Blob([await readFile(path)], { type: "image/png" }), basename(path));
    const answer = await fetch(url, { method: "POST", body: form });
    success({ statusCode: answer.status, data: await answer.text() });
  },
};

// React Native's FormData takes an object with `uri`, `name` and `type` for a file; https://reactnative.dev/docs/network
class NativeFormData extends FormData {
  append(name, value) {
    if (typeof value === "object") super.append(name, new Blob([readFileSync(value.uri)], { type: value.type }), value.name);
    else super.append(name, value);
  }
}

const given = {
  wx,
  filePath,
  fileName: basename(filePath),
  done: () => tell("done"),
  failed: (data) => tell("failed", data),
  photo: { uri: filePath, name: basename(filePath), type: "image/png" },
  token: process.env.TOKEN,
  FormData: kind === "native" ? NativeFormData : FormData,
  tell,
};
const ending = kind === "native" ? "; tell(answer.status, await answer.json());" : "";
const Program = Object.getPrototypeOf(async () => {}).constructor;
await new Program(...Object.keys(given), recipe + ending)(...Object.values(given));
