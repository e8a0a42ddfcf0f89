"""The closed word lists of medium, style, quality, camera and artist. Lower case throughout; one idea a list."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The medium of the picture ("a photo of a cat"): dropped in front of "of", "showing", "depicting", "featuring".
MEDIA: Final = _words(
    "vista vistas "
    "photo photos photograph photographs picture pictures pic image images painting paintings drawing drawings "
    "sketch "
    "sketches illustration illustrations rendering renderings render renders portrait portraits portraiture shot "
    "shots close-up closeup close-ups view views depiction artwork artworks watercolor watercolour snapshot scene "
    "footage photography screenshot selfie engraving lithograph etching artpiece wallpaper version photocopy "
    "photoshoot macro fanart closeups still print woodcut linocut woodblock daguerreotype polaroid "
    "macrophotography "
    "capture panorama visualization visualisation interpretation recreation reproduction scan timelapse storyboard "
    "fresco lineart linework gif thumbnail clipart doodle cinematograph overview"
)
# Media that are no things of a picture where they stand between commas: "a character portrait".
LONE_MEDIA: Final = _words("portrait portraits photo photograph closeup close-up render rendering illustration artwork")
SHOWING: Final = _words(
    "of showing depicting featuring shows depicts features portrays portraying displaying displays capturing "
    "captures "
    "illustrating illustrates containing contains presenting presents"
)
# Style words of comma-separated tags ("digital art, 4k, cinematic lighting"): dropped without a determiner.
STYLES: Final = MEDIA | _words(
    "score style styles art arts lighting quality resolution artstation masterpiece masterpieces focus bokeh aesthetic "
    "aesthetics detail details engine hdr uhd hd dslr lens depth composition realism photorealism hyperrealism "
    "surrealism impressionism deviantart pixiv cinematography vray raytracing trending contrast palette anime cgi "
    "tones tone colors colours color colour effect effects filter filters texture textures grading grain exposure "
    "saturation symmetry ratio illumination atmosphere ambience vibe vibes mood theme pose poses posing angle "
    "perspective format medium artist award awards winner contest design graphics anatomy proportions features "
    "edges shapes rendition visual visuals gradients blur asset assets aberration media headshot rendition "
    "shading strokes "
    "brushstrokes impasto gouache acrylic gradient shoot editorial fashion cover cinema "
    "movie film vogue craftsmanship background backdrop concept hairstyle expression expressions smile"
) - _words("background backdrop smile expression expressions cover hairstyle")
# Never a thing of the picture, whatever its article.
NEVER: Final = _words(
    "style styles artstation masterpiece masterpieces resolution quality viewer lighting 4k 8k hdr "
    "shot shots view "
    "views close-up closeup close-ups perspective viewpoint composition bokeh aesthetic photography artstyle "
    "vantage "
    "solo rating wallpaper render renders 3d 2d medium-shot pov angle highres absurdres anatomy photorealism "
    "realism "
    "cinematography aesthetics ambiance ambience headshot cosplay chiaroscuro caustics telephoto"
)
# The picture itself, where the article is definite: "the image", "this picture", "facing the camera".
PICTURE: Final = _words(
    "image images picture pictures photo photos photograph photographs frame camera scene shot composition"
)
# A segment between commas that has one of these and no article is about style, whatever else it says.
MARKERS: Final = _words(
    "artstation deviantart pixiv unreal octane vray v-ray blender cgi raytracing render rendered rendering "
    "renderer "
    "trending masterpiece masterpieces quality photorealistic photorealism hyperrealistic hyperrealism "
    "hyper-realistic award-winning awardwinning award awards cgsociety zbrush redshift houdini cinema4d bokeh dof "
    "lighting photography illustration wallpaper aesthetic photoshoot kodak kodachrome portra fujifilm fuji nikon "
    "canon leica hasselblad sony dslr polaroid lens aperture iso 35mm 50mm 85mm 4k 8k 16k 2k hd hdr uhd fhd "
    "1080p ue4 "
    "ue5 hires highres absurdres resolution detail details shading composition cinematography unsplash behance "
    "dribbble pinterest instagram flickr shutterstock midjourney artgerm wlop greg rutkowski artwork artworks "
    "volumetric tracing cel photographed photographic 3d 2d realism surrealism impressionism ghibli pixar "
    "dreamworks "
    "disney mucha imax technicolor cinemascope rule-of-thirds rtx pbr vfx cryengine lumion keyshot daz "
    "kitbash cinestill kodachrome megapixels megapixel raw telephoto filmic fisheye wide-angle symmetry style "
    "styled styles stylized focus "
    "editorial nsfw sfw watermark signature vector traced anamorphic"
)
# Names of artists and sites that people put at the end of a prompt, without "by".
ARTISTS: Final = _words(
    "beeple mohrbacher rossdraws giger leyendecker moebius frazetta mucha sakimichan murata bouguereau nerdrum "
    "sargent "
    "beksinski kuvshinov bussiere bussière loish rhads ruan mignola giraud vallejo bisley bierstadt friedrich goya "
    "caravaggio rembrandt vermeer monet dali magritte escher klimt hopper rockwell warhol banksy basquiat kahlo "
    "hokusai "
    "hiroshige miyazaki shinkai otomo toriyama araki amano yoshida nihei craig mullins mead ryden bosch durer "
    "turner "
    "waterhouse rossetti millais alphonse leibovitz mccurry lachapelle crewdson lindbergh newton avedon simonetti "
    "stalenhag stålenhag bowater ghailan gilleard garmash lipking chevrier remnev dittmann gorey dulac rackham "
    "zatista "
    "artstationhd artstationhq cgsociety cgssociety fanbox wallhaven pixabay 500px"
)
# Games, films and series: as a segment of their own, after another, they name a style.
WORKS: Final = frozenset(
    tuple(name.split())
    for name in (
        "hearthstone",
        "overwatch",
        "borderlands",
        "gloomhaven",
        "warhammer",
        "bloodborne",
        "fallout",
        "gta",
        "blade runner",
        "bladerunner",
        "mad max",
        "dark souls",
        "elden ring",
        "dungeons and dragons",
        "magic the gathering",
        "league of legends",
        "the matrix",
        "dnd",
    )
)
# Single words that are a style where they stand alone between commas.
GENRES: Final = _words(
    "psychedelic manga comic comics kawaii occult lovecraftian grunge baroque rococo gothic noir retro luxury "
    "ink oil "
    "canvas hypermaximalist maximalist minimalist bioluminescent native nonsense octane pixelart lowpoly filmic "
    "afrofuturism editorial ultrasharp artistic abstract gouache charcoal pastel"
)
GENRE_ENDINGS: Final = (
    "photography",
    "punk",
    "core",
    "wave",
    "ism",
    "modern",
    "realistic",
    "esque",
    "maximalist",
    "minimalist",
    "detailed",
)
# Segments that are style as a whole.
PHRASES: Final = frozenset(
    {
        ("star", "wars"),
        ("star", "trek"),
        ("studio", "ghibli"),
        ("tim", "burton"),
        ("game", "of", "thrones"),
        ("golden", "ratio"),
        ("golden", "hour"),
        ("blue", "hour"),
        ("rule", "of", "thirds"),
        ("depth", "of", "field"),
        ("spray", "paint"),
        ("tilt", "shift"),
        ("film", "noir"),
        ("sci", "fi"),
        ("full", "frame"),
        ("ray", "tracing"),
        ("mixed", "media"),
        ("motion", "blur"),
        ("gaussian", "blur"),
        ("point", "cloud"),
        ("game", "asset"),
        ("key", "visual"),
        ("key", "art"),
        ("movie", "poster"),
        ("comic", "book"),
        ("book", "cover"),
        ("album", "cover"),
        ("film", "still"),
        ("movie", "still"),
        ("television", "still"),
        ("side", "profile"),
        ("cinematic", "lightning"),
        ("science", "fiction"),
        ("art", "deco"),
        ("art", "nouveau"),
        ("pop", "art"),
        ("low", "poly"),
        ("low", "poly", "art"),
        ("full", "body"),
        ("upper", "body"),
        ("half", "body"),
        ("lower", "body"),
        ("waist", "up"),
        ("chest", "up"),
        ("knees", "up"),
        ("golden", "light"),
        ("oil", "on", "canvas"),
        ("acrylic", "on", "canvas"),
        ("no", "humans"),
        ("looking", "at", "viewer"),
    }
)
# Verbs of making: "painted by", "in a castle designed by" name an artist; "surrounded by" does not.
MADE: Final = _words(
    "made painted drawn created designed illustrated directed photographed shot rendered produced taken sculpted "
    "written done crafted composed inspired influenced imagined envisioned animated inked sketched captured"
)
# Who makes pictures: "by the Dutch painter Jan Steen".
MAKERS: Final = _words("painter artist illustrator photographer sculptor director animator designer studio architect")
# What a medium is on: "oil painting on canvas".
GROUNDS: Final = _words("canvas paper panel board linen wood parchment")
# Light that is a way of lighting where no article makes it a thing: "volumetric light", "soft light".
LIGHT: Final = _words("light illumination lighting glow sunlight backlight")
# Lights of a studio: "rim light" is style, "street light" is a thing.
LIGHT_KINDS: Final = _words("rim key fill studio bounce back ambient volumetric natural stage edge side top dim")
# What comes before a site: "trending on pixiv".
TRENDING: Final = _words("trending featured posted popular hot seen")
# Framings of the body.
FRAMED: Final = _words("body length waist chest")
FRAMINGS: Final = _words("full upper half lower whole mid medium cowboy")
# Prints that open a prompt as its medium: "travel poster of a city"; elsewhere they are things.
PRINTS: Final = _words("poster posters logo logos icon icons sticker stickers cover emblem stamp postcard")
# What begins a tag of a pose or a view: "looking over shoulder", "from behind".
POSES: Final = _words("looking facing staring from gazing pov")
