"use strict";
// A small menu that opens below its button, over the page: nothing moves when it does.
const pageMenus = (() => {
  const element = (tag, settings = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), settings);
    made.append(...children);
    return made;
  };
  const menu = (title, ...children) => {
    const box = element("details", { className: "menu" });
    const said = element("summary", {}, title);
    box.append(said, element("div", { className: "sheet" }, ...children));
    return box;
  };
  const closeOthers = (kept) => findAll("details.menu[open]").forEach((open) => {
    if (!kept || !open.contains(kept)) open.open = false;
  });
  document.addEventListener("click", ({ target }) => closeOthers(target));
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && document.activeElement.closest("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  // Check boxes under heads; `changed` is called with the values that are checked.
  const checks = (title, groups, changed) => {
    const boxes = [];
    const sets = groups.map(([head, options]) => {
      const labels = options.map(([value, text]) => {
        const box = element("input", { type: "checkbox", value, checked: true });
        boxes.push(box);
        return element("label", {}, box, element("bdi", { textContent: text }));
      });
      return element("fieldset", {}, element("legend", { textContent: head }), ...labels);
    });
    const all_ = element("button", { type: "button", textContent: "All" });
    const none = element("button", { type: "button", textContent: "None" });
    const count = element("span", { className: "some" });
    const box = menu(element("span", { textContent: title }), element("p", {}, all_, none), ...sets);
    box.querySelector("summary").append(count);
    const read = () => boxes.filter((each) => each.checked).map((each) => each.value);
    const tell = () => {
      const left = read().length;
      count.textContent = left === boxes.length ? "all" : `${left} of ${boxes.length}`;
    };
    const told = () => { tell(); changed(); };
    box.addEventListener("change", (event) => { event.stopPropagation(); told(); });
    [[all_, true], [none, false]].forEach(([button, checked]) => button.addEventListener("click", () => {
      boxes.forEach((each) => { each.checked = checked; });
      told();
    }));
    return {
      box,
      // null for all: what a link need not say.
      chosen: () => (read().length === boxes.length ? null : read()),
      choose: (values) => {
        boxes.forEach((each) => { each.checked = !values || values.includes(each.value); });
        tell();
      },
    };
  };
  return { element, menu, checks };
})();
