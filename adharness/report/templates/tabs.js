"use strict";
// Tabs: of the children with data-tab one is shown at a time; the arrow keys move between them.
// A panel that the filters put out of play (data-off) loses its tab.
const pageTabs = (() => {
  const boxes = [];

  const keyOf = (box) => {
    const section = box.closest("main > section");
    const within = section ? findAll("[data-tabs]", section) : [box];
    return `${section ? section.id : "page"}.${within.indexOf(box) + 1}`;
  };

  const tabFor = (panel, identity) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = panel.dataset.tab;
    tab.id = `tab-${identity}`;
    panel.id = panel.id || `panel-${identity}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    return tab;
  };

  const add = (box, number) => {
    const panels = findAll(":scope > [data-tab]", box);
    if (panels.length < 2) return;
    const key = keyOf(box);
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", box.dataset.tabs);
    const tabs = panels.map((panel, at) => tabFor(panel, `${number}-${at}`));
    list.append(...tabs);
    let chosen = 0;
    const show = (at) => {
      chosen = at;
      panels.forEach((panel, each) => {
        panel.hidden = each !== at;
        tabs[each].setAttribute("aria-selected", String(each === at));
        tabs[each].tabIndex = each === at ? 0 : -1;
      });
    };
    const choose = (at) => {
      show(at);
      pageState.set(key, at ? [panels[at].dataset.tab] : null);
    };
    const refresh = () => {
      const off = panels.map((panel) => "off" in panel.dataset);
      tabs.forEach((tab, at) => { tab.hidden = off[at]; });
      if (off[chosen] && off.includes(false)) show(off.indexOf(false));
    };
    const restore = () => {
      const [label] = pageState.get(key) || [];
      show(Math.max(0, panels.findIndex((panel) => panel.dataset.tab === label)));
      refresh();
    };
    list.addEventListener("click", ({ target }) => {
      const tab = target.closest("[role=tab]");
      if (tab) choose(tabs.indexOf(tab));
    });
    list.addEventListener("keydown", (event) => {
      const open = tabs.filter((tab) => !tab.hidden);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const ends = { Home: 0, End: open.length - 1 };
      if (!step && !(event.key in ends)) return;
      const now = open.indexOf(document.activeElement);
      const next = open[step ? (now + step + open.length) % open.length : ends[event.key]];
      choose(tabs.indexOf(next));
      next.focus();
      event.preventDefault();
    });
    box.prepend(list);
    restore();
    boxes.push({ refresh, restore });
  };

  return {
    start: () => findAll("[data-tabs]").forEach(add),
    refresh: () => boxes.forEach(({ refresh }) => refresh()),
    restore: () => boxes.forEach(({ restore }) => restore()),
  };
})();
