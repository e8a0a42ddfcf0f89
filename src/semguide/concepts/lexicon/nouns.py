"""The word lists of what a noun is: abstract, or a part of something. Lower case throughout; one idea a list."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Not things that can be pointed at in a picture.
ABSTRACT: Final = _words(
    "beauty way ways time times life love joy happiness sadness anger fear hope peace freedom truth idea ideas "
    "thought thoughts plan plans decision decisions feeling feelings emotion emotions mood sense memory memories "
    "dream dreams luck success failure progress fun comfort strength power energy knowledge wisdom courage "
    "experience "
    "adventure attention care ability skill skills speed pace ease style distance direction purpose reason meaning "
    "question questions answer answers problem problems challenge challenges effort chance risk difference "
    "similarity "
    "relationship balance harmony elegance grace grandeur warmth nostalgia tranquility serenity wonder awe "
    "curiosity "
    "excitement anticipation determination confidence pride respect nature's history future past present advice "
    "information news fact facts story stories tale tales thing things look break nap walk talk conversation "
    "discussion chat sip pose stroll trip moment moments bit glance kind sort type amount lot number touch "
    "reminder "
    "contrast appearance ambiance ambience atmosphere presence importance sound sounds noise smell scent scents "
    "aroma "
    "fragrance taste flavor flavors silence music melody rhythm beat tune tunes movement movements motion action "
    "activity job task homework fashion manner testament symbol essence wake protest reflection possibility "
    "possibilities imagination ambition ambitions ingenuity creativity personality individuality expression "
    "entertainment engineering precision stealth temptation sophistication tension agreement applause approval "
    "delight affection relaxation health behavior behaviour growth survival occasion occasions lifestyle "
    "dedication "
    "inspiration marvel nature depth intensity lullaby order rehearsal choice choices option options purposes "
    "accommodations lives existence exploration discovery motivation nothing feel level levels selection process "
    "disruption malfunction clarity angle angles disagreement formation view beginning result use role state "
    "status "
    "issue cause impact aspect aspects form forms shape shapes color colors colour colours hue hues tone tones "
    "size "
    "sizes context overall variety vibe vibes theme themes surprise chaos elements element impression perspective "
    "position positions composition arrangement display setting settings environment parts part trend trends "
    "spirit "
    "aura mystery allure splendor glory aesthetics focus concept concepts design patience urgency intention "
    "pleasure "
    "pain horror terror rage fury glee sorrow despair event events party's someone's contents length width "
    "height age "
    "weight temperature orbit mid-air midair flight battle war scale array while whole half rest something it's "
    "one's "
    "total kinds sorts types efforts cost price value name names numbers word words letter letters text phrase "
    "phrases title slogan quote message detail details texture textures "
    "mix multitude location locations metres inches miles kilometers diameter radius slant throes mixture "
    "setup medium features feature "
    "facial "
    "references reference dimension dimensions sensation appeal intrigue whimsy blend interplay symmetry "
    "spectrum "
    "tableau contrasts pop pops hint hints bloom glimpse peek posture curvature technique techniques scheme "
    "interest "
    "complexion lengths heights widths ages degrees artistry demeanor visual visuals narrative narratives gesture "
    "transitions directions intervals proportions embrace repose stance stillness solitude calm calmness splendour "
    "font fonts typeface dynamism juxtaposition emphasis prominence vibrancy opulence flair tribute homage manner "
    "opposition counterpoint counterpart hustle bustle simplicity showcase sheen gaze gazes finish scope degree "
    "layout "
    "legacy heritage culture tradition traditions craftsmanship workmanship artisanship intricacies nuances "
    "intimacy "
    "anonymity camaraderie merriment laughter chatter breath patience pause interest heat cold coolness coziness "
    "ease allure mystique majesty purity innocence vigor vitality zest enthusiasm eye-level eyelevel left-to-right "
    "one-third two-thirds one-fourth three-fourths three-quarters one-quarter one-half two-fifths midpoint apex "
    "magic alchemy occult luxury death hell heaven eternity infinity destiny fate glamour opportunity "
    "opportunities "
    "comparison variation variations consistency preparation anything percent percentage majority remainder "
    "nonsense "
    "gradient gradients favor favour gender genders duration era years centuries decades century decade millennium"
)
# Abstract alone, but visible where something describes them ("an arched passage", "a stone relief", "two projects").
HALF_ABSTRACT: Final = _words(
    "project projects passage injuries crack blast retreat witness performance ritual escape relief "
    "work works display design designs part parts form forms shape shapes array "
    "arrangement battle text message letter letters number numbers word words title slogan order wake case cases "
    "course courses charms shade shades effect effects end start lack sentence symbol symbols world"
)
# Visible only as a kind of thing: "a bracelet charm", but not "a rustic charm".
KINDS_ONLY: Final = _words("charm scene scenes feature features")
# Nouns with these endings say no thing, but for the list after.
ABSTRACT_ENDINGS: Final = ("ness", "ism", "ity", "tion", "sion", "ment", "ance", "ence", "ency", "ancy", "ology")
THINGS_FOR_ALL_THEIR_ENDINGS: Final = _words(
    "prism organism wilderness harness lioness business darkness witness fitness governess mechanism city "
    "community "
    "cavity facility university celebrity deity electricity nativity station vegetation decoration intersection "
    "plantation foundation constellation reflection carnation creation lotion potion attraction junction section "
    "construction installation collection delegation congregation procession mansion television explosion "
    "extension "
    "passion population illustration stallion medallion illumination civilization crustacean monument instrument "
    "garment apartment pavement equipment ornament basement document cement fragment segment compartment "
    "battlement "
    "pigment parchment vestment department establishment settlement encampment refreshment ointment sediment "
    "tournament ligament filament regiment government implement attachment embankment element payment environment "
    "invitation fence ambulance entrance audience residence appliance substance conference dance balance ordnance "
    "conveyance transmission fermentation gentleman playstation gas-station fortification irrigation corporation "
    "caption insulation elevation aberration protrusion projection condensation precipitation pollution "
    "competition "
    "exhibition demonstration celebration infestation mutation condiment tenement casement measurement"
)
# Things that belong to what they are named "with": garments and ornaments, parts of a body, of a building, of a thing.
GARMENTS: Final = _words(
    "hat hats cap caps helmet helmets crown crowns scarf scarves collar collars bow bows tie ties bowtie glasses "
    "sunglasses goggles monocle mask masks hood hoodie jacket jackets coat coats shirt shirts t-shirt t-shirts "
    "sweater sweaters dress dresses skirt skirts pants trousers jeans shorts boots boot shoes shoe socks sock "
    "gloves "
    "glove mittens belt belts cape capes cloak cloaks robe robes suit suits uniform uniforms armor armour apron "
    "vest "
    "necklace earrings ring rings bracelet bandana headband headphones hairband ribbon ribbons veil turban beanie "
    "backpack saddle bell leash harness tag badge wig tiara pendant clothes clothing outfit costume"
)
PARTS: Final = GARMENTS | _words(
    "hair beard beards mustache moustache eyes eye eyebrows nose ears ear mouth teeth tooth fangs tongue lips "
    "cheeks "
    "face faces head heads neck chest arms arm hands hand fingers finger nails legs leg feet foot paws paw claws "
    "claw "
    "tail tails wings wing horns horn antlers antler mane fur feathers feather scales skin beak beaks snout snouts "
    "whiskers trunk tusks tusk fins fin shell shells spots stripes stripe freckles scar scars tattoo tattoos "
    "muzzle "
    "hooves braids ponytail bangs twintails body roof roofs door doors window windows chimney chimneys wall walls "
    "tower towers balcony porch columns pillars arch arches steps stairs spire spires dome domes handle handles "
    "lid "
    "lids cover knob knobs drawer drawers shelf shelves seat seats back cushion cushions wheel wheels tire tires "
    "headlights windshield sail sails mast masts hull engine propeller propellers basket blade blades tip tips "
    "edge "
    "edges rim rims base screen screens button buttons keyboard strap straps label labels logo pattern patterns "
    "petals petal stem stems leaves leaf branches branch roots bark thorns crust frosting icing topping toppings "
    "sprinkles trim lining sleeve sleeves pocket pockets zipper laces sole soles heel heels neckline hood fringe "
    "tassels frame page pages spine sign"
)
# Nouns of what a picture has anyway, or of no thing in particular: kept last.
GENERAL: Final = _words(
    "object objects item items thing things place area areas scene surface surfaces space part parts portion side "
    "section element elements structure structures material materials detail details setting environment landscape "
    "background backdrop ground floor sky air water light shadow shadows world surroundings land room"
)
