/**
 * What the phone keeps: sealed with AES-GCM under a key that the server gives to whoever has signed in and
 * that the browser lets nobody read. In the clear are only random names, digests and times.
 *
 * @typedef {{account: string, key: CryptoKey, syncedAt: number, inDoubt?: boolean}} Keeper whose things can be read now;
 *   in doubt while somebody, perhaps another one, is signing in
 * @typedef {"pages" | "drafts" | "draft_photos" | "outbox" | "photos"} Kind
 * @typedef {{kind: Kind, name: string, value?: unknown}} Change a value to keep (JSON, or bytes); without one, it goes
 */

/** @type {Kind[]} what goes after a while */
const PASSING = ["pages", "drafts", "draft_photos"];
/** @type {Kind[]} */
const KINDS = [...PASSING, "outbox", "photos"];
const PASSING_MS_MAX = 14 * 24 * 3600 * 1000;
const NONCE_BYTES = 12;

/** @type {Promise<IDBDatabase> | undefined} */
let opening;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opening ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("anjie", 1);
    asked.onupgradeneeded = () => {
      for (const kind of KINDS) asked.result.createObjectStore(kind, { keyPath: ["account", "name"] });
      asked.result.createObjectStore("keepers", { keyPath: "account" });
    };
    asked.onsuccess = () => {
      const opened = asked.result;
      const forget = () => {
        opened.close();
        opening = undefined;
      };
      opened.onversionchange = forget;
      opened.onclose = forget;
      resolve(opened);
    };
    asked.onerror = () => {
      opening = undefined;
      reject(asked.error);
    };
  });
  return opening;
}

/**
 * One transaction, which is on the disk when this is done.
 * @template T
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(transaction: IDBTransaction) => IDBRequest<T> | void} work
 * @returns {Promise<T>} what the last request of `work` gave
 */
async function transact(stores, mode, work) {
  const transaction = (await database()).transaction(stores, mode, { durability: "strict" });
  return new Promise((resolve, reject) => {
    const asked = work(transaction);
    transaction.oncomplete = () => resolve(/** @type {T} */ (asked?.result));
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {string} text @returns {Promise<string>} of which nobody can tell the text */
export async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} [account] whoever it is, without one @returns {Promise<Keeper | undefined>} who signed in last and didn't sign out, if it is the one */
export async function keeper(account) {
  return (await keepers()).find((found) => found.key && (account === undefined || found.account === account));
}

/** @returns {Promise<Keeper[]>} */
const keepers = () => transact(["keepers"], "readonly", (t) => t.objectStore("keepers").getAll());

/**
 * Lets what an account keeps be read from now on, and nobody else's.
 * @param {string} account
 * @param {Uint8Array<ArrayBuffer>} secret of 256 bits
 * @returns {Promise<Keeper>}
 */
export async function enter(account, secret) {
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
  const entered = { account, key, syncedAt: Date.now() };
  for (const other of await keepers()) if (other.account !== account) await lock(other, ["pages"]);
  await transact(["keepers"], "readwrite", (t) => t.objectStore("keepers").put(entered));
  return entered;
}

/** Signing out: the key goes, with the pages; what was typed stays, and can't be read. */
export async function leave() {
  for (const left of await keepers()) await lock(left, ["pages"]);
}

/** Somebody is signing in, which may fail, or be somebody else. */
export async function doubt() {
  await transact(["keepers"], "readwrite", (t) => {
    t.objectStore("keepers").openCursor().onsuccess = (event) => {
      const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
      cursor?.update({ ...cursor.value, inDoubt: true });
      cursor?.continue();
    };
  });
}

/** Somebody has signed in: what was in doubt can't be read any more. @param {string} [account] theirs, where it is known */
export async function settle(account) {
  for (const known of await keepers()) if (known.inDoubt && known.account !== account) await lock(known, []);
}

/** @param {Keeper} whose @param {Kind[]} emptied */
async function lock({ account, syncedAt }, emptied) {
  await transact(["keepers", ...emptied], "readwrite", (t) => {
    t.objectStore("keepers").put({ account, syncedAt });
    for (const kind of emptied) t.objectStore(kind).delete(allOf(account));
  });
}

/** @param {string} account of whoever has signed in, unless they have signed out meanwhile @param {number} now */
export async function synced(account, now) {
  await transact(["keepers"], "readwrite", (t) => {
    const store = t.objectStore("keepers");
    store.get(account).onsuccess = (event) => {
      const found = /** @type {IDBRequest<Keeper | undefined>} */ (event.target).result;
      if (found?.key) store.put({ ...found, syncedAt: now, inDoubt: false });
    };
  });
}

/** Empties what was kept for longer than it may be without a sync; never what is still to be sent. @param {number} now */
export async function expire(now) {
  const oldest = now - PASSING_MS_MAX;
  for (const { account, syncedAt } of await keepers()) {
    if (syncedAt > oldest) continue;
    await transact(PASSING, "readwrite", (t) => {
      for (const kind of PASSING) {
        t.objectStore(kind).openCursor(allOf(account)).onsuccess = (event) => {
          const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
          if (cursor && cursor.value.at <= oldest) cursor.delete();
          cursor?.continue();
        };
      }
    });
  }
}

/** @param {string} account */
const allOf = (account) => IDBKeyRange.bound([account, ""], [account, "\uffff"]);

/**
 * All of the changes, or none. Raises: QuotaExceededError where the phone is full.
 * @param {Keeper} whose
 * @param {Change[]} changes
 */
export async function write(whose, changes) {
  const records = await Promise.all(changes.map((change) => sealed(whose, change)));
  const kinds = [...new Set(changes.map((change) => change.kind))];
  if (!kinds.length) return;
  const put = () =>
    transact(kinds, "readwrite", (t) => {
      changes.forEach(({ kind, name }, index) => {
        if (records[index]) t.objectStore(kind).put(records[index]);
        else t.objectStore(kind).delete([whose.account, name]);
      });
    });
  try {
    await put();
  } catch (error) {
    if (!isFull(error) || kinds.includes("pages")) throw error;
    // Pages can be fetched again; what somebody typed can't.
    await transact(["pages"], "readwrite", (t) => t.objectStore("pages").delete(allOf(whose.account)));
    await put();
  }
}

/** @param {unknown} error */
export const isFull = (error) => error instanceof Error && error.name === "QuotaExceededError";

/** @param {Keeper} whose @param {Kind} kind @param {string} name @returns {Promise<any>} undefined where there is none */
export async function read(whose, kind, name) {
  const found = await transact([kind], "readonly", (t) => t.objectStore(kind).get([whose.account, name]));
  return found && opened(whose, kind, found);
}

/** @param {Keeper} whose @param {Kind} kind @returns {Promise<any[]>} in the order of their names */
export async function readAll(whose, kind) {
  const found = await transact([kind], "readonly", (t) => t.objectStore(kind).getAll(allOf(whose.account)));
  const values = await Promise.all(found.map((record) => opened(whose, kind, record)));
  return values.filter((value) => value !== undefined);
}

/** @param {Keeper} whose @param {Kind} kind @returns {Promise<string[]>} without reading what they name */
export async function names(whose, kind) {
  const keys = await transact([kind], "readonly", (t) => t.objectStore(kind).getAllKeys(allOf(whose.account)));
  return keys.map((key) => /** @type {string[]} */ (key)[1]);
}

/** @param {Keeper} whose @param {Kind} kind @returns {Promise<Map<string, number>>} when each was kept, by name */
export async function ages(whose, kind) {
  const found = await transact([kind], "readonly", (t) => t.objectStore(kind).getAll(allOf(whose.account)));
  return new Map(found.map(({ name, at }) => [name, at]));
}

/** @param {Keeper} whose @param {Kind} kind @param {string} name */
const place = (whose, kind, name) => new TextEncoder().encode(`${kind}/${whose.account}/${name}`);

/** @param {Keeper} whose @param {Change} change */
async function sealed(whose, { kind, name, value }) {
  if (value === undefined) return undefined;
  const bytes = value instanceof ArrayBuffer ? value : new TextEncoder().encode(JSON.stringify(value));
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const how = { name: "AES-GCM", iv, additionalData: place(whose, kind, name) };
  const content = await crypto.subtle.encrypt(how, whose.key, bytes);
  return { account: whose.account, name, at: Date.now(), bytes: value instanceof ArrayBuffer, iv, content };
}

/** @param {Keeper} whose @param {Kind} kind @param {any} record @returns {Promise<any>} undefined where the key is another */
async function opened(whose, kind, record) {
  const how = { name: "AES-GCM", iv: record.iv, additionalData: place(whose, kind, record.name) };
  try {
    const content = await crypto.subtle.decrypt(how, whose.key, record.content);
    return record.bytes ? content : JSON.parse(new TextDecoder().decode(content));
  } catch {
    return undefined;
  }
}
