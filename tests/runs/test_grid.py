from PIL import Image

from semguide.runs.grid import draw_grid

COLOURS = {("cfg", 0): "red", ("cfg", 1): "lime", ("sgt", 0): "blue", ("sgt", 1): "yellow"}


def draw(size: tuple[int, int] = (64, 64), prompt: str = "a red book", seeds: int = 2) -> Image.Image:
    return draw_grid(
        prompt,
        ["cfg", "sgt"],
        list(range(seeds)),
        lambda method, seed: Image.new("RGB", size, COLOURS[method, seed % 2]),
    )


def colours(grid: Image.Image) -> dict[tuple[int, ...], int]:
    counted = grid.getcolors(maxcolors=1 << 24) or []
    return {colour: count for count, colour in counted if isinstance(colour, tuple)}


def test_small_images_are_enlarged_to_192_pixels():
    counted = colours(draw())
    for colour in [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]:
        assert counted[colour] == 192 * 192


def test_large_images_are_reduced_to_512_pixels_keeping_their_shape():
    assert colours(draw((1024, 768)))[255, 0, 0] == 512 * 384


def test_rows_are_methods_and_columns_are_seeds():
    grid = draw()
    right, bottom = grid.width - 100, grid.height - 100
    assert grid.getpixel((right, bottom)) == (255, 255, 0)
    assert grid.getpixel((right, bottom - 200)) == (0, 255, 0)
    assert grid.getpixel((right - 200, bottom)) == (0, 0, 255)


def test_labels_and_title_are_drawn():
    grid, other = draw(prompt="a red book"), draw(prompt="another")
    assert colours(grid)[0, 0, 0] > 100
    assert grid.tobytes() != other.tobytes()


def test_a_very_long_title_takes_three_lines_at_most():
    assert draw(prompt="word " * 2000).height == draw(prompt="word " * 200).height


def test_only_the_first_16_seeds_are_drawn():
    assert draw(seeds=40).width == draw(seeds=16).width > draw(seeds=15).width
