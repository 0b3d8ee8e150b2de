"""What names of events tell: what people hope for, what leads there, and what is beside it, in several languages."""

import re

END = re.compile(
    r"purchase|order|bought|\bbuy|checkout.?(complete|success|done)|transaction|payment.?(complete|success|done)|\bpaid"
    r"|thank|convert|conversion|subscri|sign.?up|register|registration|registrier|danke|bestell|kauf|gekauft|bezahl"
    r"|abonn|anmeld|achat|commande|merci|inscri|compra|pedido|gracias|registro|acquist|grazie|zakup|lead\b|deposit"
)
STRONG = re.compile(
    r"purchase|order.?(complete|place|success|confirm)|bought|checkout.?complete|gekauft|achat|compra\b"
)
NEVER_END = re.compile(
    r"view|visit|start|begin|click|cancel|refund|return|remov|search|unsubscri|impression|history|status|details?\b|add"
)
ON_THE_WAY = re.compile(
    r"product|view.?item|item.?(view|detail)|detail|cart|basket|\bbag\b|checkout|check.?out|payment|shipping|billing"
    r"|warenkorb|kasse|panier|livraison|paiement|carrito|carrello|pricing|plans?\b|trial|form.?start|quote|demo|configur"
)
OFF_THE_WAY = re.compile(r"remov|delete|cancel|list|promo|abandon|search")
FAULT = re.compile(r"error|fail|exception|crash|declin|reject|timeout|fehler|erreur")
TECHNICAL = re.compile(
    r"ping|heartbeat|session.?start|session.?end|first.?visit|first.?open|user.?engagement|scroll|page.?leave|identify"
    r"|autocapture|web.?vitals|feature.?flag|^\$set|^\$group|app.?(open|update|remove)|favicon|robots\.txt|sitemap"
)
VIEW = re.compile(r"^\W*(page|screen|site|app)[\W_]*(view|load|visit|enter)(ed|s)?$|^\W*(view|visit|hit|impression)s?$")


def is_hopeful(event: str) -> bool:
    """Whether its name says that it is what people hope for."""
    name = event.casefold()
    return END.search(name) is not None and not NEVER_END.search(name)


def is_on_the_way(event: str) -> bool:
    """Whether its name says that it is a usual step to something."""
    name = event.casefold()
    return ON_THE_WAY.search(name) is not None and not OFF_THE_WAY.search(name)


def is_beside(event: str) -> bool:
    """Whether it is an error, a sign of life or a view of any page, and so neither an end nor, if it can be, a step."""
    name = event.casefold()
    return any(kind.search(name) for kind in (FAULT, TECHNICAL, VIEW))


def is_strong(event: str) -> bool:
    """Whether the name says so beyond doubt."""
    return is_hopeful(event) and STRONG.search(event.casefold()) is not None


def is_doubtful(event: str) -> bool:
    """Whether the name says that something begins, is looked at or undone."""
    return NEVER_END.search(event.casefold()) is not None


def is_fault(event: str) -> bool:
    """Whether it is an error."""
    return FAULT.search(event.casefold()) is not None


def is_any_view(event: str) -> bool:
    """Whether it is a view of any page."""
    return VIEW.search(event.casefold()) is not None
