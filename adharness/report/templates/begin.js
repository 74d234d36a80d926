"use strict";
// Runs before anything is laid out: style.css then hides what the other scripts are about to fold
// away, so that nothing jumps. Should one of them break, the page shows everything.
document.documentElement.classList.add("js", "begins");
addEventListener("error", () => document.documentElement.classList.remove("js", "begins"));
