/** Light or dark, before anything is drawn: what was chosen here, else what the system says. */
(() => {
  const key = 'workspace-theme';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const asked = new URLSearchParams(location.search).get('theme');
  if (asked === 'light' || asked === 'dark') localStorage.setItem(key, asked);
  const chosen = () => {
    const stored = localStorage.getItem(key);
    return stored === 'light' || stored === 'dark' ? stored : null;
  };
  const apply = () => {
    const theme = chosen() ?? (dark.matches ? 'dark' : 'light');
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent('themechange', { detail: theme }));
  };
  dark.addEventListener('change', apply);
  document.addEventListener('themetoggle', () => {
    localStorage.setItem(key, document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
    apply();
  });
  apply();
})();
