// Texts of scripts. English texts are their own ids; pages in Chinese carry their catalogue as JSON blocks.

const catalogue = {};
for (const block of document.querySelectorAll('script[data-texts]')) Object.assign(catalogue, JSON.parse(block.textContent));

/** The text in the page's language, with `%(name)s` filled from `facts`; `%%` is a percent sign, as in templates. */
export function t(id, facts = {}) {
  return (catalogue[id] || id).replace(/%(?:\((\w+)\)s|%)/g, (whole, name) => (name ? facts[name] ?? whole : '%'));
}
