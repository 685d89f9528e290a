// Loads each module once, for the page and its workers, and shows how far that is and what fails.

import init, { start } from "./sketchpde.js?v=%VERSION%";

// Their sizes are set by the build; that of the module with threads is 0 where it was not built.
const MODULE = { file: "./sketchpde_bg.wasm?v=%VERSION%", size: Number("%SIZE%") };
const THREADED = { file: "./sketchpde_threads_bg.wasm?v=%VERSION%", size: Number("%THREADED_SIZE%") };
// More of them gain nothing on problems that a page can show, and each takes time to begin.
const MOST_THREADS = 16;
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

// How far the downloads are, in bytes.
const progress = { loaded: 0, size: 0 };

// The length that a server names is that of the compressed file, so progress counts to the size that
// the build has written down.
async function count(body) {
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    progress.loaded += part.value.byteLength;
    element("progress").value = Math.min(1, progress.loaded / progress.size);
  }
}

// Compiles while it downloads.
async function download({ file, size }) {
  progress.size += size;
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  // What fails fails below too.
  count(response.clone().body).catch(() => {});
  const type = "application/wasm";
  // A server's own answer is what a browser keeps the machine code of, for the next visit.
  return WebAssembly.compileStreaming(response.headers.get("Content-Type") === type ? response
    : new Response(response.body, { headers: { "Content-Type": type } }));
}

// Why there is no WebGPU; empty where there is.
async function withoutWebGpu() {
  if (!navigator.gpu) {
    return isSecureContext ? "This browser has no WebGPU" : "WebGPU needs https";
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? "" : "This browser offers no adapter for WebGPU";
}

// How many threads the solver may have. Shared memory is for pages that servers isolate. From three
// cores on, one is the page's, to draw with; `?threads=` asks for another number.
function threadsHere() {
  if (!THREADED.size || !globalThis.crossOriginIsolated || !globalThis.SharedArrayBuffer) return 1;
  const asked = Number(new URLSearchParams(location.search).get("threads"));
  const cores = navigator.hardwareConcurrency || 1;
  const threads = asked >= 1 ? Math.floor(asked) : cores > 2 ? cores - 1 : cores;
  return Math.min(threads, MOST_THREADS);
}

function spawn() {
  const worker = new Worker(new URL("./worker.js?v=%VERSION%", import.meta.url), { type: "module" });
  // Until the app listens itself.
  worker.onerror = ({ message }) => fail("The solver could not be started", "Load the page again.", message);
  return worker;
}

// Tells a worker what to run: `threaded`, if there is such a module, on so many threads.
function equip(worker, module, threaded, threads) {
  const alarms = Array.from({ length: threaded ? threads - 1 : 0 }, () => {
    const { port1, port2 } = new MessageChannel();
    // A thread of its pool has stopped. The worker waits for it and cannot say so itself.
    port1.onmessage = ({ data: message }) => worker.dispatchEvent(new ErrorEvent("error", { message }));
    return port2;
  });
  worker.postMessage({ module, threaded, alarms }, alarms);
}

async function main() {
  // The first worker starts beside the page, not after it.
  let first = spawn();
  const threads = threadsHere();
  const reason = withoutWebGpu();
  const own = download(MODULE);
  // With WebGPU large problems are solved there, by a module that needs no threads for it.
  const other = threads > 1 ? reason.then((without) => (without ? download(THREADED) : null)) : null;
  // The worker need not wait for the page.
  const modules = Promise.all([own, other]).then(([module, threaded]) => {
    equip(first, module, threaded, threads);
    return { module, threaded };
  });
  const begun = own.then((module) => init({ module_or_path: module }));
  const [{ module, threaded }, without] = await Promise.all([modules, reason, begun]);
  const page = {
    withoutWebGpu: without,
    newWorker(forSolver) {
      const worker = first ?? spawn();
      if (worker !== first) equip(worker, module, forSolver ? threaded : null, threads);
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
