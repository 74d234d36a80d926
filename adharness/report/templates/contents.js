"use strict";
// The contents mark the section that is read; what is folded opens for whoever goes there.
const pageContents = (() => {
  const unfold = (section) => {
    const fold = section.querySelector(":scope > details");
    if (fold) fold.open = true;
  };
  const start = () => {
    const links = new Map(findAll('.contents a[href^="#"]').map((link) => [link.getAttribute("href").slice(1), link]));
    const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const inSight = new Set();
    const mark = () => {
      const now = sections.find((section) => inSight.has(section));
      links.forEach((link, id) => {
        if (now && id === now.id) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      });
    };
    const observer = new IntersectionObserver((entries) => {
      entries.forEach(({ target, isIntersecting }) => inSight[isIntersecting ? "add" : "delete"](target));
      mark();
    }, { rootMargin: "-15% 0px -60% 0px" });
    sections.forEach((section) => observer.observe(section));
    const arrive = () => {
      const section = document.getElementById(location.hash.slice(1).split("?")[0]);
      if (section) unfold(section);
    };
    addEventListener("hashchange", arrive);
    arrive();
  };
  return { start };
})();
