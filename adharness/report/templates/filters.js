"use strict";
// Filters: whatever carries data-dataset, data-protocol, data-normalizer, data-thresholder or
// data-method obeys them; the menus choose columns: metrics of the boards, classes of their tables.
const pageFilters = (() => {
  const AXES = ["dataset", "protocol", "normalizer", "thresholder", "method", "class"];
  const TABS = { Protocol: "protocol", Method: "method", Class: "class" };
  const splitTerms = (text) => text.toLowerCase().split(/[\s,;]+/).filter(Boolean);

  // Lines say their method in their head, panels of tabs on their tab: said once, found once.
  const parts = (tables) => {
    Object.entries(TABS).forEach(([tabs, axis]) => {
      findAll(`[data-tabs="${tabs}"] > [data-tab]`).forEach((panel) => { panel.dataset[axis] = panel.dataset.tab; });
    });
    tables.filter((table) => "methods" in table.dataset).forEach((table) => {
      [...table.tBodies[0].rows].forEach((row) => { row.dataset.method = row.querySelector(".method").textContent; });
    });
    const named = findAll(AXES.map((axis) => `[data-${axis}]`).join(", ")).filter((part) => !part.closest(".filters"));
    return named.map((part) => [part, { ...part.dataset, method: part.dataset.method && part.dataset.method.toLowerCase() }]);
  };

  const menuOf = (name, title, heads, changed) => {
    const groups = new Map();
    heads.forEach(({ group, key, label }) => {
      if (!groups.has(group)) groups.set(group, new Map());
      groups.get(group).set(key, label);
    });
    const count = new Set(heads.map(({ key }) => key)).size;
    if (count < 2) return null;
    const list = [...groups].map(([head, options]) => [head, [...options]]);
    return { name, keys: new Set(heads.map(({ key }) => key)), ...pageMenus.checks(title, list, changed) };
  };

  const headsIn = (tables, wanted = () => true) => tables.flatMap((table) => {
    const overs = [...table.tHead.rows[0].cells].flatMap((over) => Array(over.colSpan).fill(over.textContent.trim()));
    return [...pageColumns.headOf(table).cells]
      .map((head, at) => ({ head, group: overs[at], key: head.dataset.column }))
      .filter(({ key, group }) => key !== undefined && wanted(group))
      .map(({ head, group, key }) => ({ group, key, label: findAll("bdi", head).map((each) => each.textContent).join(" ") }));
  });

  const start = (form, tables) => {
    const boards = tables.filter((table) => table.closest("#boards"));
    const classes = tables.filter((table) => table.closest("#classes"));
    const selects = findAll("select", form);
    const search = form.querySelector("input[type=search]");
    const obeying = parts(tables);
    const rows = boards.flatMap((table) => [...table.tBodies[0].rows]);
    const menus = [
      menuOf("columns", "Columns", headsIn(boards), () => changed()),
      menuOf("classes", "Classes", headsIn(classes, (group) => group === "Class"), () => changed()),
    ].filter(Boolean);
    const place = form.querySelector(".menus");
    menus.forEach(({ box }) => place.append(box));
    // Begin calmly: one line a method, under the first normalizer and thresholder of the suite.
    const firsts = new Map(selects.map((select) => [select.name, ["normalizer", "thresholder"].includes(select.name) ? 1 : 0]));

    const restore = () => {
      selects.forEach((select) => {
        const [value] = pageState.get(select.name) || [null];
        const at = [...select.options].findIndex((option) => option.value === (value || ""));
        select.selectedIndex = value === null || at < 0 ? firsts.get(select.name) : at;
      });
      search.value = (pageState.get("method") || []).join(" ");
      menus.forEach(({ name, keys, choose }) => {
        const values = (pageState.get(name) || []).filter((value) => keys.has(value));
        choose(values.length ? values : null);
      });
      apply();
    };
    const remember = () => {
      selects.forEach((select) => {
        const begun = select.selectedIndex === firsts.get(select.name);
        pageState.set(select.name, begun ? null : [select.value].filter(Boolean));
      });
      pageState.set("method", search.value.trim() ? [search.value.trim()] : null);
      menus.forEach(({ name, chosen }) => {
        const values = chosen();
        pageState.set(name, values && values.length ? values : null);
      });
    };
    const apply = () => {
      const wanted = selects.filter((select) => select.value).map(({ name, value }) => [name, value]);
      const terms = splitTerms(search.value);
      const chosen = new Map(menus.map((menu) => [menu.name, menu.chosen()]));
      const kept = chosen.get("classes");
      obeying.forEach(([part, keys]) => {
        const off = wanted.some(([name, value]) => keys[name] !== undefined && keys[name] !== value) ||
          (terms.length && keys.method !== undefined && !terms.some((term) => keys.method.includes(term))) ||
          (kept && keys.class !== undefined && !kept.includes(keys.class));
        part.toggleAttribute("data-off", Boolean(off));
      });
      const fixed = new Set(wanted.map(([name]) => name));
      pageColumns.show(tables, (head, table) => {
        const own = table.closest("#boards") ? chosen.get("columns") : table.closest("#classes") ? kept : null;
        if (head.dataset.of) return fixed.has(head.dataset.of);  // a constant column says nothing
        if (!own || head.dataset.column === undefined || /\btotal\b/.test(head.className)) return false;
        return !own.includes(head.dataset.column);
      });
      pageLong.again();
      pageTabs.refresh();
      const left = rows.filter((row) => !row.closest("[data-off]")).length;
      form.querySelector("output").textContent = `${left} of ${rows.length} lines`;
      tables.forEach((table) => {
        const open = [...table.tBodies[0].rows].some((row) => !("off" in row.dataset));
        table.classList.toggle("nothing", !open && table.tBodies[0].rows.length > 0);
      });
    };
    // What stands right below the bar stays there, whatever vanishes above it.
    const changed = () => {
      const bar = form.getBoundingClientRect().bottom;
      const seen = findAll("main > section").find((section) => section.getBoundingClientRect().bottom > bar);
      const before = seen && seen.getBoundingClientRect().top;
      apply();
      remember();
      if (seen && before < 0) scrollBy({ top: seen.getBoundingClientRect().top - before, behavior: "instant" });
    };
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", changed);
    search.addEventListener("input", changed);
    form.addEventListener("reset", (event) => { event.preventDefault(); pageState.clear(); });
    restore();
    // The filters in force, in words: for whoever takes a table away.
    const said = () => [
      ...selects.filter(({ value }) => value).map(({ name, value }) => `${name} ${value}`),
      ...(splitTerms(search.value).length ? [`methods with ${splitTerms(search.value).join(" or ")}`] : []),
      ...menus.filter(({ chosen }) => chosen()).map(({ name }) => `some ${name} only`),
    ].join(", ");
    return { restore, said };
  };

  return { start };
})();
