"""The closed word lists that the lexicon back end reads by. Lower case throughout; one idea a list."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBERS: Final[dict[str, int]] = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000}

POSSESSIVES: Final = _words("my your his her its our their whose")
DETERMINERS: Final = POSSESSIVES | _words(
    "a an the this these those some any each every another both all no neither either several many few various "
    "multiple numerous"
)
SINGULAR: Final = _words("a an another each every")
DEFINITE: Final = POSSESSIVES | _words("the this these those")

PRONOUNS: Final = _words(
    "i me you he him she it we us they them mine yours hers ours theirs myself yourself himself herself itself "
    "ourselves yourselves themselves who whom which what that there here someone somebody something anyone anybody "
    "anything everyone everybody everything nobody nothing none others oneself whatever whoever ones"
)
CONJUNCTIONS: Final = _words("and or & but nor yet plus versus vs")
PREPOSITIONS: Final = _words(
    "of in on at by with without for from to into onto upon over under above below beneath underneath beside "
    "besides between among amongst amid amidst behind beyond near inside outside within through throughout across "
    "along alongside around about against atop towards toward off up down out past via like as than during before "
    "after until till since while because if when where whenever whereas though although unless whether so except "
    "despite per opposite minus including featuring containing depicting showing surrounding"
)
AUXILIARIES: Final = _words(
    "is are was were be been being am has have had having do does did doing can could will would shall should may "
    "might must isn't aren't wasn't weren't don't doesn't didn't can't won't it's that's there's he's she's they're "
    "gets got seems appears looks becomes becoming"
)
ADVERBS: Final = _words(
    "very too also not never always just then now together away back forth again still even almost quite rather "
    "extremely really highly only else ever perhaps maybe apart side-by-side indoors outdoors outside upside "
    "everywhere nowhere somewhere anywhere instead"
)

# Read as adjectives whatever the tagger says: where two of them are joined, one noun follows ("a black and white cat").
COLOURS: Final = _words(
    "red orange yellow green blue purple violet pink brown black white gray grey beige tan teal cyan magenta maroon "
    "crimson scarlet turquoise lavender indigo gold golden silver bronze ivory cream navy olive peach coral"
)
# Adjectives and participles that the tagger's lexicon gives as something else in front of a noun.
ADJECTIVES: Final = _words(
    "wooden metallic woolen fluffy cubic oblong teardrop square long short tall big small tiny huge left-handed "
    "pyramidal triangular"
)
# Nouns that the tagger's lexicon gives as adjectives, verbs or adverbs.
NOUNS: Final = _words(
    "drop drops key keys watch watches routine curry treat treats stem stems faucets t-shirt t-shirts remote "
    "remotes teddy bear bears glasses dice scissors skis frisbee giraffe giraffes lion lions elephant sheep firefly "
    "fireflies butterfly petal petals platter christmas kitchen karaoke sink sinks clamp faucet human humans adult "
    "adults individual individuals native tart tarts iris cherry cherries ceramic ceramics exterior interior leaf "
    "leaves tomato potato drum drums sprinkles sled sleds mosaic robot astronaut samurai ninja skateboard "
    "skateboards snowboard sandwich donut doughnut broccoli hydrant zebra zebras cow cows pajama pajamas"
)

# Places in the picture and parts of a spatial phrase ("on top of", "to the left of", "in the background").
SPATIAL: Final = _words(
    "top bottom left right side sides front back middle center centre corner corners edge background foreground "
    "distance rear midst direction end inside outside interior exterior lefthand righthand left-hand right-hand "
    "upper lower vicinity proximity way"
)
SPATIAL_MODIFIERS: Final = _words(
    "left right upper lower top bottom far very other same opposite hand lefthand righthand left-hand right-hand"
)
# The medium of the picture ("a photo of a cat"): dropped in front of "of", "showing", "depicting", "featuring".
MEDIA: Final = _words(
    "photo photos photograph photographs picture pictures image images painting paintings drawing drawings sketch "
    "sketches illustration illustrations rendering renderings render renders portrait portraits shot shots close-up "
    "closeup view depiction artwork watercolor watercolour snapshot scene footage photography screenshot selfie "
    "engraving lithograph etching artpiece wallpaper version"
)
# Style words of comma-separated tags ("digital art, 4k, cinematic lighting"): dropped without a determiner.
STYLES: Final = MEDIA | _words(
    "style styles art lighting quality resolution artstation masterpiece focus bokeh aesthetic detail details "
    "engine hdr uhd hd dslr lens depth field composition realism photorealism hyperrealism deviantart pixiv "
    "cinematography vray raytracing trending contrast palette anime cgi tones colors colours"
)
SHOWING: Final = _words("of showing depicting featuring")

# "a piece of cake" is about the cake; "a bowl of fruit" is a bowl. Both stay one concept.
PARTITIVES: Final = _words(
    "piece pieces slice slices bit bits pair pairs group groups couple bunch bunches herd flock pack swarm school "
    "lot lots number variety set sets row rows kind type sort collection crowd team loaf loaves chunk stack stacks "
    "pile piles line work works scoop pinch sheet sheets strip cluster assortment handful series array trio"
)
# Partitives whose number counts their content: "two slices of pizza".
PORTIONS: Final = _words("piece pieces slice slices bit bits loaf loaves chunk scoop sheet sheets strip kind type sort")
CONTAINERS: Final = _words(
    "bowl bowls cup cups glass glasses mug mugs plate plates basket baskets bottle bottles box boxes bag bags jar "
    "jars can cans bucket buckets tray trays pot pots bouquet bouquets vase vases crate crates barrel barrels sack "
    "pitcher field pool block blocks ball balls sea trail coat cloud clouds stream puddle heap mound bundle bed "
    "layer plume strand spool roll lump carton packet pack tub tin jug"
)

# Not things that can be pointed at in a picture.
ABSTRACT: Final = _words(
    "work beauty way ways time times life love joy happiness sadness anger fear hope peace freedom truth idea ideas "
    "thought thoughts plan plans decision decisions feeling feelings emotion emotions mood sense memory memories "
    "dream dreams luck success failure progress fun comfort strength power energy knowledge wisdom courage "
    "experience adventure attention care ability skill skills speed pace ease style distance direction purpose "
    "reason meaning question questions answer answers problem problems challenge challenges effort chance risk "
    "difference similarity relationship balance harmony elegance grace grandeur warmth nostalgia tranquility "
    "serenity wonder awe curiosity excitement anticipation determination confidence pride respect nature's history "
    "future past present advice information news fact facts story stories tale tales thing things look break nap "
    "walk talk conversation discussion chat sip pose stroll trip moment moments bit glance kind sort type amount "
    "lot number touch reminder contrast appearance ambiance ambience atmosphere presence importance sound sounds "
    "noise smell scent scents aroma fragrance taste flavor flavors silence music melody rhythm beat tune tunes "
    "movement movements motion action activity job task homework fashion manner testament symbol essence relief "
    "wake protest reflection possibility possibilities imagination ambition ambitions ingenuity creativity "
    "personality individuality expression entertainment engineering precision stealth temptation sophistication "
    "tension agreement applause approval delight affection relaxation health behavior behaviour passage growth "
    "survival occasion occasions lifestyle dedication inspiration witness escape ritual marvel performance project "
    "projects nature depth intensity blast crack lullaby injuries order rehearsal retreat choice choices option "
    "options feature features purposes accommodations lives existence exploration discovery motivation nothing "
    "science"
)
# Visible all the same, for all their endings.
THINGS_IN_NESS: Final = _words("prism organism wilderness harness lioness business darkness")
PLACES_IN_ITY: Final = _words("city community cavity facility university celebrity deity")
# Seen as much as told by: dropped only in "at sunset", not in "looking at a sunset".
SCENIC_TIMES: Final = _words("dawn dusk sunset sunrise twilight")
TIMES: Final = _words(
    "night day morning evening afternoon noon midnight midday weekend summer winter autumn fall spring week month "
    "year hour minute second season today tomorrow yesterday tonight nighttime daytime"
)
MATERIALS: Final = _words(
    "glass plastic metal rubber leather fabric wood steel paper stone ceramic cotton wool silk brick marble concrete"
)
# "a snow covered street"
COMPOUND_PARTICIPLES: Final = _words(
    "covered filled shaped colored coloured lined themed topped flavored flavoured sized capped stained striped"
)
# Verbs of posture and action that are as often nouns: after a noun and before "on the shelf" they are verbs.
ACTIONS: Final = _words(
    "burst hang rest sit stand lie nap perch lean hold float swim fly run play walk dance jump sleep hide point "
    "look stare race march drift travel crawl climb bloom jot smile laugh talk work wait"
)
# Pronouns that can only be an object: the word before them is a verb.
OBJECTS: Final = _words("me him it us them himself herself itself themselves")
# Words in -ing that name things, so that "and" before them joins nouns.
THINGS_IN_ING: Final = _words(
    "king ring string wing thing spring ceiling clothing lightning morning evening wedding pudding earring sibling "
    "duckling sling sting swing railing awning icing dressing stocking rings kings wings"
)
# Function words of the commonest other languages in Latin script, none of them an English word of prompts.
FOREIGN: Final = _words(
    "un una unos unas el los las y con sobre del junto der das den dem und ein eine einen einem einer mit auf von "
    "im ist le les des et une avec dans sur du deux uno il gli che di nel della e o os uma um com em na och en ett "
    "med een het op van i w z ve bir ile ja som og"
)
