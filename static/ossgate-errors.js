/**
 * What can go wrong on the way of an upload; a part of the module ossgate.js.
 *
 * The bucket's refusals are those of PostObject and UploadPart:
 * https://www.alibabacloud.com/help/en/oss/developer-reference/postobject
 * https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart
 */

/**
 * @typedef {object} OssError
 * @property {string} code
 * @property {string} message
 * @property {string} ec
 * @property {string} requestId
 */

/** Anything that went wrong on the way of an upload, with what to do about it. */
export class UploadError extends Error {
  /**
   * @param {string} code A stable word to branch on; docs/javascript.md lists them.
   * @param {string} message What happened, in English.
   * @param {object} [facts]
   * @param {string} [facts.hint] What to do.
   * @param {number} [facts.status] The HTTP status; 0 when there was no answer.
   * @param {boolean} [facts.retryable] Whether the same file may succeed when tried again.
   * @param {boolean} [facts.stored] Whether the object is known to be in the bucket.
   * @param {string} [facts.uploadId]
   * @param {number | null} [facts.retryAfter] Seconds that the server asks to wait.
   * @param {string} [facts.requestId]
   * @param {OssError | null} [facts.oss] The bucket's own words.
   * @param {import("./ossgate-server.js").Grant | import("./ossgate-parts.js").PartsGrant | null} [facts.grant] The grant that the attempt was made with.
   * @param {unknown} [facts.cause]
   */
  constructor(code, message, facts = {}) {
    super(message, { cause: facts.cause });
    this.name = "UploadError";
    this.code = code;
    this.hint = facts.hint ?? "";
    this.status = facts.status ?? 0;
    this.retryable = facts.retryable ?? false;
    this.stored = facts.stored ?? false;
    this.uploadId = facts.uploadId ?? "";
    this.retryAfter = facts.retryAfter ?? null;
    this.requestId = facts.requestId ?? "";
    this.oss = facts.oss ?? null;
    this.grant = facts.grant ?? null;
  }
}

/**
 * Read the code, message, EC and request id out of OSS's error XML.
 *
 * @param {string} xml
 * @returns {OssError | null} Null when the text is no such XML.
 */
export function parseOssError(xml) {
  const read = (name) => {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
    return found ? unescapeXml(found[1]) : "";
  };
  return /<Error[\s>]/.test(xml)
    ? { code: read("Code"), message: read("Message"), ec: read("EC"), requestId: read("RequestId") }
    : null;
}

// Codes of the bucket, in the order in which they are looked for: [test, our code, may be tried again, message, hint].
const BUCKET_REFUSALS = [
  [
    (oss) => oss.ec === "0006-00000213" || /policy expired/i.test(oss.message),
    "policy_expired",
    true,
    "The permission expired before the whole file had arrived.",
    "Try again: a new permission is asked for.",
  ],
  [
    (oss) => oss.code === "AccessDenied" && /request has expired/i.test(oss.message),
    "url_expired",
    true,
    "The permission for a part expired before it was sent.",
    "Try again: a new permission is asked for.",
  ],
  [
    (oss) => oss.code === "NoSuchUpload",
    "upload_closed",
    false,
    "The upload was ended before the whole file had arrived.",
    "Begin again.",
  ],
  [
    (oss) => oss.ec === "0006-00000227" || /policy condition failed/i.test(oss.message),
    "policy_refused",
    false,
    "The form does not match its permission.",
    "Add the file again. If it is refused again, the server's operator must look at it.",
  ],
  [
    (oss) => oss.code === "EntityTooLarge",
    "entity_too_large",
    false,
    "The bucket refused the file: it is larger than its permission allows.",
    "Choose a smaller file, or add it again if it has changed.",
  ],
  [
    (oss) => oss.code === "EntityTooSmall",
    "entity_too_small",
    false,
    "The bucket refused the file: it is smaller than its permission allows.",
    "Add the file again if it has changed.",
  ],
  [
    (oss) => ["FileAlreadyExists", "FileImmutable"].includes(oss.code),
    "object_exists",
    true,
    "An object of this name is already stored, and it is not overwritten.",
    "Try again: a new name is asked for.",
  ],
  [
    (oss) => oss.code === "RequestTimeTooSkewed",
    "clock_skewed",
    true,
    "The server's clock differs from the bucket's.",
    "Try again. If it stays, the server's operator must set its clock.",
  ],
  [
    (oss) => ["SignatureDoesNotMatch", "InvalidAccessKeyId"].includes(oss.code),
    "signature_refused",
    false,
    "The bucket does not accept the server's signature.",
    "The server's operator must check its AccessKey.",
  ],
  [
    (oss) => oss.code === "AccessDenied",
    "access_denied",
    false,
    "The bucket denies access.",
    "The server's operator must check the bucket's rights.",
  ],
];

/**
 * Tell which refusal of the bucket this is.
 *
 * @param {number} status
 * @param {OssError | null} oss
 * @param {object} facts Of the attempt: uploadId and grant.
 * @returns {UploadError}
 */
export function refusalOfBucket(status, oss, facts) {
  const found = oss && BUCKET_REFUSALS.find(([test]) => test(oss));
  const more = { ...facts, status, oss, requestId: oss?.requestId };
  if (found) {
    const [, code, retryable, message, hint] = found;
    return new UploadError(code, message, { ...more, retryable, hint });
  }
  if (status >= 500 || status === 429) {
    return new UploadError("bucket_unavailable", "The bucket is not able to answer just now.", {
      ...more,
      retryable: true,
      hint: "Try again in a moment.",
    });
  }
  return new UploadError("bucket_refused", `The bucket refused what was sent (${oss?.code || status}).`, {
    ...more,
    hint: "The details tell the server's operator what to change.",
  });
}

function unescapeXml(text) {
  const names = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => names[name]);
}
