/* Runs before the first paint so that the page never flashes in the wrong theme. "auto" follows the system. */
(function () {
  var root = document.documentElement;
  if (root.dataset.theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches) {
    root.setAttribute("data-bs-theme", "dark");
  }
})();
