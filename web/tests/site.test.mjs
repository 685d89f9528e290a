// The site in a real browser, with WebGPU and without: `cargo xtask web-test`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { App, PATIENCE, TIERS, launch, numberBeside, readNumber } from "./browser.mjs";

const FILE = path.join(import.meta.dirname, "problem.toml");
const SEED = 2;
/**
 * Runs of the test of memory. SKETCHPDE_RUNS=257 is an hour of play: each run takes 14 s at the
 * speed that a person follows.
 */
const RUNS = Number(process.env.SKETCHPDE_RUNS ?? 40);
/** Why the site has no module with threads; empty where it has one. */
const SINGLE_THREADED = process.env.SKETCHPDE_SINGLE_THREADED;
/** Of the solver without WebGPU, in the test of its numbers. */
const THREADS = SINGLE_THREADED ? 1 : 2;
/** What the line at the bottom says of the processor. */
const processor = (threads) => new RegExp(`^CPU, ${threads} thread${threads === 1 ? "" : "s"}  `);
/** For waiting until a run is over. */
const SLOWLY = { pause: 500 };

/** What the command line program computes for the problem of these tests. */
function program(seed) {
  const out = path.join(process.env.SKETCHPDE_RESULTS, `program-seed${seed}`);
  const json = execFileSync(process.env.SKETCHPDE_CLI, [
    "solve", FILE, "--backend", "cpu", "--seed", seed, "--out", out, "--json", "--quiet", "--no-plots", "--force",
  ]);
  return JSON.parse(json);
}

/**
 * A training that takes a software GPU seconds; its link, and the losses that the program finds
 * with the same settings.
 */
const TRAINING = ["method.correction=false", "network.layers=[8, 8]", "residual.interior.points.count=9", "residual.walls.points.count=9", "evaluation.count=20"];
const trainingLink = (changes) =>
  `#v1&preset=poisson-2d${[...TRAINING, ...changes].map((change) => `&set=${encodeURIComponent(change)}`).join("")}`;
function losses(changes) {
  const out = path.join(process.env.SKETCHPDE_RESULTS, "program-training");
  const set = [...TRAINING, ...changes].flatMap((change) => ["--set", change]);
  execFileSync(process.env.SKETCHPDE_CLI, [
    "solve", "poisson-2d", ...set, "--backend", "cpu", "--out", out, "--quiet", "--no-plots", "--force",
  ]);
  const [names, ...rows] = readFileSync(path.join(out, "history.csv"), "utf8").trim().split("\n");
  const column = names.split(",").indexOf("loss");
  return rows.map((row) => Number(row.split(",")[column]));
}

const linkTo = (seed) =>
  `#v1&file=${encodeURIComponent(readFileSync(FILE, "utf8"))}&set=${encodeURIComponent(`run.seed=${seed}`)}`;

/** The largest difference between errors, as a share of them. */
const disagreement = (some, others) =>
  Math.max(...Object.keys(some).map((key) => Math.abs(some[key] / others[key] - 1)));

/** The errors that the trust panel shows, that the app was told, and that the program prints. */
const errorsShown = ({ texts }) => ({
  initial: numberBeside(texts, "Initial fit"),
  now: numberBeside(texts, "Error now"),
  run: numberBeside(texts, "Error over the run"),
});
const errorsTold = ({ run: { status } }) =>
  ({ initial: status.initial_error, now: status.error, run: status.space_time_error });
const errorsPrinted = (result) =>
  ({ initial: result.initial_error, now: result.final_relative_l2, run: result.relative_l2 });

test("numbers are read as they are written", () => {
  assert.equal(readNumber("4.5·10⁻⁷"), 4.5e-7);
  assert.equal(readNumber("10⁻³"), 1e-3);
  assert.equal(readNumber("0.0123"), 0.0123);
  assert.equal(readNumber("12 of 80"), undefined);
});

for (const tier of Object.keys(TIERS)) {
  describe(tier, () => {
    let browser;
    before(async () => { browser = await launch(tier); });
    after(() => browser.close());

    /** A test on a page of its own, which must not complain. */
    const onPage = (name, { skip, ...options }, body) => test(name, { timeout: 5e3 * PATIENCE, skip }, async () => {
      const app = await App.open(browser, options);
      try {
        await body(app);
        assert.deepEqual(app.complaints, []);
      } catch (error) {
        await app.screenshot(`${tier}-failed-${name.replaceAll(/\W+/g, "-")}`);
        throw error;
      } finally {
        await app.close();
      }
    });

    onPage("the page plays without a click, on screens of three sizes", {}, async (app) => {
      const { seen: first } = await app.until("a step", ({ run }) => run.status?.step > 0);
      await app.until("more steps", ({ run: { status } }) =>
        status.step > first.run.status.step + 5 || status.phase === "Done");
      const banner = first.texts.some(({ text }) => text.includes("WebAssembly"));
      assert.equal(banner, tier === "webassembly", "the banner says why there is no GPU, and only then");
      for (const [width, height] of [[1280, 800], [1920, 1080], [390, 844]]) {
        await app.page.setViewportSize({ width, height });
        await app.until(`a canvas of ${width} x ${height}`, ({ canvas }) =>
          canvas.width === width && canvas.height === height);
        const { texts } = await app.look();
        assert.ok(texts.length > 10, "the app is there");
        const outside = texts.filter(({ x, width: w }) => x < -1 || x + w > width + 1);
        assert.deepEqual(outside, [], `clipped at ${width} x ${height}`);
        await app.screenshot(`${tier}-${width}x${height}`);
      }
      const { seen: last } = await app.until("the end", ({ run }) => run.status.phase === "Done", SLOWLY);
      const marks = await app.marks();
      const seconds = (name) => marks[`sketchpde: ${name}`].toFixed(2);
      console.log(`${tier}: module started after ${seconds("module started")} s, first frame `
        + `${seconds("first frame")} s, first moving frame ${seconds("first moving frame")} s; `
        + `${last.run.status.step} steps took ${last.run.status.seconds.steps.toFixed(2)} s`);
    });

    const query = tier === "webgpu" ? "" : `?threads=${THREADS}`;
    onPage("its numbers are those of the program", { query, fragment: linkTo(SEED), height: 1400 }, async (app) => {
      // A software GPU draws and computes by turns: a small picture leaves time for the solver.
      const small = () => app.page.setViewportSize({ width: 400, height: 300 });
      if (tier === "webgpu") {
        await app.click("GPU");
        await small();
        const { seen } = await app.until("a GPU", ({ run }) =>
          run.loaded?.backend === "gpu" && run.status?.phase === "Steps", SLOWLY);
        if (!seen.run.status.playing) {
          // The first run was over before the second began.
          await app.press("Escape");
          await app.press("Space");
        }
      }
      await small();
      await app.until("the end", ({ run }) =>
        run.status?.phase === "Done" && run.status.space_time_error !== null, SLOWLY);
      await app.page.setViewportSize({ width: 1280, height: 1400 });
      await app.until("the errors", (seen) => errorsShown(seen).run !== undefined);
      const seen = await app.look();
      await app.text(tier === "webgpu" ? /^GPU, / : processor(THREADS));
      await app.screenshot(`${tier}-numbers`);
      const told = errorsTold(seen);
      // Two digits are shown.
      assert.ok(disagreement(errorsShown(seen), told) < 0.06, JSON.stringify([errorsShown(seen), told]));
      const result = program(SEED);
      assert.equal(seen.run.status.step, result.steps);
      // Single precision leaves 1e-7 of noise above a cutoff of 1e-5; in double precision sums are
      // taken in another order, before a fit that amplifies that.
      const tolerance = tier === "webgpu" ? 3e-2 : 1e-3;
      const printed = errorsPrinted(result);
      assert.ok(disagreement(told, printed) < tolerance, JSON.stringify({ told, printed }));
      // The comparison can fail: another seed is another run.
      assert.ok(disagreement(told, errorsPrinted(program(SEED + 1))) > 10 * tolerance);
    });

    onPage("a mistake in an equation is explained where it stands", { fragment: linkTo(SEED), height: 1400 }, async (app) => {
      await app.until("a step", ({ run }) => run.status?.step > 0);
      await app.click(/^u_t = /);
      await app.press("End");
      await app.page.keyboard.type(" + qq");
      await app.text(/qq/);
      const { text } = await app.text(/unknown symbol/i);
      assert.match(text, /qq/);
      await app.screenshot(`${tier}-mistake`);
      for (let k = 0; k < 5; k += 1) await app.press("Backspace");
      await app.until("no mistake", ({ texts }) => !texts.some(({ text }) => /unknown symbol/i.test(text)));
    });

    onPage("a link opens the same state", { fragment: `${linkTo(7)}&set=method.columns%3D66` }, async (app) => {
      await app.until("a step", ({ run }) => run.status?.step > 0);
      await app.text(/^66 of 177/);
      await app.click("Copy link");
      const link = await app.clipboard(/#v1&/);
      const other = await App.open(browser, { fragment: new URL(link).hash });
      await other.text(/^66 of 177/);
      await other.until("a step", ({ run }) => run.status?.step > 0);
      assert.deepEqual(other.complaints, []);
      await other.close();
    });

    onPage("after a crash of the solver the run goes on", {}, async (app) => {
      const { seen: before } = await app.until("some steps", ({ run }) => run.status?.step > 40);
      await app.fault("panic");
      await app.text(/goes on at step \d+, t = /);
      await app.until("more steps", ({ run: { status } }) =>
        status?.step > before.run.status.step && status.phase !== "Fit");
      await app.screenshot(`${tier}-crash`);
      // The panic itself may be in the console, and nothing else.
      assert.deepEqual(app.complaints.filter((text) => !/panicked|unreachable/.test(text)), []);
      app.complaints.length = 0;
    });

    onPage("a solver that is gone without a word is missed and replaced", { query: "?patience=8" }, async (app) => {
      const { seen: before } = await app.until("some steps", ({ run }) => run.status?.step > 40);
      await app.fault("silence");
      await app.text(/has not answered for [\s\S]* goes on at step \d+, t = /);
      await app.until("more steps", ({ run: { status } }) =>
        status?.step > before.run.status.step && status.phase !== "Fit");
    });

    onPage("a link tells what was done to the run again", { fragment: linkTo(9) }, async (app) => {
      await app.until("a step", ({ run }) => run.status?.step > 0);
      const { x, y } = await app.text("network");
      await app.page.mouse.click(x + 150, y + 90);
      await app.until("the change", ({ run }) => run.messages.some((text) => /was changed at t = /.test(text)));
      const end = ({ run }) => run.status?.phase === "Done";
      const { seen: first } = await app.until("the end", end, SLOWLY);
      await app.click("Copy link");
      const link = await app.clipboard(/&at=\d+~poke~/);
      const other = await App.open(browser, { fragment: new URL(link).hash });
      const { seen: second } = await other.until("the end", end, SLOWLY);
      assert.deepEqual(second.run.values, first.run.values);
      assert.deepEqual(other.complaints, []);
      await other.close();
    });

    onPage("a link opens a training", { fragment: "#v1&preset=poisson-2d" }, async (app) => {
      await app.text(/^Poisson's equation on a square/);
      await app.text(/^iteration \d+/);
      await app.until("a picture", ({ texts }) => texts.some(({ text }) => /^Compared with the exact/.test(text)));
      await app.screenshot(`${tier}-training`);
    });

    if (tier === "webassembly") {
      const several = { query: "?threads=3", skip: SINGLE_THREADED || false };
      onPage("after a panic in one of its threads the run goes on, with as many as before", several, async (app) => {
        // The worker that computes the reference ends once it has it.
        const alone = async () => {
          let threads;
          await app.until("errors", ({ run: { status } }) => status?.step > 40 && status.error !== null);
          await app.text(processor(3));
          await app.until("the solver's three threads alone", async () => {
            threads = await app.threads();
            return isDeepStrictEqual(threads, ["pool.js", "pool.js", "worker.js"]);
          }).catch((error) => { throw new Error(`running: ${threads}; ${error.message}`); });
        };
        await alone();
        const { run: before } = await app.look();
        await app.fault("pool");
        await app.text(/a panic in the pool[\s\S]* goes on at step \d+, t = /);
        await app.until("more steps", ({ run: { status } }) =>
          status?.step > before.status.step && status.phase !== "Fit");
        await alone();
        assert.deepEqual(app.complaints.filter((text) => !/panicked|unreachable/.test(text)), []);
        app.complaints.length = 0;
      });

      const refusal = { "sketchpde_threads.js": 'throw new RangeError("no shared memory of that size");' };
      onPage("where shared memory is refused the solver has one thread", { query: "?threads=2", replaced: refusal, skip: SINGLE_THREADED || false }, async (app) => {
        await app.until("a step", ({ run }) => run.status?.step > 0);
        await app.text(processor(1));
      });

      onPage("on a server that does not isolate it the solver has one thread", { query: "?threads=2", fragment: linkTo(SEED), isolated: false }, async (app) => {
        assert.equal(await app.page.evaluate(() => crossOriginIsolated), false);
        await app.until("a step", ({ run }) => run.status?.step > 0);
        await app.text(processor(1));
      });
    }

    if (tier === "webgpu") {
      onPage("without its device the run goes on on the processor", { fragment: linkTo(3), width: 640, height: 900 }, async (app) => {
        await app.until("a step", ({ run }) => run.status?.step > 0);
        await app.page.setViewportSize({ width: 1000, height: 1400 });
        await app.click("GPU");
        await app.page.setViewportSize({ width: 400, height: 300 });
        const { seen: before } = await app.until("steps on a GPU", ({ run }) =>
          run.loaded?.backend === "gpu" && run.status?.phase === "Steps", SLOWLY);
        await app.fault("device");
        await app.press("Escape");
        if (!before.run.status.playing) await app.press("Space");
        const { seen } = await app.until("the processor", ({ run }) =>
          run.loaded?.backend === "cpu" && run.status?.phase === "Done", SLOWLY);
        assert.ok(seen.run.messages.some((text) => /goes on, on the CPU/.test(text)), seen.run.messages.join());
      });
    }

    if (tier === "webgpu") {
      const train = async (app) => {
        await app.until("an iteration", ({ run }) => run.training?.points.length > 0);
        await app.click("GPU");
        // A software GPU draws and computes by turns.
        await app.page.setViewportSize({ width: 400, height: 300 });
        const onGpu = ({ run: { training } }) => training?.place.backend === "gpu" && training.points.length > 0;
        return (await app.until("an iteration on a GPU", onGpu, SLOWLY)).seen;
      };

      const few = ["method.iterations=6"];
      onPage("a training on a GPU goes the way of the processor's", { fragment: trainingLink(few), height: 1400 }, async (app) => {
        await train(app);
        const { seen } = await app.until("the end", ({ run }) => run.training.ended, SLOWLY);
        const { place, failure, points } = seen.run.training;
        assert.equal(failure, null);
        // WebGPU has no f64: the tier's residuals are double-float, and it says so.
        assert.deepEqual([place.backend, place.precision], ["gpu", "mixed (double-float residual)"]);
        await app.page.setViewportSize({ width: 1280, height: 1400 });
        await app.text(/^GPU, .*mixed \(double-float residual\)  ·  lm$/);
        await app.screenshot(`${tier}-training-on-gpu`);
        const found = points.map(({ loss }) => loss);
        // Rounding in a Jacobian of f32 turns a step by little, which grows from step to step.
        const agrees = (wanted) => found.length === wanted.length && found.every((loss, k) =>
          Math.abs(loss - wanted[k]) < 1e-4 * 4 ** k * wanted[k] + 1e-7 * wanted[0]);
        const told = (wanted) => JSON.stringify({ found, wanted });
        for (const precision of ["mixed", "f64"]) {
          const wanted = losses([...few, `run.precision=${precision}`]);
          assert.ok(agrees(wanted), told(wanted));
        }
        // The comparison can fail: another seed is another training.
        const other = losses([...few, "run.seed=1"]);
        assert.ok(!agrees(other), told(other));
      });

      onPage("without its device a training goes on on the processor", { fragment: trainingLink(["method.iterations=2000"]), height: 1400 }, async (app) => {
        const { run: before } = await train(app);
        await app.fault("device");
        const { seen } = await app.until("iterations on the processor", ({ run: { training } }) =>
          training.place.backend === "cpu" && training.points.length > before.training.points.length + 10, SLOWLY);
        assert.ok(seen.run.messages.some((text) => /goes on, on the CPU/.test(text)), seen.run.messages.join());
        const { failure, points } = seen.run.training;
        assert.equal(failure, null);
        assert.deepEqual(points.map(({ iteration }) => iteration), points.map((_, k) => k + 1), "none is lost");
        assert.ok(points.every(({ loss }, k) => k === 0 || loss <= (1 + 1e-9) * points[k - 1].loss), "from where it was");
      });
    }

    onPage("hours of play take no more memory than a minute", { fragment: linkTo(5), height: 1400 }, async (app) => {
      await app.click("Full");
      // A small picture, so that the time goes to the solver.
      await app.page.setViewportSize({ width: 400, height: 300 });
      const end = async () => (await app.until("an end", ({ run }) =>
        run.status?.phase === "Done" && run.status.space_time_error !== null)).seen;
      const weigh = async ({ memory }) => [...memory, await app.heap()];
      let early;
      for (let k = 0; k < RUNS; k += 1) {
        const seen = await end();
        if (k === Math.ceil(RUNS / 10)) early = await weigh(seen);
        await app.press("Escape");
        await app.press("Space");
        await app.until("another run", ({ run }) =>
          run.status.seconds.total !== seen.run.status.seconds.total);
      }
      const late = await weigh(await end());
      console.log(`${tier}: ${RUNS} runs; memory of page, solver, heap in MB: `
        + `${[early, late].map((all) => all.map((bytes) => (bytes / 1e6).toFixed(1)).join(", ")).join(" and then ")}`);
      for (const k of [0, 1, 2]) assert.ok(late[k] <= 1.15 * early[k], JSON.stringify({ early, late }));
    });

    onPage("a damaged link is explained and something else plays", { fragment: "#v1&preset=nothing" }, async (app) => {
      await app.text(/link cannot be followed/i);
      await app.until("a step", ({ run }) => run.status?.step > 0);
    });
  });
}
