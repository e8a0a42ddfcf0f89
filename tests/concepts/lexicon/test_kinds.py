"""The kinds of prompt that people write, each with examples of its own."""

from __future__ import annotations

import pytest

from semguide.concepts import decompose


def texts(prompt: str) -> list[str]:
    return [concept.text for concept in decompose(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("photocopy of a fern", ["a fern"]),
        ("close up of a beetle on a leaf", ["a beetle", "a leaf"]),
        ("award winning wildlife photograph of two foxes", ["two foxes"]),
        ("this image shows a lighthouse", ["a lighthouse"]),
        ("a goat on a roof, unreal engine 5, 8k, ray tracing", ["a goat", "a roof"]),
        ("an old tram, shot on a leica, 35mm lens, shallow depth of field", ["an old tram"]),
        ("low angle shot of a windmill", ["a windmill"]),
        ("A render by a small studio of a teapot", ["a teapot"]),
        ("a watch facing the camera, volumetric light, octane render", ["a watch"]),
        ("full body portrait of a fox, highly detailed, trending on artstation", ["a fox"]),
        ("a photographer holding a camera", ["a photographer", "a camera"]),
        ("photo taken with a Canon R5, an otter on a log, f/1.8", ["an otter", "a log"]),
        ("a sledge, 5 0 mm lens, 4 k, f 2. 8", ["a sledge"]),
        ("Draw a strikingly detailed, realistic close-up of a beetle on a cold morning", ["a beetle"]),
        (
            "a race taking place on a pier, a flag and a bell tower, adding colour",
            ["a race", "a pier", "a flag", "a bell tower"],
        ),
        ("sweeping vista of a bay, a kite in #1E9FF2, astrophotography", ["a bay", "a kite"]),
        ("ferns in the top-left and center areas", ["ferns"]),
        ("a tractor of the 1950s and a harvester of the 1 9 7 0 s", ["a tractor", "a harvester"]),
        ("several hikers take pictures of a glacier", ["several hikers", "a glacier"]),
        ("The wooden picture frame hangs next to the oil painting", ["The wooden picture frame", "the oil painting"]),
        ("travel poster of a canal, vector, tilt shift", ["a canal"]),
        ("three barn drawings", ["three barn drawings"]),
    ],
)
def test_medium_view_quality_engine_camera_and_award_are_no_concepts(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a harbour by Anna Velm and Piet Orsson", ["a harbour"]),
        ("a harbour, art by anna velm, piet orsson, juro takk, boats", ["a harbour", "boats"]),
        ("a tea house in the style of Hokusai", ["a tea house"]),
        ("a tea house inspired by the prints of Hokusai", ["a tea house"]),
        ("a barn by john lee and mark evans, hay", ["a barn", "hay"]),
        ("a barn by the Dutch painter Jan Holm", ["a barn"]),
        ("a barn, art by artgerm and pell and moebius and edwin - maria orsson, hay", ["a barn", "hay"]),
        ("a harbour by Anna Velm and boats", ["a harbour", "boats"]),
        ("anna black, red coat", ["anna black", "red coat"]),
        ("a barn by the old mill", ["a barn", "the old mill"]),
        ("a mill, art by _ nell _ orsk _ tam _ viddel _ jona _ brusk _ pell _ anver, _ ketta _ lomm", ["a mill"]),
        ("Edda of Norvik on a stool", ["Edda of Norvik", "a stool"]),
        ("a ship painted by Turner at sea", ["a ship", "sea"]),
        ("a knight surrounded by wolves", ["a knight", "wolves"]),
        ("a bridge by a river", ["a bridge", "a river"]),
        ("Sherlock Holmes smoking a pipe", ["Sherlock Holmes", "a pipe"]),
        ("the Leaning Tower of Pisa at night", ["the Leaning Tower of Pisa"]),
        ("a model of the Statue of Liberty", ["a model", "the Statue of Liberty"]),
        ("Dr. Strange on a sofa", ["Dr. Strange", "a sofa"]),
    ],
)
def test_artists_are_no_concepts_and_named_subjects_are(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("2girls, solo, short hair, holding umbrella, looking at viewer", ["2girls", "short hair", "umbrella"]),
        ("score_9, score_8_up, source_anime, rating_safe, red fox, snow", ["red fox", "snow"]),
        ("1girl, bow \\(weapon\\), looking over shoulder, running", ["1girl", "bow"]),
        ("no humans, tall, dark, pine tree, night, masterpiece", ["pine tree"]),
        ("glowing eyes, black, cloak, best quality", ["glowing eyes", "cloak"]),
        (
            "1girl, velda makoto \\(tale\\), slicked back hair, oil painting on canvas",
            ["1girl", "velda makoto", "slicked back hair"],
        ),
        ("old_bridge, misty_river, scenery", ["old_bridge", "misty_river", "scenery"]),
        (
            "1boy, solo, barn, a worn, patched coat, hay, lamp, year 2021",
            ["1boy", "barn", "a worn, patched coat", "hay", "lamp"],
        ),
        ("photo, an old man with silver framed, round glasses", ["an old man", "silver framed, round glasses"]),
    ],
)
def test_tags_are_read_one_by_one(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


def test_a_counted_tag_has_its_noun_and_its_count() -> None:
    (girls, boy) = decompose("2girls, 1boy, standing")
    assert (girls.text, girls.head, girls.count) == ("2girls", "girls", 2)
    assert (boy.head, boy.count) == ("boy", 1)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("brushes with neatly trimmed bristles", ["brushes", "neatly trimmed bristles"]),
        ("a beggar in tattered clothes", ["a beggar", "tattered clothes"]),
        ("Chipped and faded mugs on a still lake", ["Chipped and faded mugs", "a still lake"]),
        ("a baker selling freshly glazed buns", ["a baker", "freshly glazed buns"]),
        ("a cave lit by glowing floating lamps", ["a cave", "glowing floating lamps"]),
        ("a thick cable knit jumper", ["a thick cable knit jumper"]),
        ("a firefly wing and a curly feather", ["a firefly wing", "a curly feather"]),
        ("a tree with drooping branches stands on a hill", ["a tree", "drooping branches", "a hill"]),
        ("the surrounding hills and the back wheels", ["the surrounding hills", "the back wheels"]),
        ("a moss covered statue", ["a moss covered statue"]),
        ("red - haired sailor", ["red - haired sailor"]),
        ("flags with green, white, and red stripes", ["flags", "green, white, and red stripes"]),
    ],
)
def test_participles_and_compound_adjectives_stay_in_the_phrase(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("jugs of milk and patches of moss", ["jugs of milk", "patches of moss"]),
        ("specks of soot and handfuls of rice", ["specks of soot", "handfuls of rice"]),
        ("wedges of melon and shelves of maps", ["wedges of melon", "shelves of maps"]),
        ("rays of sunlight on a bench", ["rays of sunlight", "a bench"]),
        ("tubs of spread on a tray", ["tubs of spread", "a tray"]),
    ],
)
def test_plural_containers_keep_their_content(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("The kite's long tail gleams as the wind blows over it", ["The kite's long tail", "the wind"]),
        ("old ropes hang from the mast", ["old ropes", "the mast"]),
        ("goats chase geese", ["goats", "geese"]),
        ("two waiters polish silver trays", ["two waiters", "silver trays"]),
        ("The tower's lamps glow.", ["The tower's lamps"]),
        ("a polka dots print skirt and a news stand", ["a polka dots print skirt", "a news stand"]),
        ("the goats thick coat", ["the goats thick coat"]),
        ("a nun reading by a window", ["a nun", "a window"]),
        ("young boy fishing from a bridge", ["young boy", "a bridge"]),
        ("Wisps of evening smoke cling to the chimney", ["Wisps of evening smoke", "the chimney"]),
        ("a gown with delicate lace trim on a chair", ["a gown", "delicate lace trim", "a chair"]),
        ("a curtain, slightly torn, leaves a gap", ["a curtain", "a gap"]),
        ("tall stalks poke up from the soil", ["tall stalks", "the soil"]),
        ("a baker kneading dough and a clerk reading letters", ["a baker", "dough", "a clerk"]),
        ("Two men sit down; one wears a cap, the other rests his hand", ["Two men", "a cap", "his hand"]),
        ("The old vendor, which contrasts with the new stall", ["The old vendor", "the new stall"]),
    ],
)
def test_verbs_are_not_swallowed(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ('a billboard that reads "fresh bread and a smile"', ["a billboard"]),
        ('a "no parking" sign', ['a "no parking" sign']),
        ("a mug with the word 'monday' on it", ["a mug"]),
        ('"a mule and a cart"', ["a mule", "a cart"]),
        ('a stall sign reading "ripe figs" beside a cart', ["a stall sign", "a cart"]),
        ("a badge that says 'the town's oldest baker' on an apron", ["a badge", "an apron"]),
        ("the dogs' bowls and the cats' toys", ["the dogs' bowls", "the cats' toys"]),
    ],
)
def test_quoted_text_is_one_concept_or_none(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("F1 race car and R2-D2", ["F1 race car", "R2-D2"]),
        ("a 3D printer beside an 18th century clock", ["a 3D printer", "an 18th century clock"]),
        ("a B52 bomber", ["a B52 bomber"]),
        ("a 17th-century globe", ["a 17th-century globe"]),
        ("a desk, 3D goggles, 3D render", ["a desk", "3D goggles"]),
        ("1boy 1girl, a tent", ["1boy", "1girl", "a tent"]),
        ("1 9 2 0 s tram", ["1 9 2 0 s tram"]),
    ],
)
def test_words_of_letters_and_digits_are_words(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


def test_visible_things_are_kept_however_abstract_they_sound() -> None:
    assert texts("a vaulted passage with a stone relief and two science projects") == [
        "a vaulted passage",
        "a stone relief",
        "two science projects",
    ]
    assert texts("a crane with a sense of urgency and its performance") == ["a crane"]


@pytest.mark.parametrize(
    ("prompt", "text", "span"),
    [
        ("a (red:1.2) car", "a red car", (0, 15)),
        ("red++ car", "red car", (0, 9)),
        ("[red] car", "red car", (1, 9)),
        ("a red (car:1.3)", "a red car", (0, 10)),
        ("(red car:1.3)", "red car", (1, 8)),
        ("a ((very old)) clock", "a very old clock", (0, 20)),
        ("((horns))", "horns", (2, 7)),
        ("(velvet:1.1) box", "velvet box", (1, 16)),
        ("a (red)1.3 car", "a red car", (0, 14)),
    ],
)
def test_weights_are_left_out_of_the_text(prompt: str, text: str, span: tuple[int, int]) -> None:
    (concept,) = decompose(prompt)
    assert (concept.text, concept.span) == (text, span)


def test_a_bracket_after_a_noun_ends_the_phrase() -> None:
    assert texts("a kite (blue) (old boat)") == ["a kite", "old boat"]


def test_the_token_of_a_textual_inversion_belongs_to_its_concept() -> None:
    assert texts("a <cat-toy> backpack on a shelf") == ["a <cat-toy> backpack", "a shelf"]
    assert texts("<s1><s2> dog <lora:fur:0.7> in <b>snow</b>") == ["<s1><s2> dog", "snow"]
    assert texts("a photo of <my-vase>") == ["<my-vase>"]
    assert texts("an embedding:my-vase lamp on a desk") == ["an embedding:my-vase lamp", "a desk"]
    assert texts("a lamp, <my-style>, embedding:easy") == ["a lamp"]


def test_break_and_and_separate() -> None:
    assert texts("old BREAK barn AND tall silo") == ["barn", "tall silo"]


def test_a_thing_named_again_is_the_first_one() -> None:
    assert texts("a clay jug on a stool, the jug is full") == ["a clay jug", "a stool"]
    assert texts("a clay jug and the glass jug") == ["a clay jug", "the glass jug"]


def test_an_inverted_sentence_names_its_subject_last() -> None:
    assert texts("On the stool is a clay jug") == ["the stool", "a clay jug"]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "A kettle whistles on a stove, lending a rustic charm and a touch of whimsy to the scene",
            ["A kettle", "a stove"],
        ),
        ("a plum with a pop of violet against the backdrop of a barn", ["a plum", "a barn"]),
        ("The far side of the harbour lies in serene repose", ["the harbour"]),
        ("a rug in hues of green and gold, deep purples and light taupe", ["a rug"]),
        ("a bench at eye-level, several places, out of frame", ["a bench"]),
        ('The letter tile with the "k" and the first "M"', ["The letter tile"]),
        ("A close up of a walnut", ["a walnut"]),
        ("a mural, a natural yet odd piece of art", ["a mural"]),
    ],
)
def test_what_a_caption_says_of_the_whole_picture_is_no_concept(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Two urns, both engraved with vines, and jars, each neatly cut", ["Two urns", "vines", "jars"]),
        ("a clown dancing in a tent", ["a clown", "a tent"]),
        ("The bright sunlight streams, casting shadows on a porch", ["The bright sunlight", "shadows", "a porch"]),
        ("The tower features two clocks", ["The tower", "two clocks"]),
        ("The inn, built of stone, stands on a hill", ["The inn", "stone", "a hill"]),
        ("a wall of ivy that flanks it", ["a wall", "ivy"]),
        ("a truck right before it turns", ["a truck"]),
        ("Nestled in the grass are two eggs", ["the grass", "two eggs"]),
        ("Just behind the barn are two silos", ["the barn", "two silos"]),
    ],
)
def test_verbs_and_clauses_are_told_from_nouns(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a ruby red, round cushion", ["a ruby red, round cushion"]),
        ("a silver orange and a red orange kite", ["a silver orange", "a red orange kite"]),
        ("a broad-shouldered, middle-aged sailor", ["a broad-shouldered, middle-aged sailor"]),
        ("the other, smaller boats", ["the other, smaller boats"]),
        ("a trio of clay pots and a ring of mushrooms", ["a trio of clay pots", "a ring of mushrooms"]),
        ("many kinds of shells", ["many kinds of shells"]),
        ("the pier at North Haven", ["the pier", "North Haven"]),
    ],
)
def test_compound_colours_lists_of_adjectives_and_groups_are_one_phrase(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a fox, strong rim light, 1,000fps camera, filmic, telephoto, rtx", ["a fox"]),
        ("a fox, trending on pixiv fanbox, afropunk, hypermodern, kawaii", ["a fox"]),
        ("a fox by Anna Velm and android jones and piet orsson", ["a fox"]),
        ("a fox, digital art, alphonse mucha, beeple, dark souls", ["a fox"]),
        ("a fox, a character portrait, late evening", ["a fox"]),
        ("kodak portra 400, a fox", ["a fox"]),
        ("1girl, best quality, veyla morun, brocade yukatas", ["1girl", "veyla morun", "brocade yukatas"]),
    ],
)
def test_more_tags_of_light_camera_genre_and_artist_are_no_concepts(prompt: str, expected: list[str]) -> None:
    assert texts(prompt) == expected
