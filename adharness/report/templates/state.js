"use strict";
// What a reader chose is kept in the address, as #SECTION?key=value&..., so that a view can be linked
// and survives a reload. A plain #SECTION stays what it is everywhere: a place to go to.
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

const pageState = (() => {
  const split = () => {
    const text = location.hash.slice(1);
    const at = text.indexOf("?");
    return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  };
  let [place, query] = split();
  let chosen = new URLSearchParams(query || "");
  let waiting = 0;
  const listeners = [];
  const write = () => {
    waiting = 0;
    const said = chosen.toString();
    const hash = said ? `#${place}?${said}` : place ? `#${place}` : "";
    try {
      history.replaceState(null, "", location.href.split("#")[0] + hash);
    } catch { /* a page within another page may have no address of its own */ }
  };
  const later = () => { waiting = waiting || setTimeout(write, 100); };  // browsers count the calls
  const go = () => {
    const target = place && document.getElementById(place);
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", () => {
    const before = chosen.toString();
    [place, query] = split();
    if (query === null) return later();  // a link within the page: what was chosen stays chosen
    if (query === before) return go();
    chosen = new URLSearchParams(query);
    listeners.forEach((listener) => listener());
    go();
  });
  return {
    // The values of a key: null where nothing was chosen, else a list, which may be empty.
    get: (key) => (chosen.has(key) ? chosen.getAll(key).filter((value) => value !== "") : null),
    set: (key, values) => {
      chosen.delete(key);
      (values && !values.length ? [""] : values || []).forEach((value) => chosen.append(key, value));
      later();
    },
    clear: () => { chosen = new URLSearchParams(); later(); listeners.forEach((listener) => listener()); },
    listen: (listener) => listeners.push(listener),
    go: () => { if (query !== null) go(); },
  };
})();
