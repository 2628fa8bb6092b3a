"""Every code that the compiler tells, with one sentence each. Codes are stable: none is ever given a new meaning."""

from __future__ import annotations

from collections.abc import Mapping

from dsl.parser import CODES as SYNTAX

NAMES: Mapping[str, str] = {
    "WB201": "A field is unknown.",
    "WB202": "An event is unknown.",
    "WB203": "A channel is unknown.",
    "WB204": "A template is missing.",
    "WB205": "A segment is unknown.",
    "WB206": "A name is neither a field nor a constant.",
    "WB207": "An event has no such property.",
    "WB208": "The event that starts the playbook has no such property.",
    "WB209": "`event.x` stands where no event starts the playbook.",
    "WB210": "`event.x` stands in the `where` of the starting event itself.",
    "WB211": "Unlike things are compared.",
    "WB212": "Something is compared in a way that its type does not have.",
    "WB213": "A list or a product is compared as if it were one value.",
    "WB214": "Something that is no time is asked how long ago it was.",
    "WB215": "Something that is no text is asked what it contains.",
    "WB216": "An amount is in another currency than the shop's.",
    "WB218": "A segment contains itself.",
    "WB219": "A constant stands where a field is asked about.",
    "WB223": "A `where` asks about the person instead of the event.",
    "WB225": "A condition is too large.",
    "WB226": "No template is about a topic.",
    "WB229": "`enter once per` names no property that tells events apart.",
    "WB230": "A name stands twice, or is taken.",
    "WB231": "A constant is given a name instead of a value.",
    "WB232": "A field's name begins with `event.`.",
    "WB233": "A property of a known event is declared with another type.",
    "WB234": "A type is unknown.",
    "WB235": "A wait goes until something that is no time.",
    "WB236": "A record is unknown.",
    "WB237": "An audience is unknown.",
    "WB238": "Somebody is added to, or removed from, an audience with rules.",
    "WB239": "A playbook is unknown.",
    "WB240": "A playbook writes a field that the store keeps.",
    "WB241": "Something without an order is asked for its top.",
    "WB242": "A top share is nobody, or everybody.",
    "WB243": "Something that is no list is asked what it includes.",
    "WB244": "Something without a history is asked how long it has been so.",
}
"""Names and types."""

SENSE: Mapping[str, str] = {
    "WB301": "Everybody did something at least 0 times.",
    "WB302": "`since entry` stands where nobody has entered yet.",
    "WB303": "Two days run backwards.",
    "WB304": "`wait … until` counts hours or minutes instead of days.",
    "WB305": "A required setting is missing.",
    "WB306": "A line stands twice.",
    "WB307": "A setting stands after a step.",
    "WB308": "The sentence about a playbook is too long.",
    "WB309": "The shares of an experiment do not add up to 100%.",
    "WB310": "A share is nothing, or more than 100%.",
    "WB311": "An experiment has no variants.",
    "WB313": "A variant takes the name of the holdout.",
    "WB314": "A send does not give what its template reads.",
    "WB315": "A send gives what its template does not read.",
    "WB316": "A template is not sound.",
    "WB317": "A step stands after `stop`.",
    "WB318": "There are two policies.",
    "WB319": "The policy leaves no time to send, or quiet hours are no time.",
    "WB320": "A line of the policy stands twice.",
    "WB321": "A limit lets nothing through.",
    "WB322": "A fork has too many ways.",
    "WB350": "A warning: `start when` has no upper age.",
    "WB351": "A warning: steps are so late that the goal no longer counts.",
    "WB352": "A warning: nothing asks whether a channel can be received.",
    "WB353": "A warning: an experiment measures nothing.",
    "WB354": "A warning: a condition never holds, or nobody gets to a branch.",
    "WB355": "A warning: a condition always holds.",
    "WB356": "A warning: more sends than the policy's limit lets through.",
    "WB357": "A warning: a wait ends when nothing is sent.",
    "WB358": "A warning: a playbook has no steps.",
}
"""Sense: errors to WB349, warnings from WB350."""

CODES: Mapping[str, str] = {**SYNTAX, **NAMES, **SENSE}
"""All of them."""
