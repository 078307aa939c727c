/** Keeps the desk up to date while it is open: what changes is fetched anew, what somebody is at stays as it is. */

import { sendsAtOnce } from "./forms-send.js";
import { Stream } from "./wall-stream.js";

const PAUSE_MS = 1_500;
const LOST_MS = 3_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
const news = /** @type {HTMLElement} */ (document.getElementById("news"));
news.querySelector("button")?.addEventListener("click", () => location.reload());

/** Many changes at once are fetched once. */
function changed() {
  waiting ??= setTimeout(async () => {
    waiting = undefined;
    await refresh().catch(() => changed());
  }, PAUSE_MS);
}

async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.innerHTML) continue;
    if (isAtWork(part)) news.hidden = false;
    else replace(part, other);
  }
}

/** Whether somebody has opened a form of it, is sending one, or is just there. @param {Element} part */
const isAtWork = (part) => part.querySelector("details[open], form[aria-busy], :focus") !== null;

/** @param {Element} part @param {Element} other */
function replace(part, other) {
  part.replaceChildren(...document.adoptNode(other).childNodes);
  for (const form of part.querySelectorAll("form[data-command]")) sendsAtOnce(/** @type {HTMLFormElement} */ (form));
}

const lost = /** @type {HTMLElement} */ (document.getElementById("lost"));

/** Tells where a stream is gone for longer than it takes to ask for it again. @param {string} path */
function follow(path) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let gone;
  const heard = () => {
    clearTimeout(gone);
    gone = undefined;
    lost.hidden = true;
  };
  const away = () => (gone ??= setTimeout(() => (lost.hidden = false), LOST_MS));
  void new Stream(path, { event: changed, heard, lost: away }).run();
}

for (const path of document.querySelector("[data-streams]")?.getAttribute("data-streams")?.split(" ") ?? []) {
  follow(path);
}
