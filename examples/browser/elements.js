// The page's elements.

export const at = (id) => document.getElementById(id);

/** A new element. @param {object} properties of it, such as `className` */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
