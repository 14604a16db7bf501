// Pixels: what becomes of a picture before the model sees it, as edge.json describes it.
// Resizing and cropping are Pillow's to the byte, rescaling and normalising numpy's to the bit. What
// may differ from Python is decoding: JPEG by a unit here and there, and what lies under transparency.
const PRECISION = 22; // bits after the point of Pillow's coefficients
const MOST_PIXELS = 89_000_000; // against pictures that say they are larger than any memory

const sinc = (x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
const cubic = (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * -0.5);
const hamming = (x) => {
  const turn = x * Math.PI;
  return x === 0 ? 1 : Math.sin(turn) / turn * (0.54 + 0.46 * Math.cos(turn));
};
// By Pillow's number: how far a filter reaches, and its weight at a distance within that.
const FILTERS = {
  1: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
  2: [1, (x) => (Math.abs(x) < 1 ? 1 - Math.abs(x) : 0)],
  3: [2, (x) => (Math.abs(x) < 2 ? cubic(Math.abs(x)) : 0)],
  4: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  5: [1, (x) => (Math.abs(x) < 1 ? hamming(Math.abs(x)) : 0)],
};

// For every pixel to make: the first to read, and the whole-number weights from there on.
function weights(from, to, resample) {
  const [reach, filter] = FILTERS[resample];
  const scale = from / to;
  const wide = Math.max(scale, 1);
  const support = reach * wide;
  return Array.from({ length: to }, (_, place) => {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const found = [];
    let sum = 0;
    for (let x = first; x < end; x += 1) {
      const weight = filter((x - center + 0.5) * (1 / wide));
      found.push(weight);
      sum += weight;
    }
    const whole = found.map((weight) => {
      const share = sum === 0 ? weight : weight / sum;
      return Math.trunc((share < 0 ? -0.5 : 0.5) + share * (1 << PRECISION));
    });
    return [first, whole];
  });
}

// One axis: lines of pixels, `step` bytes between two pixels of a line, `next` between two lines.
function stretched(source, target, { lines, made, step, next, made_step, made_next }) {
  for (let place = 0; place < made.length; place += 1) {
    const [first, whole] = made[place];
    for (let line = 0; line < lines; line += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 1 << (PRECISION - 1);
        let at = line * next + first * step + channel;
        for (let k = 0; k < whole.length; k += 1, at += step) sum += source[at] * whole[k];
        target[line * made_next + place * made_step + channel] = sum >> PRECISION;
      }
    }
  }
}

function nearest(image, height, width) {
  const places = (from, to) => {
    const step = from / to;
    let at = step * 0.5;
    return Array.from({ length: to }, () => {
      const place = Math.trunc(at);
      at += step;
      return Math.min(place, from - 1);
    });
  };
  const data = new Uint8ClampedArray(height * width * 3);
  const columns = places(image.width, width);
  places(image.height, height).forEach((row, y) => columns.forEach((column, x) => {
    const at = (row * image.width + column) * 3;
    data.set(image.data.subarray(at, at + 3), (y * width + x) * 3);
  }));
  return { data, height, width };
}

function horizontally({ data: source, height, width: from }, width, resample) {
  const data = new Uint8ClampedArray(height * width * 3);
  const form = { step: 3, next: from * 3, made_step: 3, made_next: width * 3 };
  stretched(source, data, { lines: height, made: weights(from, width, resample), ...form });
  return { data, height, width };
}

function vertically({ data: source, height: from, width }, height, resample) {
  const data = new Uint8ClampedArray(height * width * 3);
  const form = { step: width * 3, next: 3, made_step: width * 3, made_next: 3 };
  stretched(source, data, { lines: width, made: weights(from, height, resample), ...form });
  return { data, height, width };
}

// Which axis comes first decides the last bit of some pixels. From version 13 on, Pillow begins with
// the height where that loses more than twice as many pixels as the width.
export function resized(image, height, width, resample, tall_first) {
  if (image.height === height && image.width === width) return image;
  if (resample === 0) return nearest(image, height, width);
  const lost = image.height - height;
  const across = (now) => (now.width === width ? now : horizontally(now, width, resample));
  const down = (now) => (now.height === height ? now : vertically(now, height, resample));
  if (tall_first && lost > 0 && lost > 2 * (image.width - width)) return across(down(image));
  return down(across(image));
}

// The middle; what is cut beyond a picture is black.
function middle(image, height, width) {
  if (image.height === height && image.width === width) return image;
  const top = Math.floor((image.height - height) / 2);
  const left = Math.floor((image.width - width) / 2);
  const data = new Uint8ClampedArray(height * width * 3);
  const from = Math.max(0, left);
  const end = Math.min(image.width, left + width);
  for (let y = Math.max(0, -top); y < height && y + top < image.height; y += 1) {
    const row = (y + top) * image.width;
    data.set(image.data.subarray((row + from) * 3, (row + end) * 3), (y * width + from - left) * 3);
  }
  return { data, height, width };
}

export function framed(image, { size, resample, crops, tall_first }) {
  let [height, width] = [image.height, image.width];
  if (Array.isArray(size)) [height, width] = size;
  else if (size !== null) {
    const longer = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
    [height, width] = width <= height ? [longer, size] : [size, longer];
  }
  if (height * width > MOST_PIXELS) throw new Error("it would be resized beyond any memory; cut it to a shape nearer to a square");
  const made = resized(image, height, width, resample, tall_first);
  return crops.reduce((now, [h, w]) => middle(now, h, w), made);
}

// What becomes of each of the 256 values of a channel, rounded to float32 at each step.
export function table({ scale, mean, std }, channel) {
  const found = new Float32Array(256);
  for (let value = 0; value < 256; value += 1) {
    const scaled = scale === null ? value : Math.fround(value * scale);
    found[value] = mean === null ? scaled : Math.fround(scaled - Math.fround(mean[channel])) / Math.fround(std[channel]);
  }
  return found;
}

export function values(image, processing, { layout, channels }) {
  const pixels = image.height * image.width;
  const found = new Float32Array(pixels * 3);
  for (let channel = 0; channel < 3; channel += 1) {
    const known = table(processing, channel);
    const place = channels === "BGR" ? 2 - channel : channel;
    const [start, step] = layout === "NHWC" ? [place, 3] : [place * pixels, 1];
    for (let i = 0; i < pixels; i += 1) found[start + i * step] = known[image.data[i * 3 + channel]];
  }
  return found;
}

const canvas = (width, height) => {
  const made = document.createElement("canvas");
  [made.width, made.height] = [width, height];
  return made.getContext("2d", { willReadFrequently: true });
};

// Turned as its camera says, colours as they are stored.
export async function decoded(blob) {
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: "none",
    imageOrientation: "from-image",
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error(`it has ${width} x ${height} pixels, more than are decoded`);
  const context = canvas(width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data: four } = context.getImageData(0, 0, width, height);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0, at = 0; at < data.length; i += 4, at += 3) {
    data[at] = four[i];
    data[at + 1] = four[i + 1];
    data[at + 2] = four[i + 2];
  }
  return { data, height, width };
}

// Some browsers alter what pages read from a canvas, so that nobody is recognised by it.
export function readsTruly() {
  const context = canvas(16, 16);
  const made = context.createImageData(16, 16);
  for (let i = 0; i < made.data.length; i += 1) made.data[i] = i % 4 === 3 ? 255 : (i * 73) % 256;
  context.putImageData(made, 0, 0);
  const seen = context.getImageData(0, 0, 16, 16).data;
  return made.data.every((value, i) => value === seen[i]);
}
