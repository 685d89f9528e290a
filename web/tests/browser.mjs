// A headless Chromium, and the app in it as a person meets it: texts on the screen, clicks, keys.

import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(import.meta.url)(process.env.SKETCHPDE_PLAYWRIGHT);

const SITE = process.env.SKETCHPDE_SITE;
const RESULTS = process.env.SKETCHPDE_RESULTS;

const COMMON = [
  "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync",
  "--disable-background-networking", "--disable-component-update", "--ignore-gpu-blocklist",
  // A software GPU on a busy machine is slow, not hung; containers have little shared memory.
  "--disable-gpu-watchdog", "--disable-dev-shm-usage",
];

// SwiftShader is Chromium's own software driver, so that these run on any machine. Its canvas shows
// in screenshots only when the whole browser draws by it.
export const TIERS = {
  webgpu: [
    ...COMMON, "--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-angle=vulkan",
    "--use-vulkan=swiftshader", "--use-webgpu-adapter=swiftshader", "--enable-gpu-rasterization",
  ],
  webassembly: [
    ...COMMON, "--disable-features=WebGPU", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
  ],
};

// How long anything may take before it counts as failed, in seconds: two orders more than on an idle
// machine, since a test that fails because others work beside it says nothing.
export const PATIENCE = 240;

export function launch(tier) {
  return chromium.launch({
    executablePath: process.env.SKETCHPDE_BROWSER, headless: true, args: TIERS[tier],
    timeout: 1e3 * PATIENCE,
  });
}

/** The app in a page of its own. */
export class App {
  /**
   * Opens the site; `complaints` collects what the console and the page complain about. Without
   * `isolated` it is as from a server that does not send the headers which isolate a page; `replaced`
   * gives other contents for some of its scripts.
   */
  static async open(browser, {
    query = "", fragment = "", width = 1280, height = 800, isolated = true, replaced = {},
  } = {}) {
    const context = await browser.newContext({ viewport: { width, height } });
    if (!isolated) {
      await context.route(({ pathname }) => pathname === "/", async (route) => {
        const response = await route.fetch();
        const entries = Object.entries(response.headers());
        const headers = Object.fromEntries(entries.filter(([name]) => !name.startsWith("cross-origin-")));
        await route.fulfill({ response, headers });
      });
    }
    for (const [name, body] of Object.entries(replaced)) {
      await context.route(({ pathname }) => pathname === `/${name}`, (route) =>
        route.fulfill({ body, contentType: "text/javascript", headers: { "Cross-Origin-Embedder-Policy": "require-corp" } }));
    }
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: SITE });
    context.setDefaultTimeout(1e3 * PATIENCE);
    const page = await context.newPage();
    const app = new App(page);
    page.on("console", (message) => {
      if (message.type() === "error") app.complaints.push(message.text());
    });
    page.on("pageerror", (error) => app.complaints.push(String(error)));
    await page.goto(`${SITE}/${query}${fragment}`);
    await page.waitForFunction(() => window.sketchpde || !document.querySelector("#failure").hidden);
    const failure = page.locator("#failure");
    if (await failure.isVisible()) throw new Error(`the page failed: ${await failure.innerText()}`);
    return app;
  }

  constructor(page) {
    this.page = page;
    this.complaints = [];
  }

  close() {
    return this.page.context().close();
  }

  /**
   * The scripts of the page's threads that run now. Playwright's own list, `page.workers()`, keeps
   * threads of a pool whose owner was terminated, when the browser tells of the owner's end first.
   */
  async threads() {
    const context = this.page.context();
    const [page, all] = await Promise.all([context.newCDPSession(this.page), context.browser().newBrowserCDPSession()]);
    const [{ targetInfo: { browserContextId: own } }, { targetInfos }] =
      await Promise.all([page.send("Target.getTargetInfo"), all.send("Target.getTargets")]);
    await Promise.all([page.detach(), all.detach()]);
    return targetInfos
      .filter(({ type, browserContextId }) => type === "worker" && browserContextId === own)
      .map(({ url }) => path.basename(new URL(url).pathname)).sort();
  }

  /** The next frame: its texts and their places, and what the app knows of the run. */
  look() {
    return this.page.evaluate(() => window.sketchpde.look());
  }

  /**
   * The first frame for which `wanted` gives something true, at once or as a promise. Every look is
   * a frame, which on a software GPU the solver waits for: `pause`, in milliseconds, leaves it time.
   */
  async until(what, wanted, { pause = 50 } = {}) {
    const end = Date.now() + 1e3 * PATIENCE;
    let seen;
    do {
      seen = await this.look();
      const found = await wanted(seen);
      if (found) return { seen, found };
      await this.page.waitForTimeout(pause);
    } while (Date.now() < end);
    const texts = seen.texts.map(({ text }) => text).join(" | ");
    const { loaded, status, messages } = seen.run;
    throw new Error(`${what}: not within ${PATIENCE} s; `
      + `${JSON.stringify({ loaded, status, messages })}; on the screen: ${texts}`);
  }

  /** A text on the screen: all of it, or what a regular expression finds. */
  async text(wanted) {
    const fits = (text) => (wanted instanceof RegExp ? wanted.test(text) : text.trim() === wanted);
    return (await this.until(`the text ${wanted}`, ({ texts }) => texts.find(({ text }) => fits(text)))).found;
  }

  async click(wanted) {
    const { x, y, width, height } = await this.text(wanted);
    await this.page.mouse.click(x + width / 2, y + height / 2);
  }

  /** The clipboard, once it holds what fits. */
  async clipboard(wanted) {
    const end = Date.now() + 1e3 * PATIENCE;
    let text;
    do {
      text = await this.page.evaluate(() => navigator.clipboard.readText());
      if (wanted.test(text)) return text;
      await this.page.waitForTimeout(50);
    } while (Date.now() < end);
    throw new Error(`the clipboard holds ${text} and not ${wanted}`);
  }

  press(key) {
    return this.page.keyboard.press(key);
  }

  screenshot(name) {
    return this.page.screenshot({ path: path.join(RESULTS, `${name}.png`) });
  }

  /**
   * Makes the solver fail: by a `panic`, by one in another thread of its `pool`, by `silence` (it is
   * gone without a word), or by the loss of its GPU `device`.
   */
  fault(what) {
    return this.page.evaluate((what) => window.sketchpde.fault(what), what);
  }

  /** What JavaScript's own objects take, in bytes, after a collection. */
  async heap() {
    const tools = await this.page.context().newCDPSession(this.page);
    await tools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await tools.send("Runtime.getHeapUsage");
    await tools.detach();
    return usedSize;
  }

  /** When the page reached its marks, in seconds from its opening. */
  async marks() {
    const marks = await this.page.evaluate(() =>
      performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime / 1e3]));
    return Object.fromEntries(marks);
  }
}

/** The number to the right of a text, as a person reads it: "4.5·10⁻⁷". */
export function numberBeside(texts, label) {
  const name = texts.find(({ text }) => text.trim() === label);
  if (!name) return undefined;
  const beside = texts.filter(({ text, x, y, height }) =>
    x > name.x && Math.abs(y + height / 2 - name.y - name.height / 2) < name.height / 2 && readNumber(text) !== undefined);
  beside.sort((a, b) => a.x - b.x);
  return beside.length ? readNumber(beside[0].text) : undefined;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function readNumber(text) {
  const match = /^(?:(-?[\d.]+)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/.exec(text.trim());
  if (match) {
    const digits = [...match[2]].map((c) => (c === "⁻" ? "-" : SUPERSCRIPTS.indexOf(c))).join("");
    return Number(`${match[1] ?? 1}e${digits}`);
  }
  return /^-?\d[\d.]*$/.test(text.trim()) ? Number(text) : undefined;
}
