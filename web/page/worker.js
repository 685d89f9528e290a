// The solver's thread. The page sends the modules compiled: its own, which solves on one thread,
// and where there may be more the one that has them.

import init, { serve } from "./sketchpde.js?v=%VERSION%";

// What arrives while the module starts waits here.
const early = [];
self.onmessage = (event) => early.push(event);

// The other threads; Firefox takes workers that nobody holds for garbage.
const pool = [];

// A worker in the pool's module, once it is ready.
function hire(module, memory, alarm) {
  const worker = new Worker(new URL("./pool.js?v=%VERSION%", import.meta.url), { type: "module" });
  pool.push(worker);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data ? reject(new Error(data)) : resolve());
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ module, memory, alarm }, [alarm]);
  });
}

// The module with threads, one for each alarm beside this one. It fails where the browser grants
// less shared memory than the module may ask for, as some telephones do.
async function withThreads(module, alarms) {
  const glue = await import("./sketchpde_threads.js?v=%VERSION%");
  const { memory } = await glue.default({ module_or_path: module });
  await Promise.all(alarms.map((alarm) => hire(module, memory, alarm)));
  glue.start_pool(alarms.length + 1);
  return glue.serve;
}

async function onOneThread(module) {
  await init({ module_or_path: module });
  return serve;
}

async function main({ module, threaded, alarms }) {
  let solve;
  if (threaded) {
    solve = await withThreads(threaded, alarms).catch((error) => {
      console.warn(`one thread only: ${error.message}`);
      pool.forEach((worker) => worker.terminate());
    });
  }
  solve ??= await onOneThread(module);
  solve(early.map((event) => event.data));
}

self.onmessage = ({ data }) => {
  self.onmessage = (event) => early.push(event);
  main(data);
};
