"""Words that hold a sentence together and say little of what it is about, by language. Pure.

In a large collection they weigh little because they are everywhere; of twenty documents only two may have a "how". They
are looked for like all others and count less where a query has further words: "the who" finds what it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

_WORDS: Final = {
    "de": "aber als am an auch auf aus bei bin bis da das dass dem den der des die dies diese diesem diesen"
    " dieser dieses du durch ein eine einem einen einer eines er es fur habe haben hat hatte ich ihr im in"
    " ist kann konnen mein mit muss nach oder sich sie sind so soll um und uns unter vom von vor wann war"
    " warum was welche welcher welches wenn wer werden wie wir wird wo zu zum zur",
    "en": "a am an and are as at be been but by can could did do does for from had has have he her his how i if"
    " in into is it its me my of on or our she should so than that the their them then there these they"
    " this those to was we were what when where which who whose why with would you your",
    "es": "a al como con cual cuando de del desde donde e el ella en es esta este esto estos ha hay la las le"
    " lo los mas me mi o para pero por puede puedo que quien se ser si son su sus un una unos y yo",
    "fr": "a au aux avec ce ces cette comment d dans de des dois du elle en est et etre il ils j je l la le les"
    " leur mais me mes mon n ne nous on ou par pas peut peux pour pourquoi qu quand que quel quelle quels"
    " qui s sa se ses son sont sur un une vous y",
    "it": "a ai al alla anche che chi come con cosa da dal dalla dei del della delle di dove e ed gli ha ho i"
    " il in io la le lo ma mi nel nella non o per perche piu posso puo quale quando se si sono su sul"
    " sulla tra un una uno",
    "nl": "aan als bij dan dat de deze die dit door een en er het hij hoe ik in is kan met mijn moet naar of om"
    " ook op te tot uit van voor waar waarom wanneer was wat we welke wie wij worden wordt ze zijn",
    "pt": "a ao aos as com como da das de do dos e ela ele em essa esse esta este eu foi ha isso mas me meu na"
    " nas no nos o onde os ou para pela pelo por porque posso quais qual quando que quem se ser seu sua"
    " sao um uma",
}  # fmt: skip


def is_function_word(word: str, languages: Iterable[str]) -> bool:
    """Return whether a folded word is one in any of some languages."""
    return any(word in _words_of(language) for language in languages)


@cache
def _words_of(language: str) -> frozenset[str]:
    return frozenset(_WORDS.get(language, "").split())
