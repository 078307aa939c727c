/**
 * Sending what the phone keeps, and telling every page how it goes. Runs in pages and in the service worker, but
 * in one place at a time.
 *
 * @typedef {import("./phone-outbox.js").Item} Item
 * @typedef {import("./phone-store.js").Keeper} Keeper
 * @typedef {{why: "syncing" | "done" | "offline" | "signed_out", syncedAt?: number}} News
 */

import { again, judge, opens, plan, written } from "./phone-outbox.js";
import { keepPages } from "./phone-pages.js";
import { accountOf, ask, csrfHeader, json, NotNow } from "./phone-server.js";
import { digest, enter, expire, keeper, read, readAll, synced, write } from "./phone-store.js";

const LOCK = "anjie-sync";
const MEANWHILE_MAX = 20;
const HOME = "/m";

const channel = new BroadcastChannel("anjie");
/** @type {Set<(news: News) => void>} */
const listeners = new Set();
channel.onmessage = ({ data }) => listeners.forEach((hear) => hear(data));

/** Hears what any page or the worker tells. @param {(news: News) => void} hear */
export const listen = (hear) => listeners.add(hear);

/** @param {News} news */
function tell(news) {
  channel.postMessage(news);
  listeners.forEach((hear) => hear(news));
}

/** @param {Keeper} whose @returns {Promise<Item[]>} in the order in which they go */
export const queue = (whose) => readAll(whose, "outbox");

/** Sends what there is to send, and has pages kept for when there is no signal. @returns {Promise<boolean>} whether all of it could be tried */
export async function synchronise() {
  try {
    const { whose, touched } = await navigator.locks.request(LOCK, sync);
    tell({ why: "done", syncedAt: Date.now() });
    await havePagesKept(whose, touched);
    return true;
  } catch (error) {
    if (!(error instanceof NotNow)) throw error;
    tell({ why: error.why });
    return false;
  }
}

/** By the worker, which gives them back, and which goes on when a page is left. @param {Keeper} whose @param {Set<string>} touched */
async function havePagesKept(whose, touched) {
  if (!globalThis.document) return keepPages(whose, touched);
  // Not awaited: it may never be there.
  void navigator.serviceWorker?.ready.then(({ active }) => active?.postMessage({ account: whose.account, touched }));
}

async function sync() {
  tell({ why: "syncing" });
  await expire(Date.now());
  const whose = await signedIn();
  const touched = await sendAll(whose);
  await synced(whose.account, Date.now());
  return { whose, touched };
}

/** @returns {Promise<Keeper>} for the account that the server says it is */
async function signedIn() {
  const { sub, password_given } = await json(await ask("/v1/me"));
  if (password_given) throw new NotNow("signed_out");
  const account = await digest(sub);
  const known = await keeper();
  if (known?.account === account) return known;
  const { key } = await json(await ask("/v1/me/device-key"));
  const bytes = atob(key.replace(/-/g, "+").replace(/_/g, "/"));
  return enter(account, Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

/** @param {Keeper} whose @returns {Promise<Set<string>>} the cases that were changed */
async function sendAll(whose) {
  const touched = new Set();
  /** @type {Record<string, string> | undefined} */
  let csrf;
  for (;;) {
    const lines = plan(await queue(whose));
    if (!lines.length) return touched;
    csrf ??= await csrfOf(whose);
    const sent = lines.map(({ item }) => ({ ...item, tried: true }));
    await write(whose, sent.map(kept));
    if (await uploadPhotos(whose, sent, csrf)) continue;
    const bodies = new Map(sent.map((item) => [item.id, item]));
    const answers = await sendBatch(lines.map((line) => ({ ...line, item: bodies.get(line.item.id) ?? line.item })), csrf);
    const judged = judge(await queue(whose), sent, answers);
    const refused = await Promise.all(judged.refused.map(withMeanwhile));
    await write(whose, [...judged.accepted.flatMap(gone), ...[...refused, ...judged.rebased].map(kept)]);
    for (const item of judged.accepted) touched.add(item.case_id);
    tell({ why: "syncing" });
    if (judged.signedOut) throw new NotNow("signed_out");
    if (judged.later) throw new NotNow("offline");
  }
}

/** What the server takes from that account alone, whoever signs in meanwhile. @param {Keeper} whose */
async function csrfOf(whose) {
  const page = await (await ask(HOME)).text();
  if (accountOf(page) !== whose.account) throw new NotNow("offline");
  return csrfHeader(page);
}

/** @param {Item} item @returns {import("./phone-store.js").Change} */
const kept = (item) => ({ kind: "outbox", name: item.id, value: item });

/** @param {Item} item @returns {import("./phone-store.js").Change[]} */
export const gone = (item) => [
  { kind: "outbox", name: item.id },
  { kind: "photos", name: item.id },
];

/**
 * Uploads the photos that the items name; their file ids go into the bodies.
 * @param {Keeper} whose @param {Item[]} items @param {Record<string, string>} csrf
 * @returns {Promise<boolean>} whether one was refused, so that what is to be sent has to be planned again
 */
async function uploadPhotos(whose, items, csrf) {
  for (const item of items) {
    if (!item.photo || item.body.file_id) continue;
    const bytes = await read(whose, "photos", item.id);
    const { status, body } = bytes ? await upload(item, bytes, csrf) : { status: 404, body: { type: "no-photo" } };
    if (status >= 300) {
      await write(whose, [kept({ ...item, refusal: { status, problem: body, meanwhile: [] } })]);
      return true;
    }
    item.body = { ...item.body, file_id: body.file_id };
    const signed = item.signs && (items.find(({ id }) => id === item.signs) ?? (await read(whose, "outbox", item.signs)));
    const signature = (signed?.body.signatures ?? []).find((/** @type {any} */ each) => each.person_ref === item.body.person_ref);
    if (signature) signature.file_id = body.file_id;
    await write(whose, (signature ? [item, signed] : [item]).map(kept));
  }
  return false;
}

/** @param {Item} item @param {ArrayBuffer} bytes @param {Record<string, string>} csrf */
async function upload(item, bytes, csrf) {
  const form = new FormData();
  form.append("file", new Blob([bytes], { type: item.photo ?? "" }), "photo");
  const headers = { "Idempotency-Key": `${item.key}/file`, ...csrf };
  const answer = await ask("/v1/files", { method: "POST", headers, body: form });
  const body = await json(answer);
  if (body.type === "/problems/csrf") throw new NotNow("offline");
  return { status: answer.status, body };
}

/**
 * @param {{item: Item, ifMatch: string | null}[]} lines @param {Record<string, string>} csrf
 * @returns {Promise<import("./phone-outbox.js").Answer[]>} fewer than there are lines where they were cut off
 */
async function sendBatch(lines, csrf) {
  const headers = { "Content-Type": "application/x-ndjson", ...csrf };
  const answer = await ask("/v1/commands:batch", { method: "POST", headers, body: lines.map(written).join("\n") });
  if (!answer.ok) throw new NotNow("offline");
  const answers = [];
  try {
    for (const line of (await answer.text()).split("\n").filter(Boolean)) answers.push(JSON.parse(line));
  } catch {
    // Cut off, or the answer of somebody between.
  }
  return answers;
}

/** What others did on the case since; nothing where it can't be known now. @param {Item} item @returns {Promise<Item>} */
async function withMeanwhile(item) {
  if (opens(item) || !item.refusal) return item;
  const answer = await ask(`/v1/cases/${item.case_id}/timeline?limit=1000`);
  const { items = [] } = await json(answer);
  const since = items.filter((/** @type {any} */ event) =>
    item.version === null ? Date.parse(event.recorded_at) > item.at : event.version > item.version,
  );
  const meanwhile = since
    .slice(-MEANWHILE_MAX)
    .map((/** @type {any} */ { recorded_at, summary }) => ({ at: recorded_at, summary }));
  return { ...item, refusal: { ...item.refusal, meanwhile } };
}

/** @param {Keeper} whose @param {Item} item sends it again, on the case as it stands now */
export async function sendAgain(whose, item) {
  await navigator.locks.request(LOCK, async () => {
    const version = item.version === null ? null : (item.refusal?.problem.current_version ?? (await versionOf(item)));
    await write(whose, [kept(again(item, version))]);
  });
  await synchronise();
}

/** @param {Item} item @returns {Promise<number | null>} */
async function versionOf(item) {
  const answer = await ask(`/v1/cases/${item.case_id}`);
  return (await json(answer)).version ?? null;
}

/** Discards something that the server doesn't have; with an opening goes all that belongs to the case. @param {Keeper} whose @param {Item} item */
export async function discard(whose, item) {
  await navigator.locks.request(LOCK, async () => {
    const items = await queue(whose);
    const found = items.find((other) => other.id === item.id);
    if (!found || (found.tried && !found.refusal)) return;
    await write(whose, belonging(items, found).flatMap(gone));
  });
  await synchronise();
}

/** @param {Item[]} items @param {Item} item @returns {Item[]} it, and what can't be sent without it */
export const belonging = (items, item) =>
  opens(item) ? items.filter((other) => other.case_id === item.case_id) : [item];
