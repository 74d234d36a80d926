"use strict";
// Long tables draw their first lines, and more as their box is scrolled: hundreds of lines with thirty
// numbers each would make every click slow. Filters, order and copies always are of all lines.
const pageLong = (() => {
  const STEP = 60;
  const drawn = new Map();

  const apply = (table) => {
    let left = drawn.get(table);
    let far = 0;
    for (const row of table.tBodies[0].rows) {
      if ("off" in row.dataset) continue;
      left -= 1;
      row.toggleAttribute("data-far", left < 0);
      far += left < 0;
    }
    const more = table.closest("[id]").querySelector(".more");
    more.hidden = !far;
    more.textContent = `Draw ${far} more lines`;
  };
  const grow = (table, lines) => {
    drawn.set(table, drawn.get(table) + lines);
    apply(table);
  };
  const again = (table) => {
    if (!drawn.has(table)) return;
    drawn.set(table, STEP);
    apply(table);
  };
  const add = (table) => {
    const box = table.closest(".scroll");
    const more = pageMenus.element("button", { type: "button", className: "more" });
    more.addEventListener("click", () => grow(table, Infinity));
    box.after(more);
    box.addEventListener("scroll", () => {
      const near = box.scrollTop + 2 * box.clientHeight > box.scrollHeight;
      if (near && !more.hidden) grow(table, STEP);
    }, { passive: true });
    table.addEventListener("sorted", () => { again(table); box.scrollTop = 0; });
    drawn.set(table, STEP);
  };

  return {
    start: (tables) => {
      tables.filter((table) => table.tBodies[0].rows.length > STEP).forEach(add);
      addEventListener("beforeprint", () => drawn.forEach((_, table) => grow(table, Infinity)));
    },
    again: () => drawn.forEach((_, table) => again(table)),
  };
})();
