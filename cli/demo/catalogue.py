"""What the demo's shop sells. Names, brands and prices were made up for this demo; they come from no data set.

A theme is what people buy together: somebody who puts a coffee dripper into the cart looks at filters next.
"""

from __future__ import annotations

from dataclasses import dataclass

URL = "https://shop.example"
"""Reserved by RFC 2606: nothing answers there. Products carry no `image_url` for that reason: mail clients would show
broken pictures, where the templates show a coloured tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    product_id: str
    name: str
    cents: int
    category: str
    brand: str
    theme: str

    @property
    def properties(self) -> dict[str, object]:
        """As the events of the Segment specification carry it."""
        return {
            "product_id": self.product_id,
            "name": self.name,
            "price": self.cents / 100,
            "category": self.category,
            "brand": self.brand,
            "url": f"{URL}/products/{self.product_id}",
        }


# category: theme · name · brand · dollars
_SHELVES: dict[str, str] = {
    "Kitchen": """
        coffee · Stoneware pour-over dripper · Kiln Lane · 34
        coffee · Hand coffee grinder · Morrow · 79
        coffee · Paper filters, 100 pieces · Morrow · 7
        coffee · Gooseneck kettle · Morrow · 95
        coffee · Double-walled glass, pair · Lumen · 28
        coffee · House blend beans, 500 g · Harbour Roasters · 18
        coffee · Decaf beans, 500 g · Harbour Roasters · 19
        cooking · Cast-iron skillet, 26 cm · Forge & Tallow · 64
        cooking · Enamel casserole, 4 l · Forge & Tallow · 189
        cooking · Carbon-steel chef's knife · Forge & Tallow · 129
        cooking · End-grain chopping board · Ashgrove · 88
        cooking · Linen apron · Weft · 42
        baking · Proving basket · Ashgrove · 26
        baking · Bread tin, 1 kg · Forge & Tallow · 32
        baking · Rye flour, stone-ground, 2 kg · Millrace · 11
        baking · Brass-handled whisk · Morrow · 21
    """,
    "Table": """
        tea · Teapot, speckled glaze · Kiln Lane · 68
        tea · Hand-thrown mug · Kiln Lane · 24.50
        tea · Breakfast tea, loose leaf · Hillside Tea · 14
        tea · Mint and lemon verbena tea · Hillside Tea · 13
        tea · Tea strainer · Morrow · 9.50
        dinner · Dinner plates, set of four · Kiln Lane · 96
        dinner · Serving bowl, wide · Kiln Lane · 58
        dinner · Linen napkins, set of four · Weft · 38
        dinner · Table runner, undyed linen · Weft · 46
        dinner · Beeswax candles, six · Hive & Wick · 22
        dinner · Olive-wood salad servers · Ashgrove · 31
        dinner · Recycled glass carafe · Lumen · 35
        bar · Tumblers, set of four · Lumen · 44
        bar · Bottle opener, brass · Morrow · 16
        bar · Ginger syrup, 250 ml · Millrace · 12
    """,
    "Bedroom": """
        sleep · Linen duvet cover · Weft · 179
        sleep · Linen pillowcases, pair · Weft · 64
        sleep · Wool blanket, herringbone · Tarn & Fell · 145
        sleep · Feather pillow · Tarn & Fell · 72
        sleep · Lavender sachet · Hive & Wick · 8
        sleep · Flannel pyjamas · Tarn & Fell · 84
        sleep · Sheepskin slippers · Tarn & Fell · 69
        light · Bedside lamp, oak · Lumen · 118
        light · Linen lampshade · Lumen · 49
        light · LED bulb, warm white · Lumen · 9
        light · Scented candle, cedar · Hive & Wick · 29
        light · Matches in a jar · Hive & Wick · 12
        storage · Felt storage basket · Weft · 39
        storage · Cedar hangers, six · Ashgrove · 27
    """,
    "Bath": """
        bath · Waffle bath towel · Weft · 36
        bath · Hand towel, pair · Weft · 29
        bath · Bath mat, cork · Ashgrove · 33
        bath · Olive-oil soap · Hive & Wick · 7.50
        bath · Oat and honey soap · Hive & Wick · 7.50
        bath · Sea-salt bath soak · Hive & Wick · 17
        bath · Bathrobe, organic cotton · Weft · 110
        bath · Wooden nail brush · Ashgrove · 11
        shave · Safety razor, brass · Morrow · 58
        shave · Razor blades, ten · Morrow · 6
        shave · Shaving brush · Ashgrove · 37
        shave · Shaving soap in a tin · Hive & Wick · 15
        laundry · Wool dryer balls, three · Tarn & Fell · 18
        laundry · Laundry soap flakes, 1 kg · Hive & Wick · 16
    """,
    "Outdoors": """
        camp · Enamel camp kettle · Morrow · 48
        camp · Enamel mug, set of two · Morrow · 22
        camp · Two-person tent · Northcove · 349
        camp · Down sleeping bag · Northcove · 279
        camp · Self-inflating mat · Northcove · 99
        camp · Head torch, rechargeable · Lumen · 45
        camp · Folding camp stove · Morrow · 89
        camp · Titanium spork · Northcove · 12
        walk · Waxed cotton rucksack · Northcove · 165
        walk · Insulated bottle, 750 ml · Northcove · 34
        walk · Walking poles, pair · Northcove · 92
        walk · Wool picnic rug · Tarn & Fell · 78
        walk · Field notebook, waterproof · Paper & Plumb · 13
        swim · Changing robe · Northcove · 135
        swim · Dry bag, 20 l · Northcove · 32
        swim · Quick-dry towel · Weft · 25
    """,
    "Clothing": """
        wool · Merino crew socks · Tarn & Fell · 16
        wool · Merino base layer · Tarn & Fell · 75
        wool · Fisherman's jumper · Tarn & Fell · 148
        wool · Ribbed wool hat · Tarn & Fell · 34
        wool · Lambswool scarf · Tarn & Fell · 55
        wool · Darning kit · Tarn & Fell · 14
        rain · Waxed rain jacket · Northcove · 265
        rain · Rubber boots · Northcove · 98
        rain · Boot wax, 100 ml · Northcove · 12.50
        rain · Umbrella, ash handle · Ashgrove · 74
        rain · Packable rain hat · Northcove · 42
        work · Canvas overshirt · Weft · 115
        work · Selvedge jeans · Weft · 139
        work · Leather belt · Forge & Tallow · 62
        work · Bandana, indigo · Weft · 15
    """,
    "Desk": """
        write · Dot-grid notebook · Paper & Plumb · 17
        write · Brass fountain pen · Paper & Plumb · 68
        write · Ink, harbour blue, 50 ml · Paper & Plumb · 15
        write · Letter set, deckle edge · Paper & Plumb · 24
        write · Pencils, cedar, twelve · Paper & Plumb · 19
        write · Pencil sharpener, brass · Paper & Plumb · 11
        order · Oak desk tray · Ashgrove · 54
        order · Desk lamp, swing arm · Lumen · 159
        order · Leather desk mat · Forge & Tallow · 85
        order · Bookends, cast iron · Forge & Tallow · 47
        order · Wall calendar, letterpress · Paper & Plumb · 30
        order · Felt laptop sleeve · Weft · 43
        read · Reading light, clip-on · Lumen · 27
        read · Page weight, slate · Ashgrove · 18
        read · Armchair, oak and wool · Ashgrove · 395
    """,
    "Garden": """
        grow · Hand trowel · Forge & Tallow · 28
        grow · Secateurs · Forge & Tallow · 59
        grow · Garden twine in a tin · Weft · 13
        grow · Vegetable seeds, six kinds · Millrace · 18
        grow · Wild-flower seeds · Millrace · 5
        grow · Seed tray, galvanised · Forge & Tallow · 23
        grow · Watering can, 8 l · Forge & Tallow · 76
        grow · Leather gardening gloves · Forge & Tallow · 36
        grow · Terracotta pots, three · Kiln Lane · 33
        birds · Cedar nest box · Ashgrove · 41
        birds · Bird feeder · Ashgrove · 38
        birds · Sunflower hearts, 2 kg · Millrace · 14
        fire · Fire bowl, 60 cm · Forge & Tallow · 220
        fire · Kindling axe · Forge & Tallow · 87
        fire · Firelighters, wood wool · Hive & Wick · 10
    """,
}


def _read() -> tuple[Product, ...]:
    rows = [
        (category, *line.split(" · ")) for category, shelf in _SHELVES.items() for line in shelf.strip().splitlines()
    ]
    return tuple(
        Product(
            product_id=f"{category[:2].upper()}{number:03d}",
            name=name,
            cents=round(float(dollars) * 100),
            category=category,
            brand=brand,
            theme=theme.strip(),
        )
        for number, (category, theme, name, brand, dollars) in enumerate(rows, start=101)
    )


PRODUCTS: tuple[Product, ...] = _read()
THEMES: dict[str, tuple[Product, ...]] = {
    theme: tuple(product for product in PRODUCTS if product.theme == theme)
    for theme in dict.fromkeys(product.theme for product in PRODUCTS)
}
