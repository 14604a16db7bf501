// Scorer: one picture or text in, the probability of every class out. The page that people use and the one
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
  if (found.length < 2) throw new Error("the model answers with one number, of which a softmax is always 1");
  const most = Math.max(...found);
  const raised = found.map((one) => Math.exp(one - most));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((one) => one / sum);
}

const WHOLE = { int64: (ids) => BigInt64Array.from(ids, BigInt), int32: (ids) => Int32Array.from(ids) };

// A text's tokens as Python cuts them: too long ones lose their end, special tokens stay around.
function cut(tokenizer, text, { longest, vocabulary, before, after }) {
  const plain = tokenizer.encode(text, { add_special_tokens: false }).ids;
  const ids = [...before, ...plain.slice(0, longest - before.length - after.length), ...after];
  if (ids.length === 0) throw new Error("it has no token that the model knows");
  if (ids.some((id) => id < 0 || id >= vocabulary)) throw new Error("it has a token that the model does not know");
  return ids;
}

async function tokenizerOf(about) {
  if (about.input.reads !== "texts") return null;
  const { Tokenizer } = await import("./runtime/tokenizers.js");
  const [whole, config] = await Promise.all(["./tokenizer.json", "./tokenizer_config.json"].map(async (name) => (await got(name)).json()));
  return new Tokenizer(whole, config);
}

export class Scorer {
  static async open(about) {
    if (about.input.reads === "images" && !readsTruly()) throw new Error("this browser alters the pixels that a page reads (a protection against fingerprinting), so that the scores would be of other pictures; allow this page to read its canvas");
    const tokenizer = await tokenizerOf(about);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = await (await got("./runtime/ort.wasm")).arrayBuffer();
    const model = new Uint8Array(await (await got("./model.onnx")).arrayBuffer());
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return new Scorer(about, session, tokenizer);
  }

  constructor(about, session, tokenizer) {
    this.about = about;
    this.session = session;
    this.tokenizer = tokenizer;
  }

  // Probabilities of a picture (a blob) or a text, one a class; how long preparing and the model took.
  async score(given) {
    const began = performance.now();
    if (this.tokenizer) {
      const ids = cut(this.tokenizer, given, this.about.processing);
      const prepare = performance.now() - began;
      return { ...(await this.ofText(ids)), prepare_ms: prepare };
    }
    const image = framed(await decoded(given), this.about.processing);
    const data = values(image, this.about.processing, this.about.input);
    const prepare = performance.now() - began;
    return { ...(await this.ofPicture(data, image.height, image.width)), prepare_ms: prepare };
  }

  async ofPicture(data, height, width) {
    const { name, layout } = this.about.input;
    const form = layout === "NHWC" ? [1, height, width, 3] : [1, 3, height, width];
    return this.run({ [name]: new ort.Tensor("float32", data, form) });
  }

  async ofText(ids) {
    const { names, type, length } = this.about.input;
    const size = length === null ? ids.length : length;
    if (ids.length > size) throw new Error(`the model takes ${size} tokens, and this text has ${ids.length}`);
    const beyond = Array(size - ids.length);
    const rows = {
      input_ids: [...ids, ...beyond.fill(this.about.processing.pad)],
      attention_mask: [...ids.map(() => 1), ...beyond.fill(0)],
      token_type_ids: Array(size).fill(0),
    };
    return this.run(Object.fromEntries(Object.entries(names).map(([role, name]) =>
      [name, new ort.Tensor(type, WHOLE[type](rows[role]), [1, size])])));
  }

  async run(feeds) {
    const began = performance.now();
    const answer = await this.session.run(feeds);
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
