/**
 * Which commands are sent next, and what their answers mean. Nothing here reads a clock, a store or the network.
 *
 * @typedef {object} Item a command that the server hasn't accepted yet
 * @property {string} id UUIDv7: items go in the order of their ids
 * @property {string} case_id
 * @property {string} path
 * @property {string} key its Idempotency-Key
 * @property {number | null} version that it was based on; null where it only adds, or opens
 * @property {Record<string, any>} body
 * @property {string} said in plain words
 * @property {[string, string][]} shown questions and answers, as they were on the form
 * @property {[string, string][]} entries of the form, to edit them again
 * @property {string} page of the form
 * @property {string} form that its drafts are named after; empty where it keeps none
 * @property {string | null} photo its media type, where one goes along; its bytes are kept under the item's id
 * @property {string} [signs] the item whose agreement the photo is a signature of
 * @property {number} at when it was submitted, milliseconds
 * @property {boolean} tried whether it may have reached the server
 * @property {Refusal | null} refusal
 *
 * @typedef {{status: number, problem: any, meanwhile: {at: string, summary: string}[]}} Refusal
 * @typedef {{status: number, body: any}} Answer
 */

const LINES_MAX = 100;
const UNCERTAIN = new Set([401, 408, 424, 425, 429]);
/** Whether nothing was decided about the command itself. */
const isUncertain = (/** @type {Answer} */ { status, body }) =>
  status >= 500 || UNCERTAIN.has(status) || body?.type === "/problems/csrf";

/** @param {Item} item */
export const opens = (item) => item.path === "/v1/cases";
const isGuarded = (/** @type {Item} */ item) => item.version !== null || opens(item);

/**
 * The items to send next, in order. Behind one that somebody has to look at nothing of its case goes.
 *
 * A line says `*` only after one of the same case in the same batch that is new to the server: after one that may
 * have been stored long ago, `*` would hide what others did since, so the next waits for its answer.
 * @param {Item[]} items
 * @returns {{item: Item, ifMatch: string | null}[]}
 */
export function plan(items) {
  /** @type {Map<string, "*" | "stop">} */
  const after = new Map();
  const lines = [];
  for (const item of items) {
    if (lines.length === LINES_MAX) break;
    const before = after.get(item.case_id);
    if (item.refusal) after.set(item.case_id, "stop");
    if (item.refusal || before === "stop") continue;
    if (item.version !== null && before === undefined) lines.push({ item, ifMatch: `"${item.version}"` });
    else lines.push({ item, ifMatch: item.version === null ? null : "*" });
    if (isGuarded(item)) after.set(item.case_id, item.tried ? "stop" : "*");
  }
  return lines;
}

/** @param {{item: Item, ifMatch: string | null}} line @returns {string} of `POST /v1/commands:batch` */
export function written({ item, ifMatch }) {
  const headers = { "Idempotency-Key": item.key, ...(ifMatch && { "If-Match": ifMatch }) };
  return JSON.stringify({ method: "POST", path: item.path, headers, body: item.body });
}

/**
 * What the answers to a batch, of which the last may be missing, make of the items.
 * @param {Item[]} items all
 * @param {Item[]} sent in order
 * @param {Answer[]} answers
 * @returns {{accepted: Item[], refused: Item[], rebased: Item[], signedOut: boolean, later: boolean}}
 */
export function judge(items, sent, answers) {
  const accepted = [];
  const refused = [];
  const rebased = new Map();
  sent.slice(0, answers.length).forEach((item, index) => {
    const { status, body } = answers[index];
    if (status < 300) {
      accepted.push(item);
      if (isGuarded(item)) for (const next of behind(items, item)) rebased.set(next.id, moved(next, body.version));
    } else if (!isUncertain(answers[index])) {
      refused.push({ ...item, refusal: { status, problem: body, meanwhile: [] } });
    }
  });
  for (const item of [...accepted, ...refused]) rebased.delete(item.id);
  const statuses = answers.map((answer) => answer.status);
  return {
    accepted,
    refused,
    rebased: [...rebased.values()],
    signedOut: statuses.includes(401),
    later: answers.length < sent.length || answers.some((answer) => isUncertain(answer) && answer.status !== 424),
  };
}

/** Those of the same case that were submitted after it, on the case as it would leave it. */
const behind = (/** @type {Item[]} */ items, /** @type {Item} */ item) =>
  items.filter((next) => next.case_id === item.case_id && next.id > item.id && next.version !== null);

const moved = (/** @type {Item} */ item, /** @type {number} */ version) => ({ ...item, version });

/** The item as it is sent again, on the case as it stands. @param {Item} item @param {number | null} version */
export const again = (item, version) => ({
  ...item,
  version: item.version === null ? null : (version ?? item.version),
  refusal: null,
});

/**
 * @param {Item[]} items
 * @returns {Map<string, "waits" | "behind" | "needs_you">} how each stands, by id
 */
export function standings(items) {
  const held = new Set();
  return new Map(
    items.map((item) => {
      const how = item.refusal ? "needs_you" : held.has(item.case_id) ? "behind" : "waits";
      if (item.refusal) held.add(item.case_id);
      return [item.id, how];
    }),
  );
}

let lastMs = 0;
let inSameMs = 0;

/** @returns {string} a UUIDv7, after all that were made before in this place */
export function newId() {
  const now = Math.max(Date.now(), lastMs);
  inSameMs = now === lastMs ? inSameMs + 1 : 0;
  lastMs = now;
  const time = now.toString(16).padStart(12, "0");
  const variantAndRandom = crypto.randomUUID().slice(-17);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${inSameMs.toString(16).padStart(3, "0")}-${variantAndRandom}`;
}
