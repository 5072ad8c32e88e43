/** Before anything is drawn: the theme of the page that shows this one in its panel; without one the system's. */
(() => {
  const apply = (theme) => {
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  };
  const isLocal = (origin) => URL.canParse(origin) && ['127.0.0.1', 'localhost'].includes(new URL(origin).hostname);
  apply(new URLSearchParams(location.search).get('theme'));
  addEventListener('message', ({ source, origin, data }) => {
    if (source === parent && isLocal(origin) && data?.type === 'theme') apply(data.value);
  });
})();
