import { readFile, writeFile } from 'node:fs/promises';

/** The safetensors file with `bytes` at byte `at` of a tensor. */
export async function damaged(
  file: string,
  tensor: string,
  at: number,
  bytes: ArrayLike<number>,
): Promise<string> {
  const data = await readFile(file);
  const headerEnd = 8 + Number(data.readBigUInt64LE(0));
  const header = JSON.parse(data.toString('utf8', 8, headerEnd));
  data.set(bytes, headerEnd + header[tensor].data_offsets[0] + at);
  await writeFile(file, data);
  return file;
}
