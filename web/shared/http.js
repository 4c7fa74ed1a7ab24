/** Asking the server: JSON in and out, errors as one kind, never a cookie. */

/** An answer that is a refusal, or no answer at all (`status` 0). */
export class RequestError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {number} [retryAfter] seconds
   * @param {Record<string, any>} [details]
   */
  constructor(status, code, detail, retryAfter, details) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.details = details ?? {};
  }
}

/**
 * @typedef {object} Server
 * @property {string} origin such as `https://support.example`
 * @property {string} [organization] the shop's public key
 * @property {() => string | null} token
 */

/**
 * The headers that say who asks.
 * @param {Server} server
 * @returns {Record<string, string>}
 */
export function credentials(server) {
  const token = server.token();
  return {
    ...(server.organization ? { "X-Public-Key": server.organization } : {}),
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
  };
}

/**
 * Send a request; throws RequestError where it cannot be sent or is refused.
 * @param {Server} server
 * @param {string} path
 * @param {{method?: string, body?: unknown, accept?: string, signal?: AbortSignal}} [options]
 *   a body makes it a POST unless the method is named
 * @returns {Promise<Response>}
 */
export async function request(server, path, options = {}) {
  const { body, accept = "application/json", signal } = options;
  // A form says its own type, with the boundary between its parts.
  const isJson = body !== undefined && !(body instanceof FormData);
  let response;
  try {
    response = await fetch(server.origin + path, {
      method: options.method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        Accept: accept,
        ...credentials(server),
        ...(isJson ? { "Content-Type": "application/json" } : {}),
      },
      body: isJson ? JSON.stringify(body) : /** @type {FormData | undefined} */ (body),
      credentials: "omit",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    throw new RequestError(0, signal?.aborted ? "aborted" : "unreachable", String(error));
  }
  if (response.ok) return response;
  throw await refusal(response);
}

/**
 * @param {Response} response
 * @returns {Promise<RequestError>}
 */
async function refusal(response) {
  const said = await response.json().catch(() => ({}));
  // The shop's routes say it flat, the operators' nest it; a body that does not fit is listed.
  const { code, message, details } = said.error?.code ? said.error : { ...said, code: said.error };
  const detail = said.detail || message || said.errors?.[0]?.message || response.statusText;
  const { status } = response;
  return new RequestError(status, code || "refused", detail, said.retry_after, details);
}

/**
 * Ask for JSON.
 * @param {Server} server
 * @param {string} path
 * @param {{method?: string, body?: unknown, signal?: AbortSignal}} [options]
 */
export async function ask(server, path, options) {
  return (await request(server, path, options)).json();
}

/**
 * Read server-sent events from a response until it ends.
 * @param {Response} response
 * @param {(data: any) => void} receive gets the data of each event
 * @param {() => void} [alive] called at every piece that arrives
 */
export async function readEvents(response, receive, alive = () => {}) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const events = (buffer + value).split("\n\n");
    buffer = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: "));
      if (data.length) receive(JSON.parse(data.map((line) => line.slice(6)).join("\n")));
    }
  }
}
