/** Puts a page of the phone together: its standing, what waits, its forms, and when to try again. */

import { keepDraft } from "./phone-drafts.js";
import { caseId, isAnothers, ownKeeper } from "./phone-here.js";
import { opens } from "./phone-outbox.js";
import { listen, queue, synchronise } from "./phone-sync.js";
import { showWaiting } from "./phone-waiting.js";
import { element, moment, notice, word } from "./phone-words.js";

/** @typedef {import("./phone-sync.js").News} News */

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60 * 1000;
const EVERY_MS = 5 * 60 * 1000;
const LOW_BYTES = 50 * 1024 * 1024;

/** @type {News} */
let news = { why: navigator.onLine ? "syncing" : "offline" };
let pauseMs = FIRST_PAUSE_MS;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {NodeListOf<HTMLFormElement>} forms */
export async function start(forms) {
  listen((told) => {
    news = told;
    void show();
  });
  tellKept();
  offerBySignal();
  await show();
  for (const event of ["online", "offline"]) {
    addEventListener(event, again);
    addEventListener(event, offerBySignal);
  }
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && again());
  const known = await ownKeeper();
  if (forms.length && known) await keepForms(forms, known);
  await tryNow();
  const entered = await ownKeeper();
  if (forms.length && entered && !known) await keepForms(forms, entered);
  await tellLow(forms);
  await navigator.storage?.persist?.();
}

/** @param {NodeListOf<HTMLFormElement>} forms @param {import("./phone-store.js").Keeper} whose */
async function keepForms(forms, whose) {
  for (const form of forms) await keepDraft(form, whose);
}

/** Whatever the pause is at, a new occasion is tried at once. */
function again() {
  pauseMs = FIRST_PAUSE_MS;
  void tryNow();
}

async function tryNow() {
  clearTimeout(timer);
  const isDone = await synchronise();
  clearTimeout(timer);
  timer = setTimeout(tryNow, isDone ? EVERY_MS : pauseMs * (1 + Math.random() / 2));
  pauseMs = isDone ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}

async function show() {
  const whose = await ownKeeper();
  const items = whose ? await queue(whose) : [];
  const list = document.getElementById("waiting");
  if (list && whose) showWaiting(list, whose, items, caseId);
  const place = document.getElementById("sync");
  if (place) showStanding(place, items, await isAnothers(whose));
  // What says that the case is in this phone alone would be wrong from now on.
  if (caseId && news.why === "done" && document.querySelector("[data-alone]") && !items.some((item) => opens(item) && item.case_id === caseId)) location.reload();
}

/** One of four: no signal, under way, done, or something for somebody to do. @param {HTMLElement} place @param {import("./phone-outbox.js").Item[]} items @param {boolean} anothers */
function showStanding(place, items, anothers) {
  const refused = items.filter((item) => item.refusal).length;
  const n = items.length;
  const time = moment(news.syncedAt ?? Date.now());
  const link = (/** @type {string} */ words, /** @type {string} */ href) => Object.assign(element("a", "", word(words)), { href });
  /** @type {[string, ...(Node | string)[]]} */
  let said;
  if (news.why === "signed_out") {
    said = ["attention", word("signed_out", { n }), " ", link("sign_in", `/sign-in?next=${encodeURIComponent(location.pathname)}`)];
  } else if (anothers) said = ["attention", word("another"), " ", link("open_again", location.pathname)];
  else if (refused) said = ["attention", word("attention", { n: refused }), " ", link("look", caseId ? "#waiting" : "/m#waiting")];
  else if (news.why === "offline") said = ["offline", word(n ? "offline_waiting" : "offline", { n })];
  else if (news.why === "done") said = ["done", word("done", { time })];
  else said = ["syncing", word("syncing")];
  const [state, ...inside] = said;
  const words = inside.map((part) => (part instanceof Node ? part.textContent : part)).join("");
  // Said again only where it is another, so that nobody has to hear it over and over.
  if (place.dataset.state === state && place.textContent === words) return;
  place.dataset.state = state;
  place.replaceChildren(...inside);
}

/** Says when the page was kept, where it comes from the phone. */
function tellKept() {
  const at = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=kept]"))?.content;
  const main = document.querySelector("main");
  if (at && main) notice(main, "kept-page", "past", word("kept_page", { time: moment(Number(at)) }));
}

/** Offers what needs the server only where it is likely to be there. */
function offerBySignal() {
  const isThere = navigator.onLine && !document.querySelector("meta[name=kept]");
  for (const part of document.querySelectorAll("[data-signal]")) /** @type {HTMLElement} */ (part).hidden = !isThere;
  for (const part of document.querySelectorAll("[data-no-signal]")) /** @type {HTMLElement} */ (part).hidden = isThere;
}

/** Warns while there is still room. @param {NodeListOf<HTMLFormElement>} forms */
async function tellLow(forms) {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  if (quota === undefined || usage === undefined || quota - usage > LOW_BYTES) return;
  const mb = Math.max(0, Math.floor((quota - usage) / 1024 / 1024));
  for (const form of forms) notice(form, "low", "warn", word("low", { mb }));
}
