/** What the wall asks the public interface, now and as of the evening of a day. */

import { addDays, dayOf } from "./wall-words.js";

const LINE_DAYS = 90;
const BAR_DAYS = 14;
const OLDEST = 5;

/** The interface refused. */
export class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

/** @param {string} path @param {[string, string|number][]} query @param {AbortSignal} [signal] */
async function read(path, query, signal) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { signal, cache: "no-store" });
  if (!answer.ok) throw new Refused(answer.status);
  return answer.json();
}

export class Reads {
  #unit;
  #states;

  /** @param {{unit: string, seesCases: boolean, openStates: string[]}} wall */
  constructor({ unit, seesCases, openStates }) {
    this.#unit = unit ? [["unit", unit]] : [];
    this.#states = seesCases ? openStates : null;
  }

  /** What no stream carries. */
  async asked() {
    const [deadlines, trend, oldest] = await Promise.all([this.#deadlines(), this.#trend(), this.#oldest([])]);
    return { overdue: deadlines.overdue, dueToday: deadlines.due_today, days: trend.days, oldest };
  }

  /** All figures at the end of a day; `until` is the last day of the line. @param {AbortSignal} signal */
  async evening(day, until, signal) {
    const end = `${day}T23:59:59.999999+08:00`;
    const at = [["at_occurred", end]];
    const [urgent, backlog, deadlines, evening, trend, oldest] = await Promise.all([
      read("/v1/urgent", [...this.#unit, ...at, ["items", false]], signal),
      read("/v1/backlog", [...this.#unit, ...at, ["by", "origin"]], signal),
      this.#deadlines(at, signal),
      this.#deadlines([["at_recorded", end]], signal),
      this.#trend(day, until, signal),
      this.#oldest(at, signal),
    ]);
    return {
      day,
      urgent: urgent.open,
      backlog: backlog.total,
      units: backlog.rows,
      overdue: deadlines.overdue,
      // What was due goes by the day on which its position was recorded, so it has to be this one.
      dueToday: dayOf(evening.as_of_instant) === day ? evening.due_today : null,
      days: trend.days,
      oldest,
    };
  }

  #deadlines(at = [], signal = undefined) {
    return read("/v1/deadlines", [...this.#unit, ...at, ["items", false]], signal);
  }

  /** Enough days for the bars of the first day of the line, too. */
  #trend(day = null, until = null, signal = undefined) {
    const period = day === null ? [] : [["from", addDays(until, 2 - LINE_DAYS - BAR_DAYS)], ["to", day]];
    return read("/v1/trend", [...this.#unit, ...period], signal);
  }

  async #oldest(at, signal) {
    if (this.#states === null) return null;
    const within = this.#unit.map(([, unit]) => ["origin", unit]);
    const open = this.#states.map((state) => ["state", state]);
    const query = [...within, ...open, ...at, ["order", "oldest"], ["limit", OLDEST]];
    return (await read("/v1/cases", query, signal)).items;
  }

  /** What every unit is called, by its id; a group with its village, since there are many of a number. */
  async names() {
    const names = new Map();
    for (let query = [["limit", 1_000]]; query; ) {
      const page = await read("/v1/units", query);
      for (const { unit_id: id, kind, name, parent_id: parent } of page.items) {
        names.set(id, kind === "GROUP" && names.has(parent) ? `${names.get(parent)} ${name}` : name);
      }
      query = page.next && [["limit", 1_000], ["cursor", page.next]];
    }
    return names;
  }
}

export { BAR_DAYS, LINE_DAYS, OLDEST };
