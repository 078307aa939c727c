/** What the wall says: words, numbers, days and ages, in the language of the page. */

const said = JSON.parse(document.getElementById("wall-words").textContent);
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(language);
const days = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
const times = new Intl.DateTimeFormat(language, { timeZone: "Asia/Shanghai", timeStyle: "medium", hour12: false });
const longDays = new Intl.DateTimeFormat(language, { timeZone: "Asia/Shanghai", dateStyle: "medium" });

const DAY_MS = 86_400_000;
const AGES = [
  ["ago_days", DAY_MS],
  ["ago_hours", 3_600_000],
  ["ago_minutes", 60_000],
  ["ago_seconds", 1_000],
];

/** @param {string} name @param {Object<string, string|number>} [values] */
export function say(name, values = {}) {
  return said[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/** @param {string} code */
export function category(code) {
  return said.categories[code] ?? code;
}

/** A count as the interface tells it; one that is kept from this reader is told by a mark. */
export function count(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return numbers.format(value);
  if (value.suppressed) return "<5*";
  return value.value === null ? say("at_least", { n: numbers.format(value.at_least) }) : numbers.format(value.value);
}

/** The number that is known of a count, if any. */
export function known(value) {
  if (value === null || typeof value === "number") return value;
  return value.suppressed ? null : value.value ?? value.at_least;
}

/** @param {number} ms how old the figures are */
export function age(ms) {
  const [name, unit] = AGES.find(([, least]) => ms >= least) ?? AGES.at(-1);
  return say(name, { n: Math.max(1, Math.floor(ms / unit)) });
}

/** The time of day in China. */
export const clock = (ms) => times.format(ms);

/** The day in China on which an instant falls, as YYYY-MM-DD. */
export const dayOf = (instant) => days.format(new Date(instant));

export const today = () => dayOf(Date.now());

/** @param {string} day @param {number} n */
export function addDays(day, n) {
  return new Date(Date.parse(day) + n * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days between two days. */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

export const inWords = (day) => longDays.format(new Date(`${day}T12:00:00+08:00`));
