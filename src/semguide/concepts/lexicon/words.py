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
    "besides "
    "between among amongst amid amidst behind beyond near inside outside within through throughout across along "
    "alongside around about against atop towards toward off up down out past via like as than during before after "
    "until till since while because if when where whenever whereas though although unless whether so except "
    "despite "
    "per opposite minus including featuring containing depicting showing surrounding"
)
AUXILIARIES: Final = _words(
    "is are was were be been being am has have had having do does did doing can could will would shall should may "
    "might must isn't aren't wasn't weren't don't doesn't didn't can't won't it's that's there's he's she's "
    "they're "
    "gets got seems appears looks becomes becoming"
)
ADVERBS: Final = _words(
    "very too also not never always just then now together away back forth again still even almost quite rather "
    "extremely really highly only else ever perhaps maybe apart side-by-side indoors outdoors outside upside "
    "everywhere nowhere somewhere anywhere instead downward upward inward outward downwards upwards inwards "
    "outwards "
    "sideways leftward rightward leftwards rightwards backward backwards forwards overhead skyward heavenward "
    "farther "
    "further nearby throughout"
)

# Read as adjectives whatever the tagger says: where two of them are joined, one noun follows ("a black and white cat").
COLOURS: Final = _words(
    "red orange yellow green blue purple violet pink brown black white gray grey beige tan teal cyan magenta "
    "maroon "
    "crimson scarlet turquoise lavender indigo gold golden silver bronze ivory cream navy olive peach coral "
    "taupe mauve burgundy aqua azure khaki ochre off-white"
)
# Words of how light a colour is: "deep purples".
TINTS: Final = _words("light dark pale bright deep vivid rich soft warm cool")
# Nouns that shade the colour after them: "ruby red".
SHADES: Final = _words(
    "ruby emerald sapphire sky jet navy lime blood midnight forest sea baby cherry fire coal snow charcoal ash "
    "slate mint "
    "lemon rose wine rust sand pearl olive moss steel chocolate coffee cobalt mustard canary"
)
# Adjectives and participles that the tagger's lexicon gives as something else in front of a noun.
ADJECTIVES: Final = _words(
    "lowpoly round wooden metallic woolen fluffy cubic oblong teardrop square long short tall big small tiny "
    "huge left-handed "
    "pyramidal triangular cyberpunk steampunk dieselpunk biopunk solarpunk retrofuturistic futuristic sci-fi scifi "
    "fantasy anime cartoon cartoony cartoonish chibi gothic victorian photorealistic hyperrealistic photoreal "
    "realistic surreal vaporwave synthwave vivid epic widescreen minimalist isometric cinematic mechanical "
    "biomechanical bionic noir matte vintage retro rustic baroque renaissance medieval ancient magical mystical "
    "ethereal majestic ornate intricate cute adorable furry chubby tattered weathered fat thin spherical spheric "
    "rectangular circular oval conical cylindrical hexagonal octagonal sleek colorful colourful"
)
# Nouns that the tagger's lexicon gives as adjectives, verbs or adverbs.
NOUNS: Final = _words(
    "tracks trail trails drop drops key keys watch watches routine curry treat treats stem stems faucets t-shirt "
    "t-shirts remote remotes "
    "teddy bear bears glasses dice scissors skis frisbee giraffe giraffes lion lions elephant sheep firefly "
    "fireflies "
    "butterfly petal petals platter christmas kitchen karaoke sink sinks clamp faucet human humans adult adults "
    "individual individuals native tart tarts iris cherry cherries ceramic ceramics exterior interior leaf leaves "
    "tomato potato drum drums sprinkles sled sleds mosaic robot astronaut samurai ninja skateboard skateboards "
    "snowboard sandwich donut doughnut broccoli hydrant zebra zebras cow cows pajama pajamas tips tip patch "
    "patches "
    "spread beak beaks snout snouts claw claws paw paws tail tails mane antler antlers dragon dragons unicorn "
    "unicorns wizard wizards goblin goblins elf elves dwarf dwarves mermaid mermaids cyborg cyborgs android "
    "androids "
    "robots astronauts mecha alien aliens warrior warriors spaceship spaceships starship knight knights hoodie "
    "jeans "
    "sneakers sunglasses headphones backpack laptop smartphone selfie kitten kittens puppy puppies penguin "
    "penguins "
    "panda pandas koala sloth otter hedgehog raccoon corgi shiba axolotl capybara cupcake burger pizza ramen sushi "
    "latte espresso croissant neon bangs twintails ponytail braid braids dress dresses skirt skirts shirt shirts "
    "coat "
    "coats boots cloak armor armour helmet sword swords castle castles tower waterfall skyscraper skyscrapers "
    "siren sirens plush plushie graffiti ledge spire spires frown smile blush bow bows rose roses guard guards mars"
)

# "1girl", "2boys": the noun of a tag that begins with its count.
COUNTED: Final = _words(
    "girl girls boy boys man men woman women other others person people child children kid kids cat cats dog dogs "
    "animal animals horse horses pokemon"
)

# Places in the picture and parts of a spatial phrase ("on top of", "to the left of", "in the background").
SPATIAL: Final = _words(
    "top bottom left right side sides front back middle center centre corner corners edge background foreground "
    "distance rear midst direction end inside outside interior exterior lower-right lower-left upper-right "
    "upper-left "
    "bottom-left bottom-right top-left top-right lefthand righthand left-hand right-hand upper lower vicinity "
    "proximity way backdrop midground mid-ground periphery forefront far-left far-right"
)
SPATIAL_MODIFIERS: Final = _words(
    "left right upper lower top bottom far very other same opposite hand lefthand righthand left-hand right-hand"
)
# "a piece of cake" is about the cake; "a bowl of fruit" is a bowl. Both stay one concept.
PARTITIVES: Final = _words(
    "speck specks dab dabs smear smears splashes puff puffs dusting swirl swirls handfuls armful fistful spoonful "
    "ray rays beam beams shaft shafts patch patches strand strands drop drops droplet droplets sprig sprigs clump "
    "clumps tuft tufts flake flakes grain grains shard shards fragment fragments blade blades wisp wisps streak "
    "streaks trace traces bouquet chunks flocks herds packs crowds clusters mass masses tangle expanse stretch mix "
    "mixture piece pieces slice slices bit bits pair pairs group groups couple bunch bunches herd flock pack swarm "
    "school lot lots number variety set sets row rows kind type sort collection crowd team loaf loaves chunk stack "
    "stacks pile piles scoop pinch sheet sheets strip cluster assortment handful series array trio work works "
    "schools trio duo quartet quintet ring circle smattering patchwork splash multitude mixture string strings "
    "line lines maze "
    "kinds types sorts "
    "scattering sprinkling array arrays collections pairs assembly procession cascade canopy blanket"
)
# Partitives whose number counts their content: "two slices of pizza".
PORTIONS: Final = _words(
    "piece pieces slice slices bit bits loaf loaves chunk scoop sheet sheets strip kind type sort kinds types sorts"
)
CONTAINERS: Final = _words(
    "bowl bowls cup cups glass glasses mug mugs plate plates basket baskets bottle bottles box boxes bag bags jar "
    "jars can cans bucket buckets tray trays pot pots bouquet bouquets vase vases crate crates barrel barrels sack "
    "wheel wheels wedge wedges shelf shelves cart carts "
    "pitcher field pool block blocks ball balls sea trail coat cloud clouds stream puddle heap mound river "
    "rivers bundle bed layer "
    "plume spool roll lump carton packet pack tub tin jug pitchers vats vat tubs tins jugs cartons packets coats "
    "layers plumes spools rolls lumps heaps mounds bundles beds streams puddles fields pools dish dishes pan pans "
    "tank tanks keg kegs scoops teapot thermos tube tubes coil coils"
)

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
    "covered filled shaped colored coloured lined themed topped flavored flavoured sized capped stained striped "
    "inspired styled textured walled roofed tiled carved trimmed scented powered driven headed legged haired eyed "
    "knit knitted skinned faced winged lit clad soaked drenched infused strewn"
)
# Verbs of posture and action that are as often nouns: after a noun and before "on the shelf" they are verbs.
ACTIONS: Final = _words(
    "burst hang rest sit stand lie nap perch lean hold float swim fly run play walk dance jump sleep hide point "
    "look "
    "stare race march drift travel stream curve tower crawl climb bloom jot smile laugh talk work wait"
)
# Verbs without an object: before a noun they describe it ("drooping shoulders", "falling snow").
INTRANSITIVE: Final = _words(
    "drooping glowing shining flowing falling floating flying running burning shimmering sparkling smiling "
    "sleeping "
    "crying laughing towering blooming blossoming swirling rolling melting crumbling dripping flashing flickering "
    "gleaming glistening glittering billowing cascading rotting dying rising bulging missing matching contrasting "
    "hanging trailing winding leaning wandering dancing jumping leaping swimming boiling steaming weeping staring "
    "fishing hiking surfing skiing skating boxing camping sailing kayaking snowboarding skateboarding cycling jogging "
    "gardening shopping farming hunting climbing meditating "
    "growing overflowing sprawling overhanging protruding interlocking overlapping rotating spinning grinning"
)
# Plural nouns that stand before another noun: "a sports car".
PLURAL_MODIFIERS: Final = _words(
    "sports arms glasses clothes goods jeans customs news games ceramics graphics christmas"
)
# Names that people write without capitals.
NAMES_WITH_OF: Final = frozenset(
    {("statue", "of", "liberty"), ("tower", "of", "london"), ("tower", "of", "pisa"), ("house", "of", "cards")}
)
# Verbs of description in -s, before "on", "in", "as", "over".
ACTIONS_IN_S: Final = _words(
    "gleams glows shines shimmers glistens sparkles looms blows sways swirls basks emerges dangles lounges "
    "crouches "
    "kneels soars hovers blossoms flickers protrudes flutters wanders gazes pokes peeks peers nestles sprouts "
    "curls "
    "rises spills cascades juts gathers stretches reaches perches crashes billows"
)
# Pronouns that can only be an object: the word before them is a verb.
OBJECTS: Final = _words("me him it us them himself herself itself themselves")
# Words in -ing that name things, so that "and" before them joins nouns.
THINGS_IN_ING: Final = _words(
    "king ring string wing thing spring ceiling clothing lightning morning evening wedding pudding earring sibling "
    "duckling sling sting swing railing awning icing dressing stocking rings kings wings"
)
# Function words of other languages, also without their accents, none of them an English word of prompts.
FOREIGN: Final = _words(
    "un una unos unas el los las y sobre del junto lado der das dem ein eine einen einem einer eines und mit auf "
    "von "
    "vor neben unter zwei roter rote rotes ist le les des et une avec dans sur deux sous devant dos uno il gli che "
    "nel della delle degli di accanto e o os uma umas com em na och ett med een het w ve bir ile som og ikke av "
    "til "
    "jeg ja ei oraz ze przy obok yang dan seekor sebuah atas meja dengan dua ng mga sa ay isang dalawang at mot "
    "hai "
    "cua va voi tren duoi trong ngoai cai chiec mau dang nguoi canh ben ngoi meo iyo oo ka ku waxaa laba ah leh "
    "ayaa "
    "hal guduud yar weyn kanye nezimbili ehlezi phezu kwe ne ya wa kwa mbili moja yenye kwenye juu egy es van "
    "egyik "
    "kaksi joka vieressa pe si cu langa doua cat\u0103"
) - {"at", "van", "ben", "cat\u0103"}
# Words that English shares with other languages: they tell nothing.
SHARED: Final = _words(
    "a an in on no me do to so we is was am he as or for i us o over under at la de con per den si dan her his has"
)

# Verbs that take the noun after them as their object: "holding sword" is a sword, "glowing eyes" are eyes.
TRANSITIVE: Final = _words(
    "holding wearing eating drinking riding carrying using reading playing watching showing making having taking "
    "throwing catching pulling pushing chasing driving cooking cutting writing painting drawing looking facing "
    "featuring containing including depicting doing touching hugging kissing feeding building brushing grabbing "
    "chopping selling buying entering leaving crossing climbing reaching covering surrounding wielding sporting "
    "hiking standing sitting lying walking posing"
)
# What stands between a thing and its part: "a cat with a red hat".
HAVING: Final = _words("with wearing has have having wears sporting sports in and")
# Prepositions before the ground that a subject stands on or in.
GROUNDING: Final = _words("in on at against under beneath inside within into onto")
# Names of things in -ing that stand alone as a tag; other lone words in -ing say what someone does.
TAGS_IN_ING: Final = THINGS_IN_ING | _words(
    "building painting drawing engraving carving bedding piercing piping fencing seating wiring tubing crossing "
    "topping frosting lining herring starling seedling sapling gosling dumpling"
)
# Verbs before a text to be written: "a sign that says Welcome Friends".
WRITING: Final = _words("says saying reads reading spelling titled labeled labelled spells")
