"""Head-counts of the ways of forks and experiments, from the walk to the report and the run's page."""

from pathlib import Path

from flows.watch import Plain
from tests.flows.shop import NOON, Shop, event, person, shop

FORKS = """
playbook welcome:
  start on signed_up
  enter once
  if country is "DE":
    send email hello
  otherwise if country is "FR":
    send email hello
  otherwise:
    wait 1 hour
  if city is "Rome":
    send email hello
  experiment greeting:
    measure order_completed within 7 days
    variant plain 100%:
      send email hello
"""
COUNTRIES = {"a": "DE", "b": "DE", "c": "FR", "d": "IT"}


def stocked(folder: Path, playbook: str = FORKS) -> Shop:
    made = shop(folder, playbook)
    made.calls(*(person(user, country=country) for user, country in COUNTRIES.items()))
    made.calls(*(event(user, "Signed Up", "2026-03-03T11:45:00Z") for user in COUNTRIES))
    return made


def test_each_way_of_a_fork_says_how_many_take_it(tmp_path: Path) -> None:
    report = stocked(tmp_path).rehearse("welcome", NOON)
    assert report.ways == {"if/1": 2, "if/2": 1, "if/otherwise": 1, "if.2/otherwise": 3, "greeting/plain": 3}
    assert report.as_plan()["ways"] == report.ways
    assert (report.steps["if"], report.steps["if.2"]) == (4, 3)


def test_the_ways_are_on_the_page_of_a_run(tmp_path: Path) -> None:
    watch = Plain()
    stocked(tmp_path).run("welcome", NOON, watch=watch)
    people = {str(row["step"]).strip(): row["people"] for row in watch.tables["welcome-steps"]}
    assert people['if country is "DE"'] == 2
    assert people['otherwise if country is "FR"'] == 1
    assert people["otherwise"] == 1
    assert people["variant plain 100%"] == 3


def test_people_on_an_older_version_count_where_the_ways_are_the_same(tmp_path: Path) -> None:
    late = FORKS.replace("  if country", "  wait 1 hour\n  if country", 1)
    made = stocked(tmp_path, late)
    made.run("welcome", NOON)
    made.write(late.replace('city is "Rome"', 'city is "Nice"'))
    report = made.rehearse("welcome", NOON.replace(hour=13))
    assert report.ways == {"if/1": 2, "if/2": 1, "if/otherwise": 1, "greeting/plain": 3}, "the city's fork is another"
