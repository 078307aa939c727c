/** Paints figures into the tiles; every element is made once and told what is new. */

import { bars, extremes, line } from "./wall-charts.js";
import { BAR_DAYS, LINE_DAYS, OLDEST } from "./wall-reads.js";
import { addDays, category, count, dayOf, daysBetween, known, say, today } from "./wall-words.js";

const CELLS = 30;
const CELLS_ACROSS = 3; // So many times as many cells in a line as lines.

const at = (id) => document.getElementById(id);

/** Sets the text of an element where it is another one, so that nothing is done or read out in vain. */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** As many elements of a list as there are items, made by `made` once and told by `told` of each item. */
function fill(list, items, made, told) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(made());
  items.forEach((item, place) => told(list.children[place], item));
}

function parts(tag, ...names) {
  const element = document.createElement("li");
  const inner = document.createElement(tag);
  inner.append(...names.map((name) => Object.assign(document.createElement("span"), { className: name })));
  element.append(inner);
  return element;
}

/** The numbers of some days in all, at least: one that is kept back may add to it. */
function sum(days, name) {
  const numbers = days.map((day) => known(day[name]));
  const total = numbers.reduce((total, each) => total + (each ?? 0), 0);
  return count(numbers.includes(null) ? { value: null, at_least: total } : total);
}

export class Tiles {
  #base;
  #unit;
  #seesCases;
  #names = new Map();
  #ofDay = ""; // What the lists behind the tiles are asked with, where an earlier evening is shown.
  #bars = bars(at("turns"));
  #line = line(at("line"));

  /** @param {{base: string, unit: string, seesCases: boolean}} wall */
  constructor({ base, unit, seesCases }) {
    this.#base = base;
    this.#unit = unit;
    this.#seesCases = seesCases;
  }

  /** @param {Map<string, string>} names of units by their ids */
  call(names) {
    this.#names = names;
  }

  /** @param {object} figures @param {string} until the last day of the line */
  paint(figures, until) {
    const day = figures.day ?? today();
    this.#ofDay = figures.day ? `&day=${figures.day}` : "";
    for (const link of document.querySelectorAll("a.opens")) link.href = link.href.replace(/&day=.*|$/, this.#ofDay);
    tell(at("urgent"), count(figures.urgent));
    const missing = figures.urgent.unclassified;
    tell(at("urgent-note"), missing ? say("unclassified", { n: count(missing) }) : "");
    tell(at("overdue"), count(figures.overdue));
    tell(at("today"), count(figures.dueToday));
    tell(at("today-note"), figures.dueToday === null ? say("not_known") : "");
    this.#paintDays(figures, day, until);
    this.#paintUnits(figures.units);
    this.#paintOldest(figures, day);
  }

  #paintDays({ backlog, days }, day, until) {
    const shown = days.slice(-BAR_DAYS);
    const last = shown.at(-1);
    const keptBack = shown.every((each) => known(each.came) === null);
    const said = { came: sum(shown, "came"), left: sum(shown, "left"), came_last: count(last.came), left_last: count(last.left) };
    tell(at("turns-note"), keptBack ? say("turns_kept_back") : say("turns_sum", said));
    this.#bars(shown);
    tell(at("backlog"), count(backlog));
    const line = days.filter((each) => daysBetween(each.on, until) < LINE_DAYS).map((each) => (each.on === day ? { ...each, open: backlog } : each));
    const between = extremes(line);
    tell(at("backlog-note"), between ? say("backlog_sum", between) : "");
    this.#line(Array.from({ length: LINE_DAYS }, (_, place) => addDays(until, place + 1 - LINE_DAYS)), line);
  }

  #paintUnits(rows) {
    const open = (row) => known(row.open) ?? 0;
    const standing = rows
      .filter((row) => row.unit_id !== this.#unit || open(row) > 0)
      .sort((one, other) => open(other) - open(one) || one.unit_id.localeCompare(other.unit_id));
    const most = Math.max(1, ...standing.map(open));
    const shown = standing.length > CELLS ? standing.slice(0, CELLS - 1) : standing;
    const others = standing.slice(shown.length);
    const items = others.length ? [...shown, { others }] : shown;
    at("units-none").hidden = items.length > 0;
    const lines = Math.max(1, Math.round(Math.sqrt(items.length / CELLS_ACROSS)));
    at("units").style.setProperty("--columns", `${Math.ceil(items.length / lines) || 1}`);
    fill(at("units"), items, () => parts("a", "name", "number", "urgent", "share"), (cell, row) => this.#paintUnit(cell, row, most));
  }

  #paintUnit(cell, row, most) {
    const link = cell.firstElementChild;
    const [name, number, urgent, share] = link.children;
    const pressing = row.others ? 0 : known(row.urgent_open);
    if (row.others) {
      link.href = "/wall/units";
      const open = row.others.map((each) => known(each.open));
      tell(name, say("units_more", { units: row.others.length }));
      tell(number, open.includes(null) ? "" : count(open.reduce((total, each) => total + each, 0)));
    } else {
      const own = row.unit_id === this.#unit;
      link.href = own && this.#seesCases ? `${this.#base}/cases?list=open${this.#ofDay}` : `/wall/${row.unit_id}`;
      tell(name, row.name ?? "");
      tell(number, count(row.open));
    }
    tell(urgent, pressing ? say("urgent_short", { n: count(pressing) }) : "");
    cell.classList.toggle("pressing", Boolean(pressing));
    share.style.width = row.others ? "0" : `${(100 * (known(row.open) ?? 0)) / most}%`;
  }

  /** Single cases by the end of their ids, or for who may see none how long each unit's longest has taken. */
  #paintOldest({ oldest, units }, day) {
    const since = (instant) => say("days", { n: count(Math.max(0, daysBetween(dayOf(instant), day))) });
    const items = oldest
      ? oldest.map((item) =>
          item.sealed
            ? ["", say("sealed"), ""]
            : [`${item.case_id.slice(-8)} ${category(item.category)}`, this.#names.get(item.origin_unit) ?? "", since(item.opened_at)],
        )
      : units
          .filter((row) => row.oldest_opened_at)
          .sort((one, other) => Date.parse(one.oldest_opened_at) - Date.parse(other.oldest_opened_at))
          .slice(0, OLDEST)
          .map((row) => ["", row.name ?? "", since(row.oldest_opened_at)]);
    at("oldest-none").hidden = items.length > 0;
    fill(at("oldest"), items, () => parts("span", "case", "unit", "number"), (item, said) => {
      said.forEach((text, place) => tell(item.firstElementChild.children[place], text));
    });
  }
}
