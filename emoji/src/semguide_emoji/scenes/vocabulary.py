"""What the emoji world can hold: nouns with their glyphs, and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semguide.types import Concept

Category = Literal["animal", "food", "vehicle", "wearable", "furniture", "thing", "nature"]


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of object.

    Attributes:
        name: Singular, as captions say it.
        glyph: The emoji that draws it; empty for a drawing of our own.
        category: What kind of thing it is.
        whole: Tint the whole glyph, not only its saturated parts (grey, white or patchy glyphs).
        plural: Plural form.
    """

    name: str
    glyph: str
    category: Category
    whole: bool = False
    plural: str = ""


def _nouns(category: Category, glyphs: str, whole: str = "", **plurals: str) -> list[Noun]:
    """Read "cat 🐱, dog 🐶": nouns with their glyphs; `plurals` has those that do not just add an s."""
    patchy = set(whole.split())
    rows = [row.partition(" ") for row in glyphs.split(", ")]
    return [Noun(name, glyph, category, name in patchy, plurals.get(name, name + "s")) for name, _, glyph in rows]


_ALL = [
    *_nouns(
        "animal",
        "cat 🐱, dog 🐶, bird 🐦, bear 🐻, lion 🦁, horse 🐴, elephant 🐘, monkey 🐵, frog 🐸, turtle 🐢, "
        "rabbit 🐰, mouse 🐭, pig 🐷, cow 🐮, sheep 🐑, "
        "giraffe 🦒, zebra 🦓, penguin 🐧, butterfly 🦋, bee 🐝, snail 🐌, fish 🐟",
        whole="dog elephant rabbit mouse cow sheep zebra penguin monkey cat horse",
        mouse="mice",
        sheep="sheep",
        butterfly="butterflies",
        fish="fish",
    ),
    *_nouns(
        "wearable",
        "backpack 🎒, glasses 👓, crown 👑, bow 🎀, hat 🎩, shoe 👟, dress 👗, shirt 👕, sock 🧦",
        whole="glasses hat shoe",
        glasses="glasses",
        dress="dresses",
    ),
    *_nouns("furniture", "chair 🪑, bench, bed 🛏, couch 🛋", whole="bed", bench="benches", couch="couches"),
    *_nouns(
        "vehicle",
        "car 🚗, bus 🚌, truck 🚚, bicycle 🚲, rocket 🚀, airplane ✈, boat ⛵, train 🚂",
        whole="bicycle bus truck rocket airplane boat train",
        bus="buses",
    ),
    *_nouns(
        "food",
        "apple 🍎, banana 🍌, pear 🍐, strawberry 🍓, carrot 🥕, cake 🎂, donut 🍩, pizza 🍕, mushroom 🍄, "
        "bowl 🥣, cup ☕",
        whole="bowl cup cake",
        strawberry="strawberries",
    ),
    *_nouns(
        "thing",
        "balloon 🎈, suitcase 🧳, clock ⏰, book 📕, vase 🏺, umbrella ☂, key 🔑, guitar 🎸, drum 🥁, ball ⚽, "
        "gift 🎁, lamp 💡, phone 📱, television 📺, pencil ✏, candle 🕯, spoon 🥄",
        whole="ball lamp phone television spoon candle",
    ),
    *_nouns("nature", "tree 🌳, flower 🌷, star ⭐, heart ❤, house 🏠", whole="house"),
]

#: Every noun of the world, by name.
NOUNS: dict[str, Noun] = {noun.name: noun for noun in _ALL}

#: The 24 nouns of the Attend-and-Excite prompts.
ATTEND_AND_EXCITE_ANIMALS = (
    *("cat", "dog", "bird", "bear", "lion", "horse"),
    *("elephant", "monkey", "frog", "turtle", "rabbit", "mouse"),
)
ATTEND_AND_EXCITE_OBJECTS = (
    *("backpack", "glasses", "crown", "suitcase", "chair", "balloon"),
    *("bow", "car", "bowl", "bench", "clock", "apple"),
)

#: What a LoRA teaches: a noun that the small checkpoints never saw, and that their autoencoder draws well all the same.
NEWCOMER = "penguin"

#: Colour name -> sRGB in [0, 255]. "natural" (None in a scene) leaves the glyph as it is and is never named.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (224, 36, 40),
    "orange": (255, 138, 20),
    "yellow": (252, 216, 40),
    "green": (44, 160, 60),
    "blue": (36, 92, 220),
    "purple": (134, 52, 176),
    "pink": (255, 132, 190),
    "brown": (126, 76, 38),
    "black": (38, 38, 42),
    "white": (248, 248, 248),
    "gray": (142, 146, 152),
}

#: Background name -> sRGB in [0, 255]; soft tones that no object colour equals.
BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "cream": (246, 236, 208),
    "mint": (200, 232, 212),
    "sky": (190, 222, 242),
    "lavender": (218, 208, 240),
    "rose": (244, 212, 216),
    "sand": (222, 202, 168),
    "slate": (104, 120, 138),
    "teal": (96, 160, 160),
}

#: What an animal can wear, and nothing else: (vertical place of its centre in the wearer's box, width ratio).
WORN: dict[str, tuple[float, float]] = {"crown": (0.0, 0.5), "bow": (0.08, 0.5), "glasses": (0.42, 0.62)}

#: What a glyph in its natural colours would be called, where there is one plain answer.
NATURAL_COLOURS: dict[str, str] = {
    noun: colour
    for colour, nouns in {
        "red": "backpack balloon bow car apple strawberry heart book",
        "orange": "cat carrot",
        "yellow": "crown star banana giraffe",
        "green": "frog turtle tree pear",
        "blue": "bird suitcase bowl fish",
        "brown": "bear lion chair bench monkey",
        "gray": "elephant mouse rabbit",
        "white": "sheep",
    }.items()
    for noun in nouns.split()
}


def asked_colour(concept: Concept) -> str | None:
    """The colour that a concept names, None if it names none of the world's."""
    return next((word for word in concept.attributes if word in COLOURS), None)
