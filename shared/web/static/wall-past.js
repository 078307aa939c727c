/** The wall as it stood on an earlier evening: a slider over 90 days, which also runs by itself. */

import { LINE_DAYS } from "./wall-reads.js";
import { tell } from "./wall-tiles.js";
import { addDays, daysBetween, inWords, say, today } from "./wall-words.js";

const STEP_MS = 800;

const at = (id) => document.getElementById(id);

export class Past {
  #reads;
  #told;
  #known = new Map(); // Evenings that were looked at, those of one window at most.
  #asking = new AbortController();
  #playing = null;

  /** The figures of the day that is looked at; null for now. */
  figures = null;

  /** @param {import("./wall-reads.js").Reads} reads @param {() => void} told */
  constructor(reads, told) {
    this.#reads = reads;
    this.#told = told;
    at("look-back").addEventListener("click", () => (at("past").hidden ? this.#open() : this.#close()));
    at("to-now").addEventListener("click", () => this.#close());
    at("day").addEventListener("input", () => this.#go(Number(at("day").value)));
    at("earlier").addEventListener("click", () => this.#go(Number(at("day").value) - 1));
    at("later").addEventListener("click", () => this.#go(Number(at("day").value) + 1));
    at("play").addEventListener("click", () => (this.#playing ? this.#stop() : this.#play()));
    at("until").addEventListener("change", () => this.#window());
  }

  get open() {
    return !at("past").hidden;
  }

  /** The last day of the line. */
  get until() {
    return this.open ? at("until").value : today();
  }

  #open() {
    at("past").hidden = false;
    at("look-back").setAttribute("aria-expanded", "true");
    at("until").max = today();
    at("until").value = today();
    this.#go(LINE_DAYS - 1);
    at("day").focus();
  }

  #close() {
    this.#stop();
    this.#asking.abort();
    this.#known.clear();
    this.figures = null;
    at("past").hidden = true;
    at("look-back").setAttribute("aria-expanded", "false");
    at("look-back").focus();
    this.#told();
  }

  #window() {
    if (!at("until").checkValidity()) return;
    this.#known.clear();
    this.#go(LINE_DAYS - 1);
  }

  /** Shows the evening of a day of the window, by its place. */
  async #go(place) {
    const held = Math.min(LINE_DAYS - 1, Math.max(0, place));
    const day = addDays(this.until, held + 1 - LINE_DAYS);
    const now = daysBetween(day, today()) <= 0;
    at("day").value = String(held);
    at("day").setAttribute("aria-valuetext", inWords(day));
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      const figures = now ? null : (this.#known.get(day) ?? (await this.#reads.evening(day, this.until, signal)));
      if (signal.aborted) return;
      if (figures) this.#known.set(day, figures);
      this.figures = figures;
      tell(at("past-words"), now ? say("past_today") : say("past", { day: inWords(day) }));
      this.#told();
    } catch {
      if (signal.aborted) return;
      this.#stop();
      this.#stay();
    }
  }

  /** Goes back to the day whose figures are shown, since those of another one can't be had. */
  #stay() {
    const shown = this.figures?.day ?? today();
    at("day").value = String(LINE_DAYS - 1 - Math.max(0, daysBetween(shown, this.until)));
    tell(at("past-words"), say("past_lost", { day: inWords(shown) }));
  }

  #play() {
    at("play").setAttribute("aria-pressed", "true");
    tell(at("play"), say("pause"));
    const step = async () => {
      const place = Number(at("day").value);
      await this.#go(place - 1);
      if (this.#playing && place > 1) this.#playing = setTimeout(step, STEP_MS);
      else this.#stop();
    };
    if (at("day").value === "0") at("day").value = String(LINE_DAYS);
    this.#playing = setTimeout(step, 0);
  }

  #stop() {
    clearTimeout(this.#playing);
    this.#playing = null;
    at("play").setAttribute("aria-pressed", "false");
    tell(at("play"), say("play"));
  }
}
