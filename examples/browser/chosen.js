// What was chosen or dropped, as a location for `loadModel` and a name to show.

import { at } from './elements.js';

const WEIGHTS = /\.safetensors$/i;

/** @param {(chosen: Promise<{ location: object, name: string }>) => void} use */
export function whenChosen(use) {
  for (const id of ['file', 'folder']) {
    at(id).addEventListener('change', ({ target }) => {
      use(fromInput(target.files));
      // The same file may be chosen again.
      target.value = '';
    });
  }
  // Everywhere: a file dropped beside the field would replace the page.
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    at('drop').classList.add('over');
  });
  document.addEventListener('dragleave', () => at('drop').classList.remove('over'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    at('drop').classList.remove('over');
    const chosen = fromDrop(event.dataTransfer);
    if (chosen) use(chosen);
  });
}

/** Of a file dialog. The files of a folder have its name in their paths. */
async function fromInput(files) {
  return modelOf([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** Of a drop event, while it lasts: what was dropped cannot be asked for later. Null: no files. */
function fromDrop({ items }) {
  const found = [...items].filter(({ kind }) => kind === 'file').map(filesOf);
  return found.length === 0 ? null : Promise.all(found).then((files) => modelOf(files.flat()));
}

function filesOf(item) {
  const entry = item.webkitGetAsEntry();
  if (entry?.isDirectory) return filesBelow(entry);
  const file = item.getAsFile();
  return [{ path: file.name, file }];
}

async function filesBelow(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    // Some at a time; none: that was all.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return found;
    for (const entry of entries) {
      if (entry.isDirectory) found.push(...(await filesBelow(entry)));
      else {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push({ path: entry.fullPath.slice(1), file });
      }
    }
  }
}

function modelOf(found) {
  const weights = found.filter(({ path }) => WEIGHTS.test(path));
  if (found.length > 1 && weights.length > 0) return folderOf(found, weights[0].path);
  // What was meant as the model is the largest file; halfbyte says what it is.
  const [largest] = found.toSorted((a, b) => b.file.size - a.file.size);
  return largest
    ? { location: largest.file, name: largest.path }
    : { location: {}, name: 'an empty folder' };
}

/** The config.json that lies highest is the model's. */
function folderOf(found, weights) {
  const depth = ({ path }) => path.split('/').length;
  const sorted = found.toSorted((a, b) => depth(a) - depth(b));
  const [folder, inside] = weights.split('/');
  return {
    location: Object.fromEntries(sorted.map(({ path, file }) => [path, file])),
    name: inside === undefined ? `${weights} and ${found.length - 1} more` : folder,
  };
}
