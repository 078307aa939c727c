/** Pages that open without a signal: kept sealed, fetched again now and then, given back by the service worker. */

import { accountOf, ask, NotNow } from "./phone-server.js";
import { ages, digest, expire, isFull, keeper, read, write } from "./phone-store.js";

/** @typedef {import("./phone-store.js").Keeper} Keeper */

const CASES_MAX = 50;
const FRESH_MS = 5 * 60 * 1000;
const HOME = "/m";
const OTHERS = ["/m/record", "/m/new"];
const LOCK = "anjie-pages";
const CASE = /href="(\/m\/cases\/[0-9a-f-]{36})"/g;
const HEADERS = ["content-type", "content-language", "content-security-policy", "referrer-policy",
  "x-content-type-options", "cross-origin-opener-policy", "permissions-policy"];

/**
 * Keeps the page of the phone and those of the cases on it; whatever else was kept goes.
 * @param {Keeper} whose
 * @param {Set<string>} touched cases that have changed
 */
export async function keepPages(whose, touched) {
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await keepAll(whose, touched);
  }).catch((error) => {
    // Pages that are kept stay, and the next time will do.
    if (!(error instanceof NotNow) && !isFull(error)) throw error;
  });
}

/** @param {Keeper} whose @param {Set<string>} touched */
async function keepAll(whose, touched) {
  const known = await ages(whose, "pages");
  const wanted = new Set();
  const keepOne = async (/** @type {string} */ path) => {
    const name = await digest(`${whose.account}${path}`);
    wanted.add(name);
    const isTouched = path === HOME || touched.has(path.split("/")[3]);
    if (!isTouched && Date.now() - (known.get(name) ?? 0) < FRESH_MS) return (await read(whose, "pages", name))?.html ?? "";
    const answer = await ask(path);
    const html = await answer.text();
    // Whoever signed in meanwhile would have other pages.
    if (answer.ok && accountOf(html) === whose.account) await keep(whose, name, answer, html);
    return html;
  };
  const home = await keepOne(HOME);
  for (const path of OTHERS) await keepOne(path);
  for (const path of cases(home).slice(0, CASES_MAX)) await keepOne(path);
  const old = [...known.keys()].filter((name) => !wanted.has(name));
  await write(whose, old.map((name) => ({ kind: "pages", name })));
}

/** @param {string} html @returns {string[]} the paths of those that it links to */
const cases = (html) => [...new Set([...html.matchAll(CASE)].map((match) => match[1]))];

/** @param {Keeper} whose @param {string} name @param {Response} answer @param {string} html */
async function keep(whose, name, answer, html) {
  const headers = HEADERS.flatMap((header) => {
    const value = answer.headers.get(header);
    return value === null ? [] : [[header, value]];
  });
  await write(whose, [{ kind: "pages", name, value: { html, headers, at: Date.now() } }]);
}

/** @param {string} path @returns {Promise<Response | undefined>} the page as it was kept, which says when */
export async function keptPage(path) {
  await expire(Date.now());
  const whose = await keeper();
  const page = whose && (await read(whose, "pages", await digest(`${whose.account}${path}`)));
  if (!page) return undefined;
  const html = page.html.replace("<head>", `<head><meta name="kept" content="${page.at}">`);
  return new Response(html, { headers: page.headers });
}
