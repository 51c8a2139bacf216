"""Places in the United States that orders go to."""

from typing import NamedTuple


class City(NamedTuple):
    """A city with its first postal code; `weight` says how many customers live there."""

    name: str
    state: str
    region: str
    postal_code: int
    weight: float


CITIES = [
    City("New York City", "New York", "East", 10_001, 82),
    City("Los Angeles", "California", "West", 90_004, 47),
    City("Philadelphia", "Pennsylvania", "East", 19_120, 39),
    City("San Francisco", "California", "West", 94_109, 37),
    City("Houston", "Texas", "Central", 77_036, 35),
    City("Seattle", "Washington", "West", 98_103, 28),
    City("Columbus", "Ohio", "East", 43_215, 23),
    City("Chicago", "Illinois", "Central", 60_610, 22),
    City("San Diego", "California", "West", 92_024, 16),
    City("Dallas", "Texas", "Central", 75_217, 13),
    City("Detroit", "Michigan", "Central", 48_205, 13),
    City("Jacksonville", "Florida", "South", 32_216, 12),
    City("Jacksonville", "North Carolina", "South", 28_540, 8),
    City("Springfield", "Ohio", "East", 45_503, 6),
    City("Springfield", "Missouri", "Central", 65_807, 5),
    City("Springfield", "Virginia", "South", 22_153, 4),
    City("Louisville", "Kentucky", "South", 40_214, 9),
    City("Richmond", "Virginia", "South", 23_223, 8),
    City("Tulsa", "Oklahoma", "Central", 74_133, 8),
    City("San Antonio", "Texas", "Central", 78_207, 8),
    City("Charlotte", "North Carolina", "South", 28_205, 10),
    City("Phoenix", "Arizona", "West", 85_023, 10),
    City("Denver", "Colorado", "West", 80_219, 12),
    City("Atlanta", "Georgia", "South", 30_305, 11),
    City("Memphis", "Tennessee", "South", 38_109, 9),
    City("Baltimore", "Maryland", "East", 21_206, 10),
    City("Indianapolis", "Indiana", "Central", 46_203, 9),
    City("Milwaukee", "Wisconsin", "Central", 53_202, 8),
    City("Minneapolis", "Minnesota", "Central", 55_407, 7),
    City("Portland", "Oregon", "West", 97_206, 7),
    City("Little Rock", "Arkansas", "South", 72_204, 6),
    City("Jackson", "Mississippi", "South", 39_206, 5),
    City("Salt Lake City", "Utah", "West", 84_106, 5),
    City("New Orleans", "Louisiana", "South", 70_115, 4),
    City("Wilmington", "Delaware", "East", 19_801, 3),
    City("Albuquerque", "New Mexico", "West", 87_105, 3),
    City("Las Vegas", "Nevada", "West", 89_110, 2),
    City("Des Moines", "Iowa", "Central", 50_310, 2),
]

STATE_CODES = {
    "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO", "Connecticut": "CT",
    "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA",
    "Kentucky": "KY", "Louisiana": "LA", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI",
    "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Nevada": "NV", "New Jersey": "NJ",
    "New Mexico": "NM", "New York": "NY", "North Carolina": "NC", "Ohio": "OH", "Oklahoma": "OK",
    "Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI", "Tennessee": "TN", "Texas": "TX",
    "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington": "WA", "Wisconsin": "WI",
}  # fmt: skip

# A number cannot hold the leading zero of their postal codes.
CITIES_OF_LEADING_ZERO = [
    City("Newark", "New Jersey", "East", 7_101, 6),
    City("Belleville", "New Jersey", "East", 7_109, 4),
    City("Lowell", "Massachusetts", "East", 1_850, 5),
    City("Fairfield", "Connecticut", "East", 6_824, 5),
    City("Cranston", "Rhode Island", "East", 2_905, 2),
    City("Burlington", "Vermont", "East", 5_401, 1),
]
