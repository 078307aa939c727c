/** The figures of now: folded from two streams, and asked again where no stream carries them. */

import { Stream, fold } from "./wall-stream.js";
import { Refused } from "./wall-reads.js";

const ASKED_EVERY_MS = 2_000; // No more often, however many deltas come.
const ASKED_ANYWAY_MS = 60_000; // The day goes on, and with it what is due.
const PAINTED_MS = 100;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Live {
  #reads;
  #unit;
  #changed;
  #kpi = new Map();
  #backlog = new Map();
  #asked = null;
  #lost = new Map(); // By source: since when, and the status with which it was refused.
  #heard = new Map();
  #painting = null;
  #wanted = false;
  #wake = () => {
    this.#wanted = true;
  };

  /** @param {import("./wall-reads.js").Reads} reads @param {string} unit @param {() => void} changed */
  constructor(reads, unit, changed) {
    this.#reads = reads;
    this.#unit = unit;
    this.#changed = changed;
  }

  run() {
    const keys = { campaign_kpi: (row) => `${row.unit_id ?? "whole"}/${row.measure}`, backlog_by_origin: (row) => row.unit_id };
    const rows = { campaign_kpi: this.#kpi, backlog_by_origin: this.#backlog };
    for (const view of Object.keys(rows)) {
      const query = this.#unit ? `?unit=${this.#unit}` : "";
      new Stream(`/v1/streams/${view}${query}`, {
        event: (name, data) => {
          fold(rows[view], keys[view], name, data);
          this.#wake();
          this.#tell();
        },
        heard: () => this.#found(view),
        lost: (status) => this.#missed(view, status),
      }).run();
    }
    this.#keepAsking();
  }

  /** Null until everything is known. */
  get figures() {
    const urgent = this.#measure("urgent_open");
    const backlog = this.#measure("backlog");
    if (!this.#asked || !urgent || !backlog) return null;
    return { ...this.#asked, day: null, urgent: urgent.value, backlog: backlog.value, units: [...this.#backlog.values()] };
  }

  /** Whether it is as of now, since when it isn't, and with which status it was refused. */
  get standing() {
    const lost = [...this.#lost.values()];
    const refused = lost.find(({ status }) => status === 401 || status === 403 || status === 404);
    const since = lost.length ? Math.min(...lost.map((each) => each.since)) : Math.min(...this.#heard.values());
    return { live: lost.length === 0 && this.figures !== null, since, status: refused?.status ?? 0 };
  }

  #measure(name) {
    return this.#kpi.get(`${this.#unit || "whole"}/${name}`);
  }

  #found(source) {
    this.#heard.set(source, Date.now());
    if (!this.#lost.delete(source)) return;
    this.#wake();
    this.#tell();
  }

  #missed(source, status) {
    const before = this.#lost.get(source);
    this.#lost.set(source, { since: before?.since ?? this.#heard.get(source) ?? Date.now(), status });
    if (before?.status !== status) this.#tell();
  }

  /** Asks at once after a while of quiet, then no more often than may be. */
  async #keepAsking() {
    for (;;) {
      this.#wanted = false;
      const failed = await this.#ask();
      await pause(ASKED_EVERY_MS);
      if (!failed) await this.#want();
    }
  }

  async #ask() {
    try {
      this.#asked = await this.#reads.asked();
      this.#found("asked");
      return false;
    } catch (error) {
      this.#missed("asked", error instanceof Refused ? error.status : 0);
      return true;
    } finally {
      this.#tell();
    }
  }

  /** Waits until something has changed, or a minute. */
  #want() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ASKED_ANYWAY_MS);
      this.#wake = () => {
        this.#wanted = true;
        clearTimeout(timer);
        resolve();
      };
      if (this.#wanted) this.#wake();
    });
  }

  #tell() {
    this.#painting ??= setTimeout(() => {
      this.#painting = null;
      this.#changed();
    }, PAINTED_MS);
  }
}
