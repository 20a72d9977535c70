// `data-suggest="<address>"`: what is typed is looked up and offered in the field's datalist. `data-within` names the
// field whose record the offered ones must belong to; `data-adds` a text area to which a chosen one is added.

const WAIT = 180; // ms after the last key

for (const input of document.querySelectorAll('input[data-suggest]')) {
  let timer = 0;
  let asked = null;
  const list = document.getElementById(input.getAttribute('list'));
  const look = async () => {
    const url = new URL(input.dataset.suggest, location.href);
    url.searchParams.set('q', input.value.trim());
    if (url.href === asked) return;
    asked = url.href;
    const answer = await fetch(url, { headers: { Accept: 'application/json' } });
    if (!answer.ok || asked !== url.href) return;
    const { items } = await answer.json();
    list.replaceChildren(...items.map(item => Object.assign(document.createElement('option'), {
      value: item.key, label: item.name === item.key ? '' : item.name,
    })));
  };
  input.addEventListener('focus', look);
  input.addEventListener('input', () => {
    const chosen = [...list.options].find(option => option.value === input.value);
    if (chosen && input.dataset.adds) {
      const area = document.getElementById(input.dataset.adds);
      area.value = `${area.value.trim()}\n${chosen.value} ${chosen.label}`.trim();
      input.value = '';
    }
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  });
}
