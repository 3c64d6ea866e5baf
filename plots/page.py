"""An HTML page as text: escaped elements, tables that can be sorted and one style sheet, without
links to anything outside.

page.document("title", page.element("p", "1 < 2"))
"""

from html import escape
from pathlib import Path

SORT = (Path(__file__).with_name("sort_tables.js")).read_text()

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --soft: #59636e;
  --line: #d4d9df; --shade: #f3f5f7; --mark: #8a5300; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e4e8ec; --soft: #9aa5b1;
  --line: #3a424b; --shade: #1e2329; --mark: #f0b35a; } }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line);
  padding-bottom: .2rem; }
p { margin: .4rem 0; max-width: 60rem; overflow-wrap: anywhere; }
nav a { color: inherit; margin-right: 1.1rem; }
.caution { border-left: 3px solid var(--mark); padding-left: .7rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92em; }
th, td { padding: .22rem .7rem .22rem 0; text-align: left; vertical-align: top;
  white-space: pre-line; }
thead th { border-bottom: 1px solid var(--line); color: var(--soft); font-weight: 600;
  vertical-align: bottom; white-space: normal; max-width: 7.5rem; }
tbody th { padding-top: .9rem; }
thead th { cursor: pointer; }
thead th[aria-sort="ascending"]::after { content: " \\2191"; }
thead th[aria-sort="descending"]::after { content: " \\2193"; }
tbody tr:hover td { background: var(--shade); }
.number { text-align: right; }
td.number { white-space: nowrap; }
td:first-child { white-space: nowrap; }
small { color: var(--soft); }
pre { background: var(--shade); padding: .6rem .8rem; border-radius: .4rem; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .87em; }
figure { margin: 1.2rem 0 1.8rem; overflow-x: auto; }
figure svg { display: block; background: #ffffff; border-radius: .4rem; padding: .5rem;
  box-sizing: border-box; height: auto; max-width: max(100%, 38rem); }
figcaption { color: var(--soft); max-width: 60rem; margin-top: .4rem; }
summary { cursor: pointer; }
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } }
"""


class Markup(str):
    """Text that is already HTML."""


def html(text):
    return text if isinstance(text, Markup) else Markup(escape(str(text)))


def element(name, content, kind="", **attributes):
    if kind:
        attributes["class"] = kind
    words = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items())
    return Markup(f"<{name}{words}>{html(content)}</{name}>\n")


def table(columns, groups):
    """Columns with a name and whether they are numbers; groups with a heading and rows of texts."""
    kinds = ["number" if column["number"] else "" for column in columns]

    def row(name, texts):
        fields = zip(texts, kinds, strict=True)
        return "<tr>" + "".join(element(name, text, kind) for text, kind in fields) + "</tr>\n"

    out = f"<thead>{row('th', [column['name'] for column in columns])}</thead>\n"
    for group in groups:
        out += "<tbody>\n"
        if group["heading"]:
            heading = html(group["heading"])
            out += f'<tr><th colspan="{len(columns)}" scope="rowgroup">{heading}</th></tr>\n'
        out += "".join(row("td", texts) for texts in group["rows"]) + "</tbody>\n"
    return Markup(f'<div class="wide"><table>\n{out}</table></div>\n')


def folded(summary, content):
    return Markup(f"<details><summary>{escape(summary)}</summary>\n{content}</details>\n")


def anchor(title):
    return title.lower().replace(" ", "-")


def section(title, content):
    return Markup(f'<section id="{anchor(title)}">\n{element("h2", title)}{content}</section>\n')


def document(title, body):
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}<script>\n{SORT}</script>\n</body>\n</html>\n"
    )
