"""Products are found by plain words, typos, English, filters and exclusions."""

from uuid import UUID

import pytest

from knowledge.product_filters import ProductFilters
from knowledge.product_search import Catalogue, prepare_catalogue, search_products
from services.catalogue.products import Product


def product(number: int, name: str, name_en: str, type: str, **changes: object) -> Product:
    values: dict[str, object] = {
        "id": UUID(int=number),
        "sku": f"P-{number}",
        "name": name,
        "name_en": name_en,
        "type": type,
        "range": "Oslo",
        "category": "salon",
        "description": "Un meuble de la maison.",
        "price_cents": 50_000,
        "colours": ("gris clair",),
        "materials": ("tissu", "hêtre massif"),
        "width_cm": 100.0,
        "depth_cm": 80.0,
        "height_cm": 80.0,
        "weight_kg": 20.0,
        "stock": 3,
        "delivery_days": 10,
        "care": "",
        "assembly": "",
        "warranty_years": 2,
        **changes,
    }
    return Product(**values)  # type: ignore[arg-type]


CATALOGUE: Catalogue = prepare_catalogue(
    [
        product(1, "Canapé Oslo 3 places", "Oslo 3-seater sofa", "canapé", price_cents=129_900),
        product(2, "Canapé d'angle Bergen", "Bergen corner sofa", "canapé d'angle", range="Bergen"),
        product(
            3,
            "Canapé Colbert 2 places en cuir",
            "Colbert leather sofa",
            "canapé",
            materials=("cuir",),
            colours=("noir",),
            stock=0,
        ),
        product(
            4,
            "Fauteuil Sienne en velours",
            "Sienne velvet armchair",
            "fauteuil",
            materials=("velours",),
            colours=("vert émeraude", "rose poudré"),
        ),
        product(
            5,
            "Table Fjord 180 cm",
            "Fjord table",
            "table",
            range="Fjord",
            category="salle à manger",
            materials=("chêne massif",),
            width_cm=180.0,
            tags=("6 à 8 personnes",),
        ),
        product(
            6,
            "Table basse Atelier",
            "Atelier coffee table",
            "table basse",
            range="Atelier",
            materials=("métal",),
            width_cm=90.0,
        ),
    ]
)


def found(query: str, filters: ProductFilters | None = None, language: str = "fr") -> list[int]:
    results = search_products(CATALOGUE, query, filters, language)
    return [hit.product.id.int for hit in results.hits]


@pytest.mark.parametrize(
    ("query", "language", "first"),
    [
        ("canapé d'angle", "fr", 2),
        ("canape dangle", "fr", 2),
        ("canapé olso", "fr", 1),
        ("fauteil velour", "fr", 4),
        ("velvet armchair", "en", 4),
        ("coffee table", "en", 6),
        ("Fjord", "fr", 5),
        ("Table basse Atelier", "fr", 6),
    ],
)
def test_the_right_product_comes_first(query: str, language: str, first: int) -> None:
    assert found(query, language=language)[0] == first


def test_a_plain_word_finds_all_of_its_kind() -> None:
    assert set(found("canapé")) == {1, 2, 3}


def test_words_that_nothing_has_find_nothing() -> None:
    results = search_products(CATALOGUE, "tracteur agricole")
    assert (results.hits, results.total) == ((), 0)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (ProductFilters(types=("canapé",)), {1, 2, 3}),
        (ProductFilters(types=("canapé",), excluded_materials=("cuir",)), {1, 2}),
        (ProductFilters(types=("canapé",), in_stock_only=True), {1, 2}),
        (ProductFilters(types=("canapé",), price_max_cents=60_000), {2, 3}),
        (ProductFilters(price_min_cents=100_000), {1}),
        (ProductFilters(colours=("vert",)), {4}),
        (ProductFilters(excluded_colours=("gris",)), {3, 4}),
        (ProductFilters(materials=("bois",)), {1, 2, 5}),
        (ProductFilters(types=("table",), width_max_cm=100), {6}),
        (ProductFilters(types=("table",), seats=7), {5}),
        (ProductFilters(categories=("salle à manger",)), {5}),
        (ProductFilters(excluded_types=("canapé", "table")), {4}),
    ],
)
def test_filters_keep_only_what_meets_them(filters: ProductFilters, expected: set[int]) -> None:
    assert set(found("", filters)) == expected


def test_an_exact_type_comes_before_its_kinds() -> None:
    assert found("", ProductFilters(types=("table",)))[0] == 5


def test_colours_are_given_up_when_nothing_has_them_but_prices_never() -> None:
    near = search_products(CATALOGUE, "", ProductFilters(types=("fauteuil",), colours=("jaune",)))
    assert not near.exact
    assert [hit.product.id.int for hit in near.hits] == [4]
    assert found("", ProductFilters(types=("fauteuil",), price_max_cents=100)) == []


def test_pages_follow_each_other() -> None:
    everything = [hit.product.id for hit in search_products(CATALOGUE, "", limit=6).hits]
    pages = [
        hit.product.id
        for offset in (0, 2, 4)
        for hit in search_products(CATALOGUE, "", limit=2, offset=offset).hits
    ]
    assert pages == everything
    assert len(set(pages)) == 6


def test_an_empty_catalogue_answers_with_nothing() -> None:
    assert search_products(prepare_catalogue([]), "canapé").hits == ()


@pytest.mark.parametrize(
    ("types", "skus"),
    [
        # "à manger" is said by the room that the table is sold for.
        (("table à manger",), ["P-5"]),
        (("table ronde de jardin",), []),
    ],
)
def test_that_a_narrower_type_is_found_in_name_tags_or_category(
    types: tuple[str, ...], skus: list[str]
) -> None:
    found = search_products(CATALOGUE, "", ProductFilters(types=(*types, "fauteuil")))
    assert [hit.product.sku for hit in found.hits if hit.product.sku != "P-4"] == skus


def test_that_a_type_the_shop_lacks_is_left_to_the_words() -> None:
    found = search_products(CATALOGUE, "un fauteuil ou un hamac", ProductFilters(types=("hamac",)))
    assert found.hits[0].product.sku == "P-4"


def test_that_a_room_beside_a_type_says_where_it_will_stand() -> None:
    asked = ProductFilters(types=("fauteuil",), categories=("salle à manger",))
    found = search_products(CATALOGUE, "fauteuil pour la salle à manger", asked)
    assert [hit.product.sku for hit in found.hits] == ["P-4"]
    assert found.exact


def test_that_garden_furniture_comes_behind_unless_it_is_asked_for() -> None:
    catalogue = prepare_catalogue(
        [
            product(1, "Fauteuil Alba", "Alba armchair", "fauteuil", category="salon"),
            product(
                2, "Fauteuil Aber", "Aber chair", "fauteuil", category="extérieur", tags=("jardin",)
            ),
        ]
    )
    wanted = ProductFilters(types=("fauteuil",))
    inside = search_products(catalogue, "un fauteuil", wanted)
    outside = search_products(catalogue, "un fauteuil pour le jardin", wanted)
    assert [hit.product.sku for hit in inside.hits] == ["P-1", "P-2"]
    assert [hit.product.sku for hit in outside.hits] == ["P-2", "P-1"]
