// The solver's thread: the same module as the page's, which sends it compiled.

import init, { serve } from "./sketchpde.js?v=%VERSION%";

// What arrives while the module starts waits here.
const early = [];
self.onmessage = (event) => early.push(event);

async function main(module) {
  await init({ module_or_path: module });
  serve(early.map((event) => event.data));
}

self.onmessage = ({ data }) => {
  self.onmessage = (event) => early.push(event);
  main(data);
};
