// A run: the job at the server, and its pictures as far as they are known here.

import { ApiError, cancelJob, getImage, jobEvents, startJob } from "./api.js";
import { parseEdits } from "./edits.js";

const PLAIN = "cfg";
const RETRIES = 3;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Ask for a job and follow it to its end.
 *
 * A run is `{form, colours, id, status, position, began, concepts, methods, seeds, warnings, pictures, order, error,
 * seconds}`, its status one of the server's, or lost: the server is gone. A picture is `{key, method, seed, state, step,
 * steps, preview, url, blob, trace, alignment, rank, evaluations, seconds}` with the state waiting, running, done or
 * stopped; `rank` is its place among the seeds of its method, once all are made.
 */
export class Runner {
  /**
   * @param {(run: object, picture: object | null) => void} onChange called when a run, or one picture of it, changed.
   * @param {{previews?: boolean}} options whether pictures are looked at before they are done, which takes the server time.
   */
  constructor(onChange, { previews = true } = {}) {
    this.onChange = onChange;
    this.previews = previews;
  }

  /** Make the pictures of a form; resolves to the run when it ended, however it ended. */
  async start(form, colours) {
    const run = await this.begin(form, colours);
    this.onChange(run, null);
    await this.follow(run);
    return run;
  }

  /** Ask for the pictures of a form; resolves to the run when the server has taken it. */
  async begin(form, colours) {
    const asked = performance.now();
    return { ...fromJob(await startJob(toRequest(form)), form, colours), asked };
  }

  /** Follow a run until it ended, or the signal aborts. */
  async follow(run, signal) {
    try {
      await this.#follow(run, signal);
    } catch (error) {
      if (over(run)) return; // nothing was missed
      run.status = error.name === "AbortError" ? "cancelled" : "lost";
      throw error;
    } finally {
      run.seconds ??= secondsOf(run);
      for (const picture of run.pictures.values()) if (picture.state !== "done") picture.state = "stopped";
      this.onChange(run, null);
    }
  }

  /** Stop a run: the server frees its place after the step it is at. */
  async cancel(run) {
    await cancelJob(run.id);
  }

  /** Read the events to the last one; a stream that breaks is taken up where it broke. */
  async #follow(run, signal) {
    const options = { previews: this.previews, signal };
    let last = "";
    for (let failures = 0; !over(run); ) {
      try {
        for await (const event of jobEvents(run.id, last, options)) {
          last = event.id;
          failures = 0;
          await this.#take(run, event, signal);
        }
        if (over(run)) return;
        failures += 1;
      } catch (error) {
        const again = [0, 429]; // no answer or a broken stream; as many clients follow as may
        if (!(error instanceof ApiError) || !again.includes(error.status)) throw error;
        failures += 1;
      }
      if (failures > RETRIES) throw new ApiError("The connection to the server was lost, and three tries did not bring it back.");
      if (failures) await pause(400 * 2 ** failures);
    }
  }

  async #take(run, { name, data }, signal) {
    const picture = run.order[data.image ?? data.index] ?? null;
    switch (name) {
      case "queued":
        run.position = data.position;
        break;
      case "started":
        run.status = "running";
        run.began = performance.now();
        break;
      case "step":
        addStep(picture, data);
        break;
      case "preview":
        if (picture.state !== "done") picture.preview = data.url;
        break;
      case "image":
        await finish(picture, data, signal);
        break;
      case "warning":
        if (!run.warnings.includes(data.message)) run.warnings.push(data.message);
        break;
      default:
        run.status = name; // done, failed, cancelled
        run.error = data.error?.message ?? null;
        run.seconds = secondsOf(run);
        run.order.forEach((made, index) => (made.rank = data.alignment_ranks?.[index] ?? null));
    }
    this.onChange(run, picture);
  }
}

const secondsOf = (run) => (performance.now() - run.asked) / 1000;

/** Whether a run has ended. */
export const over = (run) => !["queued", "running"].includes(run.status);

/**
 * Write a form as the body of `POST /v1/jobs`: plain guidance beside the method, all parameters spelled out. Concepts
 * that follow the prompt are left to the server, which knows what the model's text encoder reads.
 */
export function toRequest(form) {
  const chosen = !form.automatic || form.chips.some((chip) => chip.muted);
  const texts = form.chips.filter((chip) => !chip.muted).map((chip) => chip.text);
  return {
    prompt: form.prompt,
    model: form.model,
    n: form.seeds ? form.seeds.length : form.pictures,
    size: form.size,
    semguide: {
      method: form.method,
      parameters: form.parameters,
      compare: [PLAIN],
      concepts: chosen ? texts : null,
      max_concepts: form.most,
      retries: form.retries,
      num_frames: form.frames,
      negative_prompt: form.negative,
      edits: [...parseEdits(form.more ?? "", "more"), ...parseEdits(form.less ?? "", "less")],
      ...(form.seeds ? { seeds: form.seeds } : { seed: form.seed }),
      scheduler: form.scheduler,
      ...(form.evaluations === null ? { steps: form.steps } : { evaluations: form.evaluations }),
      guidance_scale: form.guidance,
      full_trace: form.watch,
    },
  };
}

function fromJob(job, form, colours) {
  const concepts = job.concepts.map((concept) => concept.text);
  const order = job.images.map(({ method, seed, steps, report }) => ({
    key: `${method}:${seed}`,
    method,
    seed,
    state: "waiting",
    step: 0,
    steps,
    rank: null,
    trace: report?.trace ?? { concepts, similarity: [], gate: [], weight: [] },
  }));
  return {
    form,
    colours,
    id: job.id,
    status: job.status,
    position: job.position,
    began: null,
    model: job.model,
    concepts,
    methods: job.methods.map((method) => method.name),
    seeds: job.seeds,
    warnings: job.warnings,
    order,
    pictures: new Map(order.map((picture) => [picture.key, picture])),
    error: null,
    seconds: null,
  };
}

/** Add what a step measured; a step that comes twice, after a broken stream, stays one. */
function addStep(picture, data) {
  picture.state = "running";
  picture.step = data.step;
  picture.steps = Math.max(picture.steps, data.steps);
  const nothing = picture.trace.concepts.map(() => null);
  for (const name of ["similarity", "gate", "weight"]) picture.trace[name][data.step - 1] = data.trace?.[name] ?? nothing;
}

async function finish(picture, data, signal) {
  picture.blob = await getImage(data.url, signal);
  Object.assign(picture, {
    url: URL.createObjectURL(picture.blob),
    state: "done",
    step: picture.steps,
    preview: null,
    trace: data.trace,
    alignment: data.alignment,
    evaluations: data.evaluations,
    seconds: data.seconds,
  });
}
