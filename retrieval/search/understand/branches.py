"""A parsed stretch and the words that it stands on."""

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token, Tree

from retrieval.search.understand.claims import Place
from retrieval.search.understand.terms import Term, Terms
from retrieval.search.understand.words import Word

Branch = Tree[Token]


@dataclass(frozen=True, slots=True)
class Row:
    """The words of a query, none silent; a token's text is the index of its word."""

    words: Sequence[Word]
    terms: Terms

    def word(self, token: Token) -> Word:
        """The word of a token."""
        return self.words[int(token)]

    def names(self, tokens: Sequence[Token]) -> tuple[str, ...]:
        """The term ids of tokens, each once."""
        return tuple(dict.fromkeys(self.word(token).term for token in tokens))

    def the(self, branch: Branch, *kinds: str) -> Term:
        """The term of the first token of these kinds that stands directly in a branch."""
        return self.terms[self.word(tokens_in(branch, *kinds)[0]).term]

    def number(self, token: Token) -> float:
        """What a number says, in digits or as a word."""
        said = self.word(token).term
        if said in self.terms.terms:
            return self.terms[said].values[0]
        return float(said.replace(",", "."))

    def places(self, branch: Branch) -> tuple[Place, ...]:
        """All places of a branch, in order."""
        found: list[Place] = []
        for places in branch.find_data("places"):
            for child in places.children:
                if isinstance(child, Tree):
                    numbers = tokens_in(child, "NUMBER")
                    found.append(self._segment(numbers[0]) if numbers else self._anatomy(child))
                elif child.type == "NUMBER":
                    found.append(self._segment(child))
        return tuple(found)

    def _segment(self, token: Token) -> Place:
        return (f"segment_{self.number(token):g}",)

    def _anatomy(self, place: Branch) -> Place:
        return self.names(tokens_in(place, "ANATOMY"))


def tokens_in(branch: Branch, *kinds: str) -> list[Token]:
    """The tokens that stand directly in a branch, of some kinds or all."""
    return [
        child
        for child in branch.children
        if isinstance(child, Token) and (not kinds or child.type in kinds)
    ]


def branches_in(branch: Branch, *names: str) -> list[Branch]:
    """The branches that stand directly in a branch, of some names or all."""
    return [
        child
        for child in branch.children
        if isinstance(child, Tree) and (not names or child.data in names)
    ]
