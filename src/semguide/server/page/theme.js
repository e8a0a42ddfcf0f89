// Light or dark, before anything is painted: what was chosen here last, else what the system says.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem("semguide.theme");
    } catch {
      return null; // storage is switched off
    }
  };
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = (button) => button.setAttribute("aria-pressed", String(dark()));

  const choice = stored();
  if (choice === "dark" || choice === "light") root.dataset.theme = choice;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    label(button);
    system.addEventListener("change", () => label(button));
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      label(button);
      try {
        localStorage.setItem("semguide.theme", root.dataset.theme);
      } catch {
        // not remembered, that is all
      }
    });
  });
})();
