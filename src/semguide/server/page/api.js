// The HTTP API of the server this page came from, and nothing else.

const KEY = "semguide.key";

/** Why a request failed, in words: what the server said, or that it could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status, 0 where no answer came.
   * @param {number | null} retryAfter seconds to wait before the next try, where the server named them.
   */
  constructor(message, status = 0, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let key = sessionStorage.getItem(KEY) ?? "";
let onReach = () => {};

/** Tell `listener` after each request whether the server answered it. */
export const tellReach = (listener) => (onReach = listener);

/** Use an API key for all requests of this tab. */
export function useKey(value) {
  key = value;
  sessionStorage.setItem(KEY, value);
}

async function call(method, path, body, options = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  let reply;
  try {
    reply = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    onReach(false);
    throw new ApiError("The server does not answer. Is semguide serve still running?");
  }
  onReach(true);
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

async function refusal(reply) {
  const after = Number.parseFloat(reply.headers.get("Retry-After") ?? "");
  let message = `The server answered ${reply.status} ${reply.statusText}`.trim();
  try {
    const { error, detail } = await reply.json();
    message = error?.message ?? (typeof detail === "string" ? detail : message);
  } catch {
    // not JSON: the status has to do
  }
  return new ApiError(message, reply.status, Number.isFinite(after) ? after : null);
}

const json = async (...request) => (await call(...request)).json();

export const getHealth = () => call("GET", "/healthz");
export const getMethods = () => json("GET", "/v1/methods");
export const getModels = async () => (await json("GET", "/v1/models")).data;

/** Split a prompt; resolves to `{texts, note}`: its concepts that would be steered, and why others would not. */
export async function getConcepts(prompt, model, most, signal) {
  const { concepts, note } = await json("POST", "/v1/concepts", { prompt, model, max_concepts: most }, { signal });
  return { texts: concepts.filter((concept) => concept.kept).map((concept) => concept.text), note };
}

/** What a job would cost, in denoiser evaluations. */
export const getCost = (request, signal) => json("POST", "/v1/jobs/cost", request, { signal });
export const startJob = (request) => json("POST", "/v1/jobs", request);
export const cancelJob = (id) => call("DELETE", `/v1/jobs/${id}`, undefined, { keepalive: true });
export const getImage = async (address, signal) => (await call("GET", address, undefined, { signal })).blob();
export const getRun = async (id) => (await call("GET", `/v1/jobs/${id}/run.json`)).blob();

/**
 * Read the events of a job as they come, until the server ends the stream.
 *
 * `EventSource` cannot send the API key, so the stream is read here; see "server-sent events" in the HTML standard.
 *
 * @param {string} last the id of the last event that was seen, "" for none.
 * @param {{previews?: boolean, signal?: AbortSignal}} options whether previews are wanted; what ends the reading.
 * @yields {{id: string, name: string, data: any}}
 * @throws {ApiError} with status 0 when the stream breaks.
 */
export async function* jobEvents(id, last, { previews = true, signal } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (last) headers["Last-Event-ID"] = last;
  const reply = await call("GET", `/v1/jobs/${id}/events${previews ? "" : "?previews=false"}`, undefined, { headers, signal });
  if (reply.status === 204) return; // all was seen before
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        if (error.name === "AbortError") throw error;
        onReach(false);
        throw new ApiError("The connection to the server broke off.");
      });
      if (done) return;
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  const fields = { event: "message", data: "", id: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(event|data|id): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = name === "data" && fields.data ? `${fields.data}\n${value}` : value;
  }
  return fields.data ? { id: fields.id, name: fields.event, data: JSON.parse(fields.data) } : null;
}
