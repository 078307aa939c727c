/**
 * From a form to the outbox: kept before anything is sent.
 *
 * @typedef {import("./phone-outbox.js").Item} Item
 * @typedef {import("./phone-store.js").Keeper} Keeper
 */

import { draftGone } from "./phone-drafts.js";
import { bodyOf, entriesOf, photosOf, showErrors, showWrong, shownOf } from "./forms-body.js";
import { isAnothers, ownKeeper } from "./phone-here.js";
import { newId } from "./phone-outbox.js";
import { isFull, read, write } from "./phone-store.js";
import { synchronise } from "./phone-sync.js";
import { notice, word } from "./phone-words.js";

const PATIENCE_MS = 5_000;
const ATTACH = "attach-document";
const CASE = /^\/v1\/cases\/([0-9a-f-]{36})\//;

/** @param {HTMLFormElement} form */
export async function submit(form) {
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  try {
    await keepAndSend(form);
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** @param {HTMLFormElement} form */
async function keepAndSend(form) {
  if (showWrong(form, word("needed"))) return undefined;
  const whose = (await ownKeeper()) ?? ((await synchronise()) ? await ownKeeper() : undefined);
  if (!whose) return notice(form, "kept", "bad", word((await isAnothers(whose)) ? "another" : "not_ready"));
  const replaced = form.dataset.replaces && (await read(whose, "outbox", form.dataset.replaces));
  const items = itemsOf(form, replaced || null);
  try {
    await write(whose, [...(await changesOf(form, items)), ...(await draftGone(form, whose))]);
  } catch (error) {
    if (!isFull(error)) throw error;
    return notice(form, "kept", "bad", word("full"));
  }
  form.dispatchEvent(new Event("submitted"));
  await sendWhenPossible();
  await Promise.race([synchronise(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  /** @type {Item | undefined} */
  const left = await read(whose, "outbox", (items.find(({ photo }) => photo === null) ?? items[0]).id);
  if (left?.refusal?.problem.errors && showsErrors(form, left)) return undefined;
  return location.assign((form.dataset.next ?? location.pathname).replace("{case_id}", items[0].case_id));
}

/** Has the browser send even when the page is closed, where it can. */
async function sendWhenPossible() {
  const registration = await navigator.serviceWorker?.getRegistration();
  // Not in every browser, and not always allowed where it is.
  await /** @type {any} */ (registration)?.sync?.register("anjie").catch(() => undefined);
}

/** @param {HTMLFormElement} form @param {Item | null} replaced @returns {Item[]} */
function itemsOf(form, replaced) {
  const { command = "", version, said = "", new: idName, documents, draft = "" } = form.dataset;
  const at = Date.now();
  const body = { occurred_at: new Date(at).toISOString(), ...bodyOf(form) };
  const case_id = replaced?.case_id ?? CASE.exec(command)?.[1] ?? newId();
  if (idName) body[idName] = case_id;
  const common = {
    case_id,
    said,
    shown: shownOf(form),
    entries: entriesOf(form),
    page: location.pathname,
    form: draft.split("/")[0],
    at,
    tried: false,
    refusal: null,
  };
  const own = { ...common, path: command.replace("{case_id}", case_id), version: version ? Number(version) : null, body };
  const path = `/v1/cases/${case_id}/${ATTACH}`;
  const isAttaching = command.endsWith(`/${ATTACH}`);
  const photos = photosOf(form).map(({ field, file }) => ({
    ...common,
    path,
    version: null,
    body: {
      ...(isAttaching ? body : { occurred_at: body.occurred_at }),
      document_kind: field.dataset.document,
      ...(field.dataset.person && { person_ref: field.dataset.person }),
    },
    said: isAttaching ? said : word("photos"),
    shown: isAttaching ? common.shown : [],
    photo: file.type,
  }));
  const main = { ...own, photo: null };
  const items = documents === "first" ? [...photos, main] : [main, ...photos];
  const named = (isAttaching && photos.length ? photos : items).map((item) => ({
    ...item,
    id: (item === main && replaced?.id) || newId(),
    key: crypto.randomUUID(),
  }));
  nameSignatures(named, replaced);
  return named;
}

/**
 * An agreement names the files of its signatures; one that was not drawn, now or when it was first sent, is on paper.
 * @param {Item[]} items @param {Item | null} replaced
 */
function nameSignatures(items, replaced) {
  const main = items.find(({ body }) => body.signatures);
  for (const signature of main?.body.signatures ?? []) {
    const isTheirs = (/** @type {{person_ref?: string}} */ { person_ref }) => person_ref === signature.person_ref;
    const drawn = items.find(({ photo, body }) => photo !== null && isTheirs(body));
    const before = (replaced?.body.signatures ?? []).find(isTheirs);
    // Its file has no name before it is uploaded.
    if (drawn) drawn.signs = main?.id;
    else if (before?.file_id) signature.file_id = before.file_id;
    else if (!before || before.on_paper) signature.on_paper = true;
  }
}

/** @param {HTMLFormElement} form @param {Item[]} items @returns {Promise<import("./phone-store.js").Change[]>} */
async function changesOf(form, items) {
  const bytes = await Promise.all(photosOf(form).map(({ file }) => file.arrayBuffer()));
  const withPhotos = items.filter(({ photo }) => photo !== null);
  return [
    ...items.map((item) => ({ kind: /** @type {const} */ ("outbox"), name: item.id, value: item })),
    ...withPhotos.map((item, index) => ({ kind: /** @type {const} */ ("photos"), name: item.id, value: bytes[index] })),
  ];
}

/** @param {HTMLFormElement} form @param {Item} item @returns {boolean} whether they belong to its fields; then it can be put right here */
function showsErrors(form, item) {
  const elsewhere = showErrors(form, item.refusal?.problem.errors ?? []);
  if (!form.querySelector("[aria-invalid]")) return false;
  form.dataset.replaces = item.id;
  const photos = photosOf(form);
  // They are in the outbox, each on its own.
  for (const { field } of photos) field.value = "";
  notice(form, "kept", "bad", [word("wrong"), ...elsewhere, ...(photos.length ? [word("photos_kept")] : [])].join(" "));
  return true;
}

