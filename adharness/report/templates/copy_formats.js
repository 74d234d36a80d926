"use strict";
// A table as text: Markdown, CSV, or LaTeX with booktabs. Pure: from plain values to a string.
// { about: [lines], heads: [{ group, text, number }], rows: [[{ text, aside, best, number }]] };
// `intervals` says whether the asides are written, in columns of their own in CSV.
const copyFormats = (() => {
  const MARKS = {
    "–": "--", "−": "$-$", "↑": "$\\uparrow$", "↓": "$\\downarrow$", "×": "$\\times$", "≤": "$\\leq$",
    "≥": "$\\geq$", "·": "$\\cdot$", "…": "\\ldots{}", "±": "$\\pm$", "\u202f": "\\,", "\u00a0": "~",
  };
  const SIGNS = { "\\": "\\textbackslash{}", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}" };
  const inLatex = (text) => text
    .replace(/[\\^~{}$&#_%]/g, (sign) => SIGNS[sign] || `\\${sign}`)
    .replace(/[<>|]/g, (sign) => `$${sign}$`)
    .replace(/[–−↑↓×≤≥·…±\u202f\u00a0]/g, (mark) => MARKS[mark]);
  const inMarkdown = (text) => text.replace(/[\\`*_{}[\]<>|#~$]/g, (sign) => `\\${sign}`);

  // A program that opens the file must not take a name for a formula; a number may begin with minus.
  // A line that begins with # would be read as a comment.
  const inCsv = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.]+$/.test(text) ? `'${text}` : text;
    return /[",\r\n'#]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const plainNumber = (text) => text.replaceAll("−", "-").replaceAll("\u202f", "").replace(/^–$/, "");

  const named = ({ group, text }) => (group ? `${group} ${text}` : text);

  const markdown = ({ about, heads, rows }, intervals) => {
    const cell = ({ text, aside, best }) => {
      const shown = best ? `**${inMarkdown(text)}**` : inMarkdown(text);
      return intervals && aside ? `${shown} (${inMarkdown(aside)})` : shown;
    };
    const line = (cells) => `| ${cells.join(" | ")} |`;
    const comment = about.map((each) => each.replace(/--+|>/g, (found) => [...found].join(" ").replace(">", "›")));
    return [
      `<\u0021-- ${comment.join("\n     ")} -->`, "",
      line(heads.map((head) => inMarkdown(named(head)))),
      line(heads.map(({ number }) => (number ? "---:" : ":---"))),
      ...rows.map((row) => line(row.map(cell))), "",
    ].join("\n");
  };

  const csv = ({ about, heads, rows }, intervals) => {
    const aside = (at) => intervals && rows.some((row) => row[at].aside);
    const first = heads.flatMap((head, at) => [named(head), ...(aside(at) ? [`${named(head)}, interval`] : [])]);
    const body = rows.map((row) => row.flatMap((cell, at) =>
      [cell.number ? plainNumber(cell.text) : cell.text, ...(aside(at) ? [cell.aside || ""] : [])]));
    const comment = about.map((each) => `# ${each}`);
    return [...comment, ...[first, ...body].map((row) => row.map(inCsv).join(",")), ""].join("\n");
  };

  const groupsOf = (heads) => heads.reduce((found, { group }) => {
    const last = found[found.length - 1];
    if (last && last.group === group) last.span += 1;
    else found.push({ group, span: 1 });
    return found;
  }, []);
  const latex = ({ about, heads, rows }, intervals) => {
    const cell = ({ text, aside, best }) => {
      const shown = best ? `\\textbf{${inLatex(text)}}` : inLatex(text);
      return intervals && aside ? `${shown} {\\scriptsize ${inLatex(aside)}}` : shown;
    };
    const line = (cells) => `${cells.join(" & ")} \\\\`;
    const groups = groupsOf(heads);
    let at = 1;
    const rules = groups.map(({ group, span }) => {
      const rule = group ? `\\cmidrule(lr){${at}-${at + span - 1}}` : "";
      at += span;
      return rule;
    });
    const over = groups.map(({ group, span }) => (group ? `\\multicolumn{${span}}{c}{${inLatex(group)}}` : "&".repeat(span - 1)));
    return [
      ...about.map((each) => `% ${each}`),
      `\\begin{tabular}{${heads.map(({ number }) => (number ? "r" : "l")).join("")}}`, "\\toprule",
      ...(groups.some(({ group }) => group) ? [line(over), rules.join("")] : []),
      line(heads.map(({ text }) => inLatex(text))), "\\midrule",
      ...rows.map((row) => line(row.map(cell))), "\\bottomrule", "\\end{tabular}", "",
    ].join("\n");
  };

  return { markdown, csv, latex };
})();
