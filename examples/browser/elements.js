// The page's elements.

export const at = (id) => document.getElementById(id);

/** A new element. @param {object} properties of it, such as `className` */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A reader who is further from the page's end than this reads something else. */
const NEAR_END_PX = 80;

/** Makes a change; a reader at the end of the page stays there. */
export function keepAtEnd(change) {
  const page = document.documentElement;
  const wasAtEnd = scrollY + innerHeight > page.scrollHeight - NEAR_END_PX;
  change();
  if (wasAtEnd) scrollTo(0, page.scrollHeight);
}
