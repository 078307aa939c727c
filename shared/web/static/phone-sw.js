/** The service worker: the network first, and what the phone keeps where there is none. It decides and changes nothing. */

import { opens } from "./phone-outbox.js";
import { keepPages, keptPage } from "./phone-pages.js";
import { keeper } from "./phone-store.js";
import { queue, synchronise } from "./phone-sync.js";

const PATIENCE_MS = 3_000;
const NOBODY_THERE = [502, 503, 504];
const WITHOUT_SIGNAL = "/m/without-signal";
const NEW_CASE = "/m/new";
const CASE = /^\/m\/cases\/([0-9a-f-]{36})$/;
const ASSET = /^\/static\/[^/]+\/([^/]+)$/;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @param {string} version of the assets @param {string[]} assets what the phone's pages load */
export function serve(version, assets) {
  const cacheName = `anjie-${version}`;

  worker.addEventListener("install", (event) => event.waitUntil(install(cacheName, assets)));
  worker.addEventListener("activate", (event) => event.waitUntil(activate(cacheName)));
  worker.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (event.request.method !== "GET" || url.origin !== location.origin) return;
    const asset = ASSET.exec(url.pathname);
    if (asset) event.respondWith(assetOf(event.request, cacheName, `/static/${version}/${asset[1]}`));
    else if (event.request.mode === "navigate") event.respondWith(page(event.request, url.pathname + url.search));
  });
  worker.addEventListener("message", (event) => event.waitUntil(keepFor(event.data)));
  // Background Sync, where there is one: what is rejected is tried again.
  worker.addEventListener("sync", (event) => event.waitUntil(sendOrReject()));
}

async function sendOrReject() {
  if (!(await synchronise())) throw new Error("not now");
}

/** @param {{account: string, touched: Set<string>}} asked by a page that has synchronised */
async function keepFor({ account, touched }) {
  const whose = await keeper();
  if (whose?.account === account) await keepPages(whose, touched);
}

/** @param {string} cacheName @param {string[]} assets */
async function install(cacheName, assets) {
  const cache = await caches.open(cacheName);
  await cache.addAll([...assets, WITHOUT_SIGNAL]);
  await worker.skipWaiting();
}

/** @param {string} cacheName */
async function activate(cacheName) {
  for (const name of await caches.keys()) if (name !== cacheName) await caches.delete(name);
  await worker.clients.claim();
}

/**
 * What was asked for, else the same of the version that is kept. A page that is older than the assets loads these, and
 * never some of its own that the browser happens to have.
 * @param {Request} request @param {string} cacheName @param {string} current its path in this version
 */
async function assetOf(request, cacheName, current) {
  const cache = await caches.open(cacheName);
  const exact = await cache.match(request);
  if (exact) return exact;
  try {
    const answer = await fetch(request, { cache: "no-store" });
    if (answer.ok) return answer;
  } catch {
    // Below.
  }
  return (await cache.match(current)) ?? Response.error();
}

/** @param {Request} request @param {string} path */
async function page(request, path) {
  const fetching = fetch(request);
  // Looked at late, if at all.
  fetching.catch(() => undefined);
  const kept = await keptPage(path);
  // While somebody signs in, only the network knows whose page it should be.
  const isTheirs = !(await keeper())?.inDoubt;
  const answer = await Promise.race([fetching.catch(() => undefined), ...(kept && isTheirs ? [pause()] : [])]);
  if (answer?.status === 404) return (await newCase(path)) ?? answer;
  if (answer && !NOBODY_THERE.includes(answer.status)) return answer;
  return kept ?? (await newCase(path)) ?? answer ?? (await caches.match(WITHOUT_SIGNAL)) ?? Response.error();
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));

/** @param {string} path @returns {Promise<Response | undefined>} the page of a case that is in the phone alone */
async function newCase(path) {
  const found = CASE.exec(path);
  const whose = await keeper();
  if (!found || !whose) return undefined;
  const items = await queue(whose);
  return items.some((item) => opens(item) && item.case_id === found[1]) ? keptPage(NEW_CASE) : undefined;
}
