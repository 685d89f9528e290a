// A thread of the solver's pool: the solver's module once more, on the same memory.

import init, { join_pool } from "./sketchpde_threads.js?v=%VERSION%";

self.onmessage = async ({ data: { module, memory, alarm } }) => {
  try {
    await init({ module_or_path: module, memory });
  } catch (error) {
    postMessage(String(error));
    return;
  }
  // Nothing is wrong.
  postMessage("");
  try {
    join_pool();
  } catch (error) {
    // The solver waits for this thread and reads no messages, but the page does.
    alarm.postMessage(error.message);
  }
};
