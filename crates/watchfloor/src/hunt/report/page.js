"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const text = document.getElementById("f-text");
  const level = document.getElementById("f-level");
  const host = document.getElementById("f-host");
  const shown = document.getElementById("shown");
  const body = document.getElementById("rows");
  const rows = Array.from(body.rows);
  let rule = "";
  let lower = null;
  let wait = 0;

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    // The text of all rows is only put together when somebody looks for some.
    if (words.length > 0 && !lower) lower = rows.map((row) => row.textContent.toLowerCase());
    let count = 0;
    rows.forEach((row, at) => {
      const is =
        Number(row.dataset.l) >= Number(level.value) &&
        (host.value === "" || row.dataset.h === host.value) &&
        (rule === "" || row.dataset.r === rule) &&
        words.every((word) => lower[at].includes(word));
      if (row.hidden === is) row.hidden = !is;
      if (is) count += 1;
    });
    const all = rows.length.toLocaleString("en");
    shown.textContent =
      count === rows.length
        ? all === "1"
          ? "The only match is shown."
          : `All ${all} matches are shown.`
        : `${count.toLocaleString("en")} of ${all} matches are shown` + (rule === "" ? "." : ", of one rule only.");
  };
  const soon = () => {
    clearTimeout(wait);
    wait = setTimeout(filter, 150);
  };
  const clear = () => {
    text.value = "";
    level.value = "0";
    host.value = "";
    rule = "";
  };

  form.hidden = false;
  shown.hidden = false;
  clear();
  filter();
  text.addEventListener("input", soon);
  level.addEventListener("change", filter);
  host.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
    filter();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest("a[data-host], a[data-rule]") : null;
    if (!link) return;
    clear();
    if (link.dataset.host !== undefined) host.value = link.dataset.host;
    if (link.dataset.rule !== undefined) rule = link.dataset.rule;
    filter();
  });
})();
