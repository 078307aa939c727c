/**
 * Drafts: each form is kept as somebody types, sealed, for this tab alone, so that no tab overwrites another's.
 * What a tab that is no more has left is taken over by the next that shows the form.
 *
 * @typedef {import("./phone-store.js").Keeper} Keeper
 * @typedef {import("./phone-store.js").Change} Change
 * @typedef {import("./phone-outbox.js").Item} Item
 * @typedef {{entries: [string, string][], files: {field: string, name: string, type: string}[], at: number, replaces?: string}} Draft
 */

import { entriesOf, photosOf, putBack } from "./forms-body.js";
import { ages, digest, isFull, names, read, write } from "./phone-store.js";
import { button, moment, notice, word } from "./phone-words.js";

const TAB = "anjie-tab";
const PHOTOS = "draft_photos";

/** @type {Promise<string> | undefined} */
let owning;

/** @returns {Promise<string>} the id of this tab, the same after a reload */
function ownTab() {
  owning ??= hold(sessionStorage.getItem(TAB) ?? crypto.randomUUID());
  return owning;
}

/** A tab that was duplicated has the id of the other, which still holds it. @param {string} id @returns {Promise<string>} */
function hold(id) {
  return new Promise((resolve) => {
    void navigator.locks.request(`${TAB}:${id}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(hold(crypto.randomUUID()));
        return undefined;
      }
      sessionStorage.setItem(TAB, id);
      resolve(id);
      // Held until the tab is closed.
      return new Promise(() => undefined);
    });
  });
}

/** @returns {Promise<Set<string>>} the tabs that are open now */
async function openTabs() {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name?.split(":")[1] ?? ""));
}

/** @param {HTMLFormElement} form @param {Keeper} whose @returns {Promise<string>} the name of its draft in this tab: the form's, and the tab's */
async function nameOf(form, whose) {
  const { command, variant = "" } = form.dataset;
  return `${await digest(`${whose.account}${location.pathname} ${command}${variant}`)}/${await ownTab()}`;
}

/** @param {string} draft @param {number} index */
const photoName = (draft, index) => `${draft}/${index}`;

/**
 * Keeps a form from now on, and puts back what was typed into it.
 * @param {HTMLFormElement} form `data-typed` once somebody typed into it
 * @param {Keeper} whose
 */
export async function keepDraft(form, whose) {
  const own = await nameOf(form, whose);
  form.dataset.draft = own;
  await restore(form, whose, own);
  let isSaved = !isTyped(form);
  /** @type {Promise<void> | undefined} */
  let saving;
  const save = async () => {
    // What is typed while it is being kept is kept right after.
    while (!isSaved) {
      isSaved = true;
      await saveDraft(form, whose, own).catch((error) => tellFull(form, error));
    }
    saving = undefined;
  };
  form.addEventListener("input", () => {
    isSaved = false;
    saving ??= save();
  });
  form.addEventListener("submitted", () => (isSaved = true));
  if (!isSaved) saving = save();
}

/** @param {HTMLFormElement} form */
const isTyped = (form) => "typed" in form.dataset;

/** @param {HTMLFormElement} form @param {unknown} error */
function tellFull(form, error) {
  if (!isFull(error)) throw error;
  notice(form, "full", "bad", word("full"));
}

/** @param {HTMLFormElement} form @param {Keeper} whose @param {string} name */
async function saveDraft(form, whose, name) {
  const photos = photosOf(form);
  const files = photos.map(({ field, file }) => ({ field: field.id, name: file.name, type: file.type }));
  const draft = { entries: entriesOf(form), files, at: Date.now(), replaces: form.dataset.replaces };
  const bytes = await Promise.all(photos.map(({ file }) => file.arrayBuffer()));
  await write(whose, [
    { kind: "drafts", name, value: draft },
    ...bytes.map((value, index) => ({ kind: PHOTOS, name: photoName(name, index), value })),
  ]);
}

/** @param {HTMLFormElement} form @param {Keeper} whose @returns {Promise<Change[]>} what ends its draft, to be written with what comes of it */
export const draftGone = async (form, whose) => (form.dataset.draft ? without(whose, form.dataset.draft) : []);

/** @param {Keeper} whose @param {string} name @returns {Promise<Change[]>} */
async function without(whose, name) {
  const photos = (await names(whose, PHOTOS)).filter((photo) => photo.startsWith(`${name}/`));
  return [{ kind: "drafts", name }, ...photos.map((photo) => ({ kind: PHOTOS, name: photo }))];
}

/** @param {HTMLFormElement} form @param {Keeper} whose @param {string} own */
async function restore(form, whose, own) {
  const prefix = own.slice(0, own.indexOf("/") + 1);
  const open = await openTabs();
  const found = [...(await ages(whose, "drafts"))].filter(([name]) => name.startsWith(prefix)).sort((a, b) => b[1] - a[1]);
  const mine = found.filter(([name]) => name === own);
  const left = found.filter(([name]) => name !== own && !open.has(name.slice(prefix.length)));
  if (found.length > mine.length + left.length) notice(form, "elsewhere", "warn", word("draft_elsewhere"));
  const others = [...mine, ...left].map(([name]) => name);
  if (others.length && !isTyped(form)) await take(form, whose, others.shift() ?? "", own);
  for (const other of others) await offer(form, whose, other, own);
}

/** Makes a draft that of this tab. @param {HTMLFormElement} form @param {Keeper} whose @param {string} name @param {string} own */
async function take(form, whose, name, own) {
  /** @type {Draft | undefined} */
  const draft = await read(whose, "drafts", name);
  if (!draft) return;
  const files = await filesOf(whose, name, draft);
  if (isTyped(form)) await saveDraft(form, whose, `${own.slice(0, own.indexOf("/"))}/${crypto.randomUUID()}`);
  for (let part = form.closest("details"); part; part = part.parentElement?.closest("details") ?? null) part.open = true;
  form.hidden = false;
  putBack(form, draft.entries);
  for (const [id, chosen] of files) {
    const field = /** @type {HTMLInputElement | null} */ (form.querySelector(`#${CSS.escape(id)}`));
    if (field) field.files = chosen.files;
    field?.dispatchEvent(new Event("restored"));
  }
  if (draft.replaces) form.dataset.replaces = draft.replaces;
  if (name !== own) {
    await saveDraft(form, whose, own);
    await write(whose, await without(whose, name));
  }
  const clear = button(word("draft_clear"), "plain", async () => {
    if (!confirm(word("draft_clear_sure"))) return;
    await write(whose, await without(whose, own));
    location.reload();
  });
  const told = draft.replaces ? word("editing") : word("draft_restored", { time: moment(draft.at) });
  notice(form, "restored", "", told, " ", clear);
}

/** @param {Keeper} whose @param {string} name @param {Draft} draft @returns {Promise<Map<string, DataTransfer>>} by the field's id */
async function filesOf(whose, name, draft) {
  const chosen = new Map();
  for (const [index, { field, name: called, type }] of draft.files.entries()) {
    const bytes = await read(whose, PHOTOS, photoName(name, index));
    if (!bytes) continue;
    if (!chosen.has(field)) chosen.set(field, new DataTransfer());
    chosen.get(field).items.add(new File([bytes], called, { type }));
  }
  return chosen;
}

/** @param {HTMLFormElement} form @param {Keeper} whose @param {string} name @param {string} own */
async function offer(form, whose, name, own) {
  /** @type {Draft | undefined} */
  const draft = await read(whose, "drafts", name);
  if (!draft) return;
  const use = button(word("draft_use"), "plain", async () => {
    form.dataset.typed = "";
    await take(form, whose, name, own);
    form.querySelector(`[data-notice="other ${name}"]`)?.remove();
  });
  notice(form, `other ${name}`, "", word("draft_other", { time: moment(draft.at) }), " ", use);
}

/** Opens the form of something that wasn't sent, as it was; sending it replaces that. @param {Keeper} whose @param {Item} item */
export async function edit(whose, item) {
  const name = `${item.form}/${await ownTab()}`;
  const draft = { entries: item.entries, files: [], at: item.at, replaces: item.id };
  await write(whose, [{ kind: "drafts", name, value: draft }]);
  location.assign(item.page);
}
