// What a file is that is no safetensors file, by its first bytes: people choose the wrong one, and servers answer
// with a page.

import { FormatError } from '../errors.js';
import type { ByteSource } from './weight.js';

/** What is read of a file; the magic of a tar archive comes last. */
const BEGIN_BYTES = 512;

const MODEL = 'a .safetensors file or the folder of a model';
const UNPACKED = `${MODEL}, unpacked`;
const SAME_MODEL = 'the same model as .safetensors, with its config.json and tokenizer.json';
const WHOLE_FOLDER = 'the whole folder of the model, its .safetensors files among it';
const LFS_FILE = 'the file itself, which `git lfs pull` brings';

interface OtherFormat {
  readonly came: string;
  readonly expected: string;
  /** One of these stands at byte `at`, each byte a character. */
  readonly magic?: readonly string[];
  readonly at?: number;
  readonly name?: RegExp;
  /** How such files are called, where the bytes decide. */
  readonly called?: RegExp;
}

/** The first counts of which all that is given matches. */
const OTHER_FORMATS: readonly OtherFormat[] = [
  { came: 'a GGUF file', expected: SAME_MODEL, magic: ['GGUF'], called: /\.gguf$/i },
  { came: 'a GGML file', expected: SAME_MODEL, magic: ['lmgg', 'fmgg', 'tjgg'] },
  {
    came: 'PyTorch weights',
    expected: SAME_MODEL,
    magic: ['PK\x03\x04', '\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'],
    name: /\.(bin|pth?|ckpt|pkl)$/i,
  },
  { came: 'an ONNX model', expected: SAME_MODEL, name: /\.onnx$/i },
  { came: 'a TensorFlow Lite model', expected: SAME_MODEL, magic: ['TFL3'], at: 4 },
  { came: 'an HDF5 file', expected: SAME_MODEL, magic: ['\x89HDF'] },
  { came: 'NumPy arrays', expected: SAME_MODEL, magic: ['\x93NUMPY'] },
  { came: 'NumPy arrays', expected: SAME_MODEL, magic: ['PK\x03\x04'], name: /\.npz$/i },
  { came: 'a PNG image', expected: MODEL, magic: ['\x89PNG'] },
  { came: 'a JPEG image', expected: MODEL, magic: ['\xff\xd8\xff'] },
  { came: 'a GIF image', expected: MODEL, magic: ['GIF8'] },
  { came: 'a WebP image', expected: MODEL, magic: ['WEBP'], at: 8 },
  { came: 'a HEIF image', expected: MODEL, magic: ['ftyphei', 'ftypmif1', 'ftypavif'], at: 4 },
  { came: 'a film', expected: MODEL, magic: ['ftyp'], at: 4 },
  { came: 'a film', expected: MODEL, magic: ['\x1a\x45\xdf\xa3'] },
  { came: 'a sound', expected: MODEL, magic: ['ID3', '\xff\xfb', 'OggS', 'fLaC'] },
  { came: 'a sound', expected: MODEL, magic: ['WAVE'], at: 8 },
  { came: 'a PDF document', expected: MODEL, magic: ['%PDF'] },
  { came: 'a ZIP archive', expected: UNPACKED, magic: ['PK\x03\x04', 'PK\x05\x06'] },
  { came: 'a gzip archive', expected: UNPACKED, magic: ['\x1f\x8b'] },
  { came: 'a tar archive', expected: UNPACKED, magic: ['ustar'], at: 257 },
];

/**
 * For a file that cannot be safetensors.
 * @throws FormatError that says what came and what to take instead, if that is known
 */
export async function refuseOtherFormats(source: ByteSource, signal?: AbortSignal): Promise<void> {
  const bytes = new Uint8Array(Math.min(source.size, BEGIN_BYTES));
  await source.read(0, bytes, signal);
  const begin = String.fromCharCode(...bytes);
  const found = OTHER_FORMATS.find((format) => matches(format, begin, source.name));
  const { came, expected } = found ?? textFormat(bytes) ?? {};
  if (came) throw new FormatError(`[${source.name}] expected ${expected}, came ${came}`);
}

/**
 * For a file that is not opened, as its name tells.
 * @throws FormatError as `refuseOtherFormats`
 */
export function refuseOtherNames(name: string): void {
  const found = OTHER_FORMATS.find((format) => (format.called ?? format.name)?.test(name));
  if (found) throw new FormatError(`[${name}] expected ${found.expected}, came ${found.came}`);
}

function matches({ magic, at = 0, name }: OtherFormat, begin: string, fileName: string): boolean {
  if (name && !name.test(fileName)) return false;
  return magic === undefined || magic.some((bytes) => begin.startsWith(bytes, at));
}

function textFormat(begin: Uint8Array): OtherFormat | null {
  const text = decodeText(begin);
  if (text === null) return null;
  if (text.startsWith('version https://git-lfs')) {
    return { came: 'a Git LFS pointer to it', expected: LFS_FILE };
  }
  if (/^\s*<(!doctype html|html)/i.test(text)) return { came: 'a web page', expected: MODEL };
  if (/^\s*[[{]\s*["{[\]}]/.test(text)) {
    return { came: 'a JSON text, which has no weights', expected: WHOLE_FOLDER };
  }
  return { came: 'a text', expected: MODEL };
}

/** Null for bytes that are no UTF-8, or controls; the last character may be cut. */
function decodeText(begin: Uint8Array): string | null {
  if (begin.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0d].includes(byte))) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(begin, { stream: true });
  } catch {
    return null;
  }
}
