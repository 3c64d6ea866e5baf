"""The figures of a report: all that apply to its results, as SVG inside the page."""

import io
import re

import figures
import page
import results
import style

INCH = 130  # pixels per inch of a figure on the page


def svg(fig, name):
    """The figure as an SVG element; its ids begin with its name, so they are unique on the page."""
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


def applicable(runs):
    out = ""
    for figure in figures.every():
        if figure.place is None:
            continue
        try:
            fig, _ = figure.draw(runs)
        except results.NothingToDraw:
            continue
        drawing = svg(fig, figure.name) + page.element("figcaption", figure.caption)
        out += f'<figure id="figure-{figure.name}">\n{drawing}</figure>\n'
    return page.Markup(out)
