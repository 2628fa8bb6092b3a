"""The people of the demo's shop. None of them exists: names are drawn from lists, e-mail addresses are under
example.com and example.org, phone numbers in the 555-01xx range that is kept for fiction."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from cli.demo.catalogue import THEMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One customer (with `user_id`), or one visitor who never says who they are."""

    key: str
    """Stands in all ids of their calls."""
    user_id: str | None
    anonymous_id: str
    first_seen: datetime
    member_since: datetime | None
    """When the account was made, for accounts older than the stored history; None: not yet made at `first_seen`."""
    traits: dict[str, object]
    zone: str
    device: str
    tastes: tuple[str, ...]
    """Themes of the catalogue, the favourite first."""
    pace: float
    """Visits a day."""
    appetite: float
    """Factor on the chance to put something into the cart; 1 on average."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words("""
    Ada Aisha Alba Amara Anders Anika Anton Arjun Astrid Ava Beatriz Ben Björn Camille Carlos Chloë Clara Daniel
    Daria David Diego Ebba Eleni Elif Ella Emeka Emil Emma Esther Farid Fatima Felix Finn Freya Gabriel Grace Greta
    Hana Hannah Hassan Henrik Hugo Ida Imani Ines Ingrid Isaac Isla Ivan Jack Jada James Jasmine Joanna Jonas José
    Julia Jun Kai Karin Kateryna Keiko Kofi Lars Laura Layla Leo Lena Liam Linnéa Lucas Lucía Maja Malik Marco Maria
    Marta Mateo Maya Mei Mia Miguel Mila Mina Nadia Naomi Nia Nils Noah Nora Nour Olivia Omar Oscar Otto Paula Pedro
    Petra Priya Rafael Ravi René Rosa Ruth Sakura Sam Sana Sara Siobhán Sofia Søren Stella Tariq Theo Thandiwe Tomás
    Uma Vera Viktor Wanjiru William Xin Yara Yusuf Zoë Zuzana
""")
_LAST = _words("""
    Adeyemi Ahmed Almeida Andersen Bakker Baker Banerjee Bauer Becker Bell Bennett Berg Bianchi Brooks Brown Carter
    Castillo Chen Clarke Cohen Cooper Costa Cruz Dahl Davies Diaz Dubois Edwards Eriksson Evans Fischer Foster
    García Gray Green Gupta Haddad Hall Hansen Harris Hughes Ibrahim Ito Jackson Jansen Jensen Johnson Jones Kaya
    Kelly Khan Kim King Klein Kowalski Kumar Larsen Lee Lewis Lindqvist López Martin Mensah Meyer Miller Moore
    Morales Moreau Murphy Müller Nakamura Nguyen Novák Nowak O'Brien Okafor Olsen Ortiz Park Patel Pereira Petrov
    Price Quinn Ramos Reed Richter Rivera Roberts Rossi Sánchez Sato Schmidt Scott Shah Silva Singh Smith Svensson
    Takahashi Taylor Thomas Torres Turner Vargas Virtanen Walker Wang Weber White Williams Wilson Wood Wright
    Yamamoto Yılmaz Young Zhang Zimmermann
""")
_PLACES: tuple[tuple[int, str, str, str], ...] = (
    (22, "US", "New York", "America/New_York"),
    (9, "US", "Portland", "America/New_York"),
    (13, "US", "Chicago", "America/Chicago"),
    (6, "US", "Denver", "America/Denver"),
    (14, "US", "Seattle", "America/Los_Angeles"),
    (7, "CA", "Toronto", "America/Toronto"),
    (12, "GB", "Leeds", "Europe/London"),
    (6, "DE", "Hamburg", "Europe/Berlin"),
    (4, "NO", "Bergen", "Europe/Oslo"),
    (3, "PT", "Porto", "Europe/Lisbon"),
)
_AREAS = _words("""
    202 206 207 212 213 215 267 303 305 312 314 319 404 410 415 416 503 504 512 602 604 612 617 646 702 713 718 773
    802 808
""")


def customer(number: int, *, seed: int, start: datetime, end: datetime) -> Person:
    """Customer `number`, counted from 0; the same for the same arguments, whoever else there is."""
    random = Random(f"{seed}/customer/{number}")
    first, last = random.choice(_FIRST), random.choice(_LAST)
    _, country, city, zone = random.choices(_PLACES, [place[0] for place in _PLACES])[0]
    old = random.random() < 0.55
    since = start - timedelta(days=random.uniform(1, 700)) if old else None
    says_yes = random.random() < 0.8
    domain = random.choice(("example.com", "example.com", "example.org"))
    traits: dict[str, object] = {
        "email": f"{_ascii(first)}.{_ascii(last)}.{number}@{domain}",
        "first_name": first,
        "last_name": last,
        "country": country,
        "city": city,
        "language": "en",
        "time_zone": zone,
        "email_consent": says_yes,
        "consent_source": random.choice(("sign-up form", "sign-up form", "checkout")),
    }
    if random.random() < 0.04:
        del traits["first_name"], traits["last_name"]  # not everybody tells their name
    if country in ("US", "CA") and number < 100 * len(_AREAS) and random.random() < 0.5:
        traits["phone"] = f"+1{_AREAS[number // 100]}55501{number % 100:02d}"
        traits["sms_consent"] = says_yes and random.random() < 0.6
    return Person(
        key=f"c{number:05d}",
        user_id=f"customer-{number:05d}",
        anonymous_id=f"browser-{random.getrandbits(48):012x}",
        first_seen=start if old else start + (end - start) * random.random(),
        member_since=since,
        traits=traits,
        zone=zone,
        device=random.choices(("mobile", "desktop", "tablet"), (58, 36, 6))[0],
        tastes=_tastes(random),
        pace=random.lognormvariate(-2.72, 0.9),
        appetite=random.gammavariate(2.2, 1 / 2.2),
    )


def visitor(number: int, *, seed: int, start: datetime, end: datetime) -> Person:
    """Somebody who looks around, seldom comes back, and never signs up."""
    random = Random(f"{seed}/visitor/{number}")
    zone = random.choices(_PLACES, [place[0] for place in _PLACES])[0][3]
    return Person(
        key=f"v{number:05d}",
        user_id=None,
        anonymous_id=f"browser-{random.getrandbits(48):012x}",
        first_seen=start + (end - start) * random.random(),
        member_since=None,
        traits={},
        zone=zone,
        device=random.choices(("mobile", "desktop", "tablet"), (66, 29, 5))[0],
        tastes=_tastes(random),
        pace=random.lognormvariate(-4.6, 0.6),
        appetite=random.gammavariate(1.5, 0.35),
    )


def _tastes(random: Random) -> tuple[str, ...]:
    """Two to four themes; the first ones of the catalogue are the more popular."""
    themes = list(THEMES)
    weights = [1 / (3 + position) for position in range(len(themes))]
    return tuple(dict.fromkeys(random.choices(themes, weights, k=random.randint(2, 4))))


def _ascii(name: str) -> str:
    plain = name.lower().replace("ø", "o").replace("ı", "i").replace("'", "")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
