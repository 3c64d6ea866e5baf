"""The figures of a report: those that apply to its results, as SVG inside the page."""

import importlib
import io
import re

import page
import style

import results

# In the order of the page; `workload_lengths` also takes what was drawn without a run.
FIGURES = (
    "throughput",
    "time_attribution",
    "timeline",
    "simulated_measured",
    "bytes_imbalance",
    "load_per_rank",
    "workload_lengths",
    "plan_picture",
)
INCH = 130  # pixels on the page


def svg(fig, name):
    """The figure as an element whose ids are its own on the page."""
    text = io.StringIO()
    fig.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    inches = fig.get_figwidth()
    style.plt.close(fig)
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r'\bid="', f'id="{name}-', drawing)
    drawing = re.sub(r"url\(#", f"url(#{name}-", drawing)
    drawing = re.sub(r'href="#', f'href="#{name}-', drawing)
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    head = re.match(r"<svg[^>]*>", drawing)[0]
    view = re.search(r'viewBox="[^"]*"', head)[0]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img" aria-label="{name.replace("_", " ")}" width="{inches * INCH:.0f}" {view}>'
    )
    return opening + drawing[len(head) :]


def caption(module):
    """What its docstring says of reading it: two paragraphs, without what to call it with."""
    text = " ".join(" ".join(module.__doc__.split("\n\n")[:2]).split())
    return text.split(" Give one ")[0]


def figures(runs):
    out, missing = "", []
    for name in FIGURES:
        module = importlib.import_module(name)
        try:
            fig, _ = module.draw((runs, []) if name == "workload_lengths" else runs)
        except results.NothingToDraw as reason:
            missing.append(f"{name}: {reason}")
            continue
        drawing = svg(fig, name) + page.element("figcaption", caption(module))
        out += f'<figure id="figure-{name}">\n{drawing}</figure>\n'
    if missing:
        out += page.element("p", page.element("small", "Not drawn. " + "; ".join(missing) + "."))
    return page.Markup(out)
