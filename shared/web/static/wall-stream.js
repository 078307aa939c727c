/**
 * A live stream that outlives its server: server-sent events over fetch, since EventSource tells neither of
 * heartbeats, by which a connection that hangs is noticed, nor why it was refused.
 */

const QUIET_MS = 40_000; // The server says something every 15 s.
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 10_000;

export class Stream {
  #path;
  #told;
  #lastId = null;

  /**
   * @param {string} path
   * @param {{event: (name: string, data: any) => void, heard: () => void, lost: (status: number) => void}} told
   *   `lost` has the status of a refusal, or 0
   */
  constructor(path, told) {
    this.#path = path;
    this.#told = told;
  }

  /** Listens for as long as the page lives. */
  async run() {
    for (let pause = RETRY_MS; ; pause = Math.min(pause * 2, RETRY_MAX_MS)) {
      const began = this.#lastId;
      const status = await this.#listen().catch(() => 0);
      this.#told.lost(status);
      if (this.#lastId !== began) pause = RETRY_MS;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** One connection until it ends: 0, or the status with which it was refused. */
  async #listen() {
    const quiet = new AbortController();
    let watch = setTimeout(() => quiet.abort(), QUIET_MS);
    try {
      const headers = this.#lastId === null ? {} : { "last-event-id": this.#lastId };
      const answer = await fetch(this.#path, { headers, signal: quiet.signal, cache: "no-store" });
      if (!answer.ok) return answer.status;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let unread = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 0;
        clearTimeout(watch);
        watch = setTimeout(() => quiet.abort(), QUIET_MS);
        const frames = (unread + value).split("\n\n");
        unread = frames.pop();
        frames.forEach((frame) => this.#frame(frame));
        this.#told.heard();
      }
    } finally {
      clearTimeout(watch);
    }
  }

  #frame(frame) {
    const fields = Object.fromEntries(frame.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
    if (!fields.event) return;
    this.#told.event(fields.event, JSON.parse(fields.data));
    this.#lastId = fields.id;
  }
}

/**
 * Brings the rows of a stream up to date. After a reset the rows stay until the snapshot that follows
 * replaces them, so that nothing is ever shown that nobody said.
 * @param {Map<string, any>} rows @param {(row: any) => string} keyOf
 */
export function fold(rows, keyOf, event, data) {
  if (event === "snapshot") {
    rows.clear();
    data.rows.forEach((row) => rows.set(keyOf(row), row));
  }
  if (event === "delta") {
    for (const change of data.changes) {
      if (change.op === "DELETE") rows.delete(change.key);
      else rows.set(change.key, change.row);
    }
  }
}
