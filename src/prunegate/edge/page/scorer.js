// Scorer: one picture in, the probability of every class out. The page that people use and the one
// that prunegate judges by are both made of this file; edge.json beside it says all it needs.
import * as ort from "./runtime/ort.js";
import { decoded, framed, readsTruly, values } from "./pixels.js";

const got = async (name) => {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} cannot be fetched (${answer.status}); copy the whole folder`);
  return answer;
};

function shares(logits, activation) {
  const found = Array.from(logits);
  if (found.some((one) => !Number.isFinite(one))) throw new Error("the model's answer is NaN or infinite");
  if (activation === "none") {
    if (found.some((one) => one < 0 || one > 1)) throw new Error("the model's answer is no probability");
    return found;
  }
  if (activation === "sigmoid") return found.map((one) => 1 / (1 + Math.exp(-one)));
  const most = Math.max(...found);
  const raised = found.map((one) => Math.exp(one - most));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((one) => one / sum);
}

export class Scorer {
  static async open(about) {
    if (!readsTruly()) throw new Error("this browser alters the pixels that a page reads (a protection against fingerprinting), so that the scores would be of other pictures; allow this page to read its canvas");
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = await (await got("./runtime/ort.wasm")).arrayBuffer();
    const model = new Uint8Array(await (await got("./model.onnx")).arrayBuffer());
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return new Scorer(about, session);
  }

  constructor(about, session) {
    this.about = about;
    this.session = session;
  }

  // A picture's probabilities, one a class, and how long preparing it and the model took.
  async score(blob) {
    const began = performance.now();
    const image = framed(await decoded(blob), this.about.processing);
    const data = values(image, this.about.processing, this.about.input);
    const prepare = performance.now() - began;
    return { ...(await this.run(data, image.height, image.width)), prepare_ms: prepare };
  }

  async run(data, height, width) {
    const { name, layout } = this.about.input;
    const form = layout === "NHWC" ? [1, height, width, 3] : [1, 3, height, width];
    const began = performance.now();
    const answer = await this.session.run({ [name]: new ort.Tensor("float32", data, form) });
    const logits = answer[this.about.output].data;
    const took = performance.now() - began;
    const found = shares(logits, this.about.activation);
    const wanted = this.about.classes.length;
    if (found.length !== wanted && !(found.length === 1 && wanted === 2)) throw new Error(`the model answers with ${found.length} numbers for ${wanted} classes`);
    return { shares: found.length < wanted ? [1 - found[0], found[0]] : found, run_ms: took };
  }
}

export async function described() {
  return (await got("./edge.json")).json();
}
