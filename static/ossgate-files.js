/**
 * What a file is, and whether a profile takes it; a part of the module ossgate.js.
 */

import { UploadError } from "./ossgate-errors.js";

/**
 * Check a file against a profile's limits, as the server will.
 *
 * @param {Profile} profile
 * @param {Blob} file
 * @returns {UploadError | null} What is wrong (`file_empty`, `size_under_limit`, `size_over_limit`,
 *     `content_type_not_allowed`), or null.
 */
export function checkFile(profile, file) {
  const { min_size: minSize = 0, max_size: maxSize = Infinity } = profile;
  if (file.size === 0 && minSize > 0) {
    return new UploadError("file_empty", "The file is empty.", { hint: "Choose a file that has content." });
  }
  if (file.size < minSize) {
    return new UploadError("size_under_limit", `The file is below the profile's ${minSize} bytes.`, {
      hint: "Choose a larger file.",
    });
  }
  if (file.size > maxSize) {
    return new UploadError("size_over_limit", `The file is above the profile's ${maxSize} bytes.`, {
      hint: "Choose a smaller file or another profile.",
    });
  }
  const allowed = profile.content_types ?? [];
  if (allowed.length > 0 && !allowed.some((pattern) => matchesType(pattern, guessContentType(file)))) {
    return new UploadError("content_type_not_allowed", "Files of this type are not allowed here.", {
      hint: `Allowed: ${allowed.join(", ")}.`,
    });
  }
  return null;
}

/**
 * Tell a file's content type: the browser's word, else its extension's, else application/octet-stream.
 *
 * @param {Blob} file
 * @returns {string}
 */
export function guessContentType(file) {
  const told = (file.type ?? "").split(";")[0].trim().toLowerCase();
  return told || TYPES_BY_EXTENSION[extensionOf(file.name)] || "application/octet-stream";
}

// Types that browsers commonly leave empty.
const TYPES_BY_EXTENSION = {
  avif: "image/avif",
  csv: "text/csv",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  mkv: "video/x-matroska",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain",
  webm: "video/webm",
  webp: "image/webp",
  zip: "application/zip",
};

function matchesType(pattern, type) {
  const wanted = pattern.toLowerCase();
  return wanted === "*/*" || wanted === type || (wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1)));
}

function extensionOf(name = "") {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}
