// The admin API, by paths relative to the page. Failures are errors whose message can be shown.

export class ApiError extends Error {}

export async function call(path, { method = 'GET', body, signal } = {}) {
  const response = await fetch(path, {
    method,
    signal,
    cache: 'no-store',
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new ApiError(`The emulator answered ${response.status} without JSON.`);
  }
  if (!response.ok) throw new ApiError(answer.error ?? `The emulator answered ${response.status}.`);
  return answer;
}

export function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
}
