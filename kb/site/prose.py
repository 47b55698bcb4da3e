"""Somebody else's prose on our pages: the inline model as HTML in which nothing of theirs is markup."""

from collections.abc import Iterable

from markupsafe import Markup

from kb.changelogs.blocks import Block, Heading, Listing, Sample
from kb.changelogs.entry import Inline, Item, Span
from kb.changelogs.links import with_links
from kb.outside_text import safe_url
from kb.site.text import referenced

#: Characters of one text that are shown; a click leads to the whole.
MOST_SHOWN = 4_000


def shown(text: Inline, limit: int = MOST_SHOWN) -> Markup:
    """A text on one line, every mark of punctuation a character reference, so that it is text to Markdown as well."""
    parts, left = [], limit
    for span in text:
        if left <= 0:
            parts.append(Markup(" …"))
            break
        parts.append(_span(span, left))
        left -= len(span.text)
    return Markup("").join(parts)


def shown_items(items: Iterable[Item]) -> Markup:
    """What stands below an entry: lists in lists, samples of code as blocks; empty where there is nothing."""
    made = Markup("").join(Markup("<li>{}{}</li>").format(_item(item), shown_items(item.items)) for item in items)
    return Markup("<ul>{}</ul>").format(made) if made else Markup("")


def _item(item: Item) -> Markup:
    return _code("".join(span.text for span in item.text)) if item.sample else shown(item.text)


def shown_blocks(blocks: Iterable[Block]) -> Markup:
    """A text of several blocks on one line; its headings are bold paragraphs, since a page has its own."""
    return Markup("").join(_block(block) for block in blocks)


def _block(block: Block) -> Markup:
    if isinstance(block, Sample):
        return _code(block.text)
    if isinstance(block, Listing):
        items = (Markup("<li>{}</li>").format(shown_blocks(item)) for item in block.items)
        return Markup("<ul>{}</ul>").format(Markup("").join(items))
    made = shown(with_links(block.text, ""))
    return Markup("<p><strong>{}</strong></p>" if isinstance(block, Heading) else "<p>{}</p>").format(made)


def _code(text: str) -> Markup:
    code = text[:MOST_SHOWN].rstrip("\n").expandtabs(4)
    # A line break as a reference keeps the block on one line, which raw HTML in Markdown must not leave.
    lines = Markup("&#10;").join(referenced(line) for line in code.split("\n"))
    return Markup("<pre><code>{}</code></pre>").format(lines)


def _span(span: Span, limit: int) -> Markup:
    made = referenced(span.text[:limit])
    if span.code:
        made = Markup("<code>{}</code>").format(made)
    if span.em:
        made = Markup("<em>{}</em>").format(made)
    if span.strong:
        made = Markup("<strong>{}</strong>").format(made)
    if span.url and safe_url(span.url):
        made = Markup('<a href="{}" rel="noopener nofollow">{}</a>').format(referenced(span.url), made)
    return made
