/**
 * What is still in the phone, each as it stands; what needs somebody is beside what happened meanwhile.
 *
 * @typedef {import("./phone-outbox.js").Item} Item
 * @typedef {import("./phone-store.js").Keeper} Keeper
 */

import { edit } from "./phone-drafts.js";
import { opens, standings } from "./phone-outbox.js";
import { belonging, discard, sendAgain } from "./phone-sync.js";
import { button, element, moment, word } from "./phone-words.js";

const KINDS = { waits: "", behind: "", needs_you: "warn" };

/**
 * @param {HTMLElement} list
 * @param {Keeper} whose
 * @param {Item[]} items all that is queued
 * @param {string | undefined} caseId shows those of the case; of all, without one
 */
export function showWaiting(list, whose, items, caseId) {
  const how = standings(items);
  const shown = items.filter((item) => !caseId || item.case_id === caseId);
  const signature = JSON.stringify(shown.map((item) => [item, how.get(item.id)]));
  // Left as it is where nothing changed: somebody may be about to press a button.
  if (list.dataset.signature === signature) return;
  list.dataset.signature = signature;
  list.replaceChildren(...shown.map((item) => entry(whose, items, item, how.get(item.id) ?? "waits", !caseId)));
  const part = list.closest("section");
  if (part) part.hidden = !shown.length;
}

/** @param {Keeper} whose @param {Item[]} items @param {Item} item @param {"waits" | "behind" | "needs_you"} how @param {boolean} linked */
function entry(whose, items, item, how, linked) {
  const head = element("p", "row", element("strong", "", item.said), element("span", `badge ${KINDS[how]}`, word(how)));
  const when = element("p", "soft small", moment(item.at));
  if (linked) {
    const link = /** @type {HTMLAnchorElement} */ (element("a", "", word("open")));
    link.href = `/m/cases/${item.case_id}`;
    when.append(" · ", link);
  }
  const told = item.refusal ? [sideBySide(item)] : [answers(item)];
  const made = element("li", "card", head, when, ...told, presses(whose, items, item));
  made.dataset.item = item.id;
  made.dataset.standing = how;
  return made;
}

/** @param {Item} item */
function answers(item) {
  const list = element("dl", "facts");
  for (const [question, answer] of item.shown) list.append(element("dt", "", question), element("dd", "", answer));
  return list;
}

/** @param {Item} item */
function sideBySide(item) {
  const { problem, meanwhile = [] } = item.refusal ?? { problem: {} };
  const why = problem.type === "no-photo" ? word("no_photo") : [problem.title, problem.detail].filter(Boolean).join(word("colon"));
  const events = meanwhile.map(({ at, summary }) => element("li", "", moment(at), " ", summary));
  const happened = events.length ? element("ul", "", ...events) : element("p", "soft", word("nothing_meanwhile"));
  return element(
    "div",
    "side-by-side",
    element("section", "", element("h3", "", word("yours")), answers(item)),
    element("section", "", element("h3", "", word("meanwhile")), element("p", "", why), happened),
  );
}

/** @param {Keeper} whose @param {Item[]} items @param {Item} item */
function presses(whose, items, item) {
  const row = element("p", "row");
  if (item.refusal) row.append(button(word("again"), "main", () => sendAgain(whose, item)));
  if (item.refusal && item.photo === null && item.form) row.append(button(word("edit"), "", () => edit(whose, item)));
  // What may have reached the server can't be discarded before its answer is known.
  if (item.refusal || !item.tried) row.append(button(word("discard"), "grave", () => ask(whose, items, item)));
  return row;
}

/** @param {Keeper} whose @param {Item[]} items @param {Item} item */
async function ask(whose, items, item) {
  const more = belonging(items, item).length - 1;
  const words = opens(item) && more ? "discard_case_sure" : "discard_sure";
  if (!confirm(word(words, { said: item.said, n: more }))) return;
  await discard(whose, item);
  // The case that this page was of is no more.
  if (opens(item) && location.pathname.endsWith(item.case_id)) location.assign("/m");
}
