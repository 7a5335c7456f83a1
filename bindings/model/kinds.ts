// What a value is, also if it comes from another realm (a frame, a vm context), where `instanceof` fails.

function tag(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

export function isUrl(value: unknown): value is URL {
  return tag(value) === 'URL';
}

/** A File is one too. */
export function isBlob(value: unknown): value is Blob {
  return tag(value) === 'Blob' || tag(value) === 'File';
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return tag(value) === 'Uint8Array';
}

export function isBufferSource(value: unknown): value is BufferSource {
  return ArrayBuffer.isView(value) || tag(value) === 'ArrayBuffer';
}

export function isModule(value: unknown): value is WebAssembly.Module {
  return tag(value) === 'WebAssembly.Module';
}
