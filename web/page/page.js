// Loads the module once, for the page and its worker, and shows how far that is and what fails.

import init, { start } from "./sketchpde.js?v=%VERSION%";

const MODULE = "./sketchpde_bg.wasm?v=%VERSION%";
const MODULE_BYTES = Number("%SIZE%");
const BROWSERS = "Chrome, Edge or Opera from version 113, Firefox from 141 on Windows or 145 on a Mac "
  + "and Safari from 26 have WebGPU; any browser of the last years with WebGL 2 works too, slower.";

const element = (selector) => document.querySelector(selector);

function fail(title, advice, details) {
  const pane = element("#failure");
  // The first failure is the cause of those after it.
  if (!pane.hidden) return;
  element("#cover").hidden = true;
  pane.querySelector("h1").textContent = title;
  pane.querySelector("p").textContent = advice;
  pane.querySelector("pre").textContent = String(details ?? "");
  pane.querySelector("button").onclick = () => location.reload();
  pane.hidden = false;
}

// Gives the bytes to the person as a download.
function save(name, bytes) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([bytes]));
  anchor.download = name;
  anchor.click();
  // The download has to begin first.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

// Lets the person choose a file; `take` gets its bytes.
function browse(take) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".toml,.sketchpde,text/plain";
  input.onchange = async () => {
    const [file] = input.files;
    if (file) take(new Uint8Array(await file.arrayBuffer()));
  };
  input.click();
}

// Compiles while it downloads. The length that a server names is that of the compressed file, so
// progress counts to the size that the build has written down.
async function download() {
  const response = await fetch(MODULE);
  if (!response.ok) throw new Error(`${MODULE}: ${response.status} ${response.statusText}`);
  const progress = element("progress");
  let loaded = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      progress.value = Math.min(1, loaded / MODULE_BYTES);
      controller.enqueue(chunk);
    },
  }));
  const headers = { "Content-Type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(counted, { headers }));
}

// Why there is no WebGPU; empty where there is.
async function withoutWebGpu() {
  if (!navigator.gpu) {
    return isSecureContext ? "This browser has no WebGPU" : "WebGPU needs https";
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? "" : "This browser offers no adapter for WebGPU";
}

function spawn() {
  const worker = new Worker(new URL("./worker.js?v=%VERSION%", import.meta.url), { type: "module" });
  // Until the app listens itself.
  worker.onerror = ({ message }) => fail("The solver could not be started", "Load the page again.", message);
  return worker;
}

async function main() {
  // The first worker starts beside the page, not after it.
  let first = spawn();
  const begin = async () => {
    const module = await download();
    // The worker need not wait for the page, nor for an adapter that only drawing needs.
    first.postMessage(module);
    await init({ module_or_path: module });
    return module;
  };
  const [module, reason] = await Promise.all([begin(), withoutWebGpu()]);
  const page = {
    withoutWebGpu: reason,
    newWorker() {
      const worker = first ?? spawn();
      if (worker !== first) worker.postMessage(module);
      first = null;
      return worker;
    },
    fail,
    save,
    browse,
    link: (fragment) => `${location.href.split("#")[0]}#${fragment}`,
    fragment: location.hash.slice(1),
    // A step of a large problem takes a minute; tests ask for less.
    patience: Number(new URLSearchParams(location.search).get("patience")) || 120,
    every(seconds, action) { setInterval(action, 1e3 * seconds); },
    uncover() { element("#cover").hidden = true; },
    expose(look, fault) {
      window.sketchpde = Object.freeze({ look: async () => JSON.parse(await look()), fault });
    },
  };
  try {
    await start(element("#canvas"), page);
  } catch (error) {
    fail("This browser cannot draw the page", BROWSERS, error);
  }
}

// Another link typed into the same tab is another beginning.
window.addEventListener("hashchange", () => location.reload());

main().catch((error) => {
  const old = typeof WebAssembly !== "object" || !("compileStreaming" in WebAssembly);
  fail(old ? "This browser is too old for this page" : "The page could not be loaded",
    old ? BROWSERS : "Check the connection and try again.", error);
});
