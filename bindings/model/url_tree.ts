// A model behind URLs.

import type { FileTree, FoundFiles, Reading, SourceOptions } from './files.js';
import { openUrl, openUrlText } from './url_source.js';

/** The file that `url` names, or the directory, by whether its path ends in `.safetensors`. */
export function urlTree(url: URL, options: SourceOptions): FoundFiles {
  if (url.protocol === 'blob:' || url.protocol === 'data:') {
    return { tree: urlFiles(() => url, options), file: url.href.slice(0, 80) };
  }
  if (url.pathname.endsWith('.safetensors')) {
    const own = url.pathname.split('/').at(-1)!;
    return { tree: urlFiles(besideIn(url, own), options), file: own };
  }
  const directory = new URL(url);
  if (!directory.pathname.endsWith('/')) directory.pathname += '/';
  return { tree: urlFiles(besideIn(directory), options), file: null };
}

/**
 * URLs of files in the directory of `url`, with its query, which may carry a signature. A name is only ever
 * the last part of a path, so that the query stays with its own server.
 * @param own the file that `url` names, as it is written there
 */
function besideIn(url: URL, own?: string): (file: string) => URL {
  return (file) => {
    const found = new URL(url);
    found.hash = '';
    if (file !== own)
      found.pathname = url.pathname.replace(/[^/]*$/, () => encodeURIComponent(file));
    return found;
  };
}

function urlFiles(at: (file: string) => URL, options: SourceOptions): FileTree {
  return {
    name: (file) => at(file).href,
    open: (file, reading: Reading) =>
      reading === 'text' ? openUrlText(at(file), options) : openUrl(at(file), options),
  };
}
