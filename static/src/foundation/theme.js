// Light or dark: the system's choice until somebody chooses. The cookie lets the server draw the first paint right.

const root = document.documentElement;

export function startTheme() {
  for (const button of document.querySelectorAll('[data-theme-toggle]')) button.hidden = false;
  document.addEventListener('click', event => {
    if (event.target.closest('[data-theme-toggle]')) choose(isDark() ? 'light' : 'dark');
  });
  addEventListener('storage', event => { if (event.key === 'theme' && event.newValue) root.dataset.theme = event.newValue; });
}

function isDark() {
  return root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function choose(theme) {
  root.dataset.theme = theme;
  const secure = location.protocol === 'https:' ? '; secure' : '';
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  try {
    localStorage.setItem('theme', theme); // tells the other open tabs
  } catch {
    // storage is refused in some private windows; the cookie alone keeps the choice
  }
}
