// Samplers by the names that people know them by.

const NAMES = {
  DDIMScheduler: "DDIM",
  DDPMScheduler: "DDPM",
  DEISMultistepScheduler: "DEIS",
  DPMSolverMultistepScheduler: "DPM++ 2M",
  DPMSolverSinglestepScheduler: "DPM++ 2S",
  DPMSolverSDEScheduler: "DPM++ SDE",
  EulerAncestralDiscreteScheduler: "Euler a",
  EulerDiscreteScheduler: "Euler",
  FlowMatchEulerDiscreteScheduler: "Euler (flow)",
  HeunDiscreteScheduler: "Heun",
  KDPM2AncestralDiscreteScheduler: "DPM2 a",
  KDPM2DiscreteScheduler: "DPM2",
  LMSDiscreteScheduler: "LMS",
  PNDMScheduler: "PNDM",
  UniPCMultistepScheduler: "UniPC",
};

/** Return what a sampler is called. */
export const samplerName = (scheduler) => NAMES[scheduler] ?? scheduler.replace(/Scheduler$/, "");
